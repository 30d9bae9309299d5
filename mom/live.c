/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mom/config.h"
#include "mom/mem.h"

#define LINE_MOST (GUEST_NAME_MAX + CGROUP_PATH_MAX + 128)

static size_t find_paused(const struct live *live, const char *uuid)
{
	size_t i = 0;
	while (i < live->paused_count && strcmp(live->paused_guests[i], uuid))
		i++;
	return i;
}

static size_t find_setting(const struct live *live, const char *uuid, const char *key)
{
	size_t i = 0;
	while (i < live->setting_count && (strcmp(live->settings[i].uuid, uuid) ||
						  strcmp(live->settings[i].key, key)))
		i++;
	return i;
}

void live_pause(struct live *live, const char *uuid, bool paused)
{
	if (!uuid) {
		live->paused = paused;
		if (!paused)
			live->paused_count = 0;
		return;
	}
	size_t i = find_paused(live, uuid);
	bool known = i < live->paused_count;
	if (paused && !known) {
		live->paused_guests = mem_grow(live->paused_guests, live->paused_count,
			&live->paused_capacity, sizeof(*live->paused_guests));
		snprintf(live->paused_guests[live->paused_count++], UUID_TEXT_MAX, "%s",
			uuid);
	} else if (!paused && known) {
		memcpy(live->paused_guests[i], live->paused_guests[--live->paused_count],
			UUID_TEXT_MAX);
	}
}

bool live_is_paused(const struct live *live, const char *uuid)
{
	return live->paused || find_paused(live, uuid) < live->paused_count;
}

void live_set(struct live *live, const char *uuid, const char *key, const char *value)
{
	size_t i = find_setting(live, uuid, key);
	if (!value) {
		if (i < live->setting_count)
			live->settings[i] = live->settings[--live->setting_count];
		return;
	}
	if (i == live->setting_count) {
		live->settings = mem_grow(live->settings, live->setting_count,
			&live->setting_capacity, sizeof(*live->settings));
		live->setting_count++;
	}
	struct live_setting *setting = &live->settings[i];
	snprintf(setting->uuid, sizeof(setting->uuid), "%s", uuid);
	snprintf(setting->key, sizeof(setting->key), "%s", key);
	snprintf(setting->value, sizeof(setting->value), "%s", value);
}

bool live_forget(struct live *live, const char *uuid)
{
	size_t before = live->setting_count;
	for (size_t i = before; i-- > 0;)
		if (!strcmp(live->settings[i].uuid, uuid))
			live->settings[i] = live->settings[--live->setting_count];
	return live->setting_count < before;
}

const char *live_get(const struct live *live, const char *uuid, const char *key)
{
	size_t i = find_setting(live, uuid, key);
	return i < live->setting_count ? live->settings[i].value : NULL;
}

void live_apply(
	const struct live *live, const char *uuid, struct guest_settings *settings)
{
	for (size_t i = 0; i < live->setting_count; i++)
		if (!strcmp(live->settings[i].uuid, uuid))
			guest_settings_set(settings, live->settings[i].key,
				live->settings[i].value, NULL);
}

/* Paths and names may hold blanks, and be missing. */
static bool read_reservation(struct live *live, char *line)
{
	enum { WORD, SIZE, EXPIRES, KNOWN_ID, POOL, NAME, FIELDS };
	char *fields[FIELDS];
	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = strsep(&line, "\t");
	if (line || !fields[NAME])
		return false;
	char *size_end, *expires_end, *id_end;
	struct reservation reservation = {
		.size_kib = strtoull(fields[SIZE], &size_end, 10),
		.expires_ms = strtoll(fields[EXPIRES], &expires_end, 10),
		.known_id = (int)strtol(fields[KNOWN_ID], &id_end, 10),
	};
	if (*size_end || *expires_end || *id_end || !reservation.size_kib)
		return false;
	snprintf(reservation.pool, sizeof(reservation.pool), "%s", fields[POOL]);
	snprintf(reservation.name, sizeof(reservation.name), "%s", fields[NAME]);
	reservations_put(&live->reservations, &reservation);
	return true;
}

static bool read_line(struct live *live, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	char uuid[UUID_TEXT_MAX], key[32], value[64];
	if (!strcmp(line, "pause")) {
		live->paused = true;
	} else if (sscanf(line, "pause %36s", uuid) == 1) {
		live_pause(live, uuid, true);
	} else if (!strncmp(line, "reserve\t", strlen("reserve\t"))) {
		return read_reservation(live, line);
	} else if (sscanf(line, "set %36s %31s %63[^\n]", uuid, key, value) == 3) {
		live_set(live, uuid, key, value);
	} else {
		return !*line;
	}
	return true;
}

int live_load(struct live *live, const char *path, struct err *err)
{
	*live = (struct live){.path = mem_dup(path)};
	auto_fclose FILE *file = path ? fopen(path, "re") : NULL;
	if (!file)
		return 0;
	int result = 0;
	char line[LINE_MOST];
	for (unsigned number = 1; fgets(line, sizeof(line), file); number++)
		if (!read_line(live, line))
			result = err_set(err, -EBADMSG,
				"%s:%u: not a line that this version keeps; left out",
				path, number);
	return result;
}

static bool write_lines(const struct live *live, FILE *file)
{
	if (live->paused)
		fprintf(file, "pause\n");
	for (size_t i = 0; i < live->paused_count; i++)
		fprintf(file, "pause %s\n", live->paused_guests[i]);
	for (size_t i = 0; i < live->setting_count; i++)
		fprintf(file, "set %s %s %s\n", live->settings[i].uuid,
			live->settings[i].key, live->settings[i].value);
	for (size_t i = 0; i < live->reservations.count; i++) {
		const struct reservation *reservation = &live->reservations.items[i];
		fprintf(file, "reserve\t%" PRIu64 "\t%" PRId64 "\t%d\t%s\t%s\n",
			reservation->size_kib, reservation->expires_ms,
			reservation->known_id, reservation->pool, reservation->name);
	}
	return fflush(file) == 0 && !ferror(file);
}

int live_save(const struct live *live, struct err *err)
{
	if (!live->path)
		return 0;
	auto_free char *new_path = mem_printf("%s.new", live->path);
	auto_fclose FILE *file = fopen(new_path, "we");
	if (!file)
		return err_errno(err, errno, "cannot write \"%s\"", new_path);
	if (!write_lines(live, file) || rename(new_path, live->path) < 0) {
		int error = errno;
		unlink(new_path);
		return err_errno(err, error, "cannot write \"%s\"", live->path);
	}
	return 0;
}

void live_done(struct live *live)
{
	free(live->path);
	free(live->paused_guests);
	free(live->settings);
	reservations_done(&live->reservations);
	*live = (struct live){0};
}
