/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/events.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/remember.h"
#include "mom/mem.h"

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {
		"error", "warning", "notice", "info", "debug"};
	return names[level];
}

struct json_object *events_describe(const struct occurrence *occurrence)
{
	struct json_object *object = json_object_new_object();
	put_kib(object, "id", occurrence->id);
	put_clock(object, "at", occurrence->at_ms);
	put_text(object, "level", level_name(occurrence->level));
	put_text(object, "kind", occurrence_kind_name(occurrence->kind));
	put_text(object, "guest", occurrence->guest);
	put_text(object, "uuid", occurrence->uuid);
	if (occurrence->pool)
		put_text(object, "pool", *occurrence->pool ? occurrence->pool : "host");
	put_text(object, "text", occurrence->text);
	if (occurrence->is) {
		put_text(object, "was", occurrence->was);
		put_text(object, "is", occurrence->is);
	}
	if (occurrence->has_move) {
		put_kib(object, "from_kib", occurrence->from_kib);
		put_kib(object, "to_kib", occurrence->to_kib);
	}
	if (occurrence->has_room) {
		put_kib(object, "available_kib", occurrence->available_kib);
		put_kib(object, "reserve_kib", occurrence->reserve_kib);
	}
	if (occurrence->why && *occurrence->why)
		put_text(object, "why", occurrence->why);
	return object;
}

/* The log is spared what comes too often; so are those who watch. */
static void tell(struct daemon *daemon, const struct occurrence *occurrence)
{
	daemon->event_kinds[occurrence->kind]++;
	if (occurrence->level >= LOG_LEVEL_DEBUG)
		return;
	occurrences_put(&daemon->events, occurrence);
	if (!control_server_watched(daemon->server, "event"))
		return;
	struct json_object *data = events_describe(occurrence);
	control_server_publish(daemon->server, "event", data);
	json_object_put(data);
}

void events_occurred(void *context, const struct occurrence *occurrence)
{
	struct daemon *daemon = context;
	struct occurrence stamped = *occurrence;
	stamped.at_ms = daemon_clock_ms();
	if (!daemon->last_event) /* numbers of another run are smaller */
		daemon->last_event = (uint64_t)stamped.at_ms * 1000;
	stamped.id = ++daemon->last_event;
	tell(daemon, &stamped);
	remember_event(daemon, &stamped);
}

void events_say(struct daemon *daemon, enum log_level level, enum occurrence_kind kind,
	const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_line(level, "%s", text);
	struct occurrence occurrence = {.level = level, .kind = kind, .text = text};
	events_occurred(daemon, &occurrence);
}

static bool is_of(const struct occurrence *occurrence, const char *guest)
{
	return !guest || (occurrence->guest && (!strcmp(occurrence->guest, guest) ||
						       !strcmp(occurrence->uuid, guest)));
}

struct json_object *events_latest(const struct daemon *daemon, const char *guest,
	int64_t since_ms, int64_t until_ms, size_t limit, bool *more)
{
	const struct occurrence *found[OCCURRENCES_KEPT], *occurrence;
	size_t count = 0;
	for (size_t age = 0; (occurrence = occurrences_at(&daemon->events, age)); age++)
		if (is_of(occurrence, guest) && occurrence->at_ms >= since_ms &&
			occurrence->at_ms < until_ms)
			found[count++] = occurrence;
	*more = count > limit;
	struct json_object *array = json_object_new_array();
	for (size_t i = count < limit ? count : limit; i-- > 0;)
		json_object_array_add(array, events_describe(found[i]));
	return array;
}
