/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/control/codec.h"
#include "momctl/follow.h"
#include "momctl/json.h"
#include "momctl/options.h"

struct events {
	const char *guest;
	double since_s, until_s; /* 0 as the daemon has it */
	uint64_t limit;          /* 0 the same */
	bool follow;
	uint64_t last; /* the number of the latest that was printed */
};

static int usage(void)
{
	return momctl_fail(MOMCTL_USAGE,
		"usage: momctl events [GUEST] [--since TIME] [--until TIME] [--limit N] "
		"[--follow]");
}

static int read_option(struct events *events, int *at, char **argv)
{
	const char *value;
	if (strcmp(argv[*at], "--follow") == 0) {
		events->follow = true;
		return MOMCTL_OK;
	}
	if ((value = option_value("--since", at, argv)))
		return option_time("--since", value, &events->since_s);
	if ((value = option_value("--until", at, argv)))
		return option_time("--until", value, &events->until_s);
	if ((value = option_value("--limit", at, argv)))
		return option_count("--limit", value, &events->limit);
	if (argv[*at][0] == '-' || events->guest)
		return usage();
	events->guest = argv[*at];
	return MOMCTL_OK;
}

/* "warning: ", but for the everyday. */
static const char *level_word(const char *level)
{
	return strcmp(level, "error") == 0     ? "error: "
	       : strcmp(level, "warning") == 0 ? "warning: "
					       : "";
}

static void print_event(const struct momctl *ctl, struct json_object *event)
{
	char time[OPTION_TIME_TEXT], label[OPTION_TIME_TEXT + 2];
	double at_s = 0;
	const char *about = json_get_text(event, "guest");
	json_get_number(event, "at", &at_s);
	snprintf(label, sizeof(label), "%s  ", option_time_text(time, at_s));
	about = *about ? about : json_get_text(event, "pool");
	output_line(&ctl->out, label, "%s%s%s%s",
		level_word(json_get_text(event, "level")), about, *about ? ": " : "",
		json_get_text(event, "text"));
}

static struct json_object *params_of(const struct events *events)
{
	struct json_object *params = json_object_new_object();
	if (events->guest)
		json_object_object_add(params, "guest", control_json_text(events->guest));
	if (events->since_s > 0)
		json_object_object_add(
			params, "since", json_object_new_int64((int64_t)events->since_s));
	if (events->until_s > 0)
		json_object_object_add(
			params, "until", json_object_new_int64((int64_t)events->until_s));
	if (events->limit)
		json_object_object_add(
			params, "limit", json_object_new_uint64(events->limit));
	return params;
}

static void print_all(
	const struct momctl *ctl, struct events *events, struct json_object *answer)
{
	struct json_object *list = json_get(answer, "events");
	if (json_get_bool(answer, "more") && !ctl->json)
		output_line(&ctl->out, "",
			"(older ones are left out; --limit shows more of them)");
	if (ctl->json && !events->follow)
		json_print(ctl->out.file, list);
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *event = json_object_array_get_idx(list, i);
		json_get_count(event, "id", &events->last);
		if (!ctl->json)
			print_event(ctl, event);
		else if (events->follow)
			json_print_line(ctl->out.file, event);
	}
	if (!json_count(list) && !events->follow && !ctl->json)
		output_line(&ctl->out, "", "nothing happened in that time");
}

static int print_past(const struct momctl *ctl, void *context)
{
	struct events *events = context;
	struct json_object *answer = NULL;
	int code = momctl_call(ctl, "events", params_of(events), &answer);
	if (code)
		return code;
	print_all(ctl, events, answer);
	json_object_put(answer);
	fflush(ctl->out.file);
	return MOMCTL_OK;
}

static bool is_of(struct json_object *event, const char *guest)
{
	return !guest || strcmp(json_get_text(event, "guest"), guest) == 0 ||
	       strcmp(json_get_text(event, "uuid"), guest) == 0;
}

/* What came between subscribing and asking for the past is among the past, too. */
static void print_new(const struct momctl *ctl, void *context, struct json_object *line)
{
	struct events *events = context;
	struct json_object *event = json_get(line, "data");
	uint64_t missed, id = 0;
	if (json_get_count(line, "missed", &missed) && missed && !ctl->json)
		output_line(&ctl->out, "", "(%llu events came too fast)",
			(unsigned long long)missed);
	json_get_count(event, "id", &id);
	if (id <= events->last || !is_of(event, events->guest))
		return;
	if (ctl->json)
		json_print_line(ctl->out.file, event);
	else
		print_event(ctl, event);
}

int cmd_events(const struct momctl *ctl, int argc, char **argv)
{
	struct events events = {0};
	for (int i = 1; i < argc; i++) {
		int code = read_option(&events, &i, argv);
		if (code)
			return code;
	}
	if (!events.follow)
		return print_past(ctl, &events);
	if (!events.limit)
		events.limit = 10;
	const struct follow follow = {
		.topic = "event",
		.begin = print_past,
		.each = print_new,
		.context = &events,
	};
	return follow_topic(ctl, &follow);
}
