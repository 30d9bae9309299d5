/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "controllers/ksm_values.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/mem.h"

#define RUN_BITS 3 /* the kernel adds one while it takes memory away */

static const char *const names[KSM_VALUE_COUNT] = {
	[KNOB_KSM_RUN] = "run",
	[KNOB_KSM_PAGES_TO_SCAN] = "pages_to_scan",
	[KNOB_KSM_SLEEP_MILLISECS] = "sleep_millisecs",
	[KNOB_KSM_MERGE_ACROSS_NODES] = "merge_across_nodes",
	[KSM_ADVISOR] = "advisor_mode",
};

/* An advisor comes last: while it is at work it refuses other people's pages_to_scan. */
static const int restore_order[] = {KNOB_KSM_RUN, KNOB_KSM_PAGES_TO_SCAN,
	KNOB_KSM_SLEEP_MILLISECS, KNOB_KSM_MERGE_ACROSS_NODES, KSM_ADVISOR};

void ksm_values_init(struct ksm_values *values, const char *sys_root, const char *socket)
{
	*values = (struct ksm_values){
		.path = mem_printf("%s/kernel/mm/ksm", sys_root),
		.state_path = mem_printf("%s.ksm", socket),
	};
}

void ksm_values_done(struct ksm_values *values)
{
	free(values->path);
	free(values->state_path);
	*values = (struct ksm_values){0};
}

const char *ksm_value_name(int item)
{
	return names[item];
}

/* ---- the kernel's files ---- */

/*
 * Read one file.
 *
 * Shape:  one number; advisor_mode has the chosen word in brackets ("[none] scan-time").
 * Source: /sys/kernel/mm/ksm, kernel Documentation/admin-guide/mm/ksm.rst
 */
bool ksm_values_read(const struct ksm_values *values, int item, char now[KSM_VALUE_MAX])
{
	auto_free char *path = mem_printf("%s/%s", values->path, names[item]);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	const char *chosen = strchr(text, '[');
	if (item == KSM_ADVISOR)
		return chosen && sscanf(chosen, "[%23[^]]", now) == 1;
	int64_t number;
	if (sscanf(text, "%" SCNd64, &number) != 1)
		return false;
	if (item == KNOB_KSM_RUN)
		number &= RUN_BITS;
	snprintf(now, KSM_VALUE_MAX, "%" PRId64, number);
	return true;
}

int64_t ksm_values_count(const struct ksm_values *values, const char *file)
{
	auto_free char *path = mem_printf("%s/%s", values->path, file);
	auto_fclose FILE *stream = fopen(path, "re");
	int64_t number;
	return stream && fscanf(stream, "%" SCNd64, &number) == 1 ? number : 0;
}

static int write_file(const struct ksm_values *values, int item, const char *value)
{
	auto_free char *path = mem_printf("%s/%s", values->path, names[item]);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	ssize_t length = (ssize_t)strlen(value);
	if (fd < 0 || write(fd, value, (size_t)length) != length)
		return -errno;
	return 0;
}

/* ---- the debt ---- */

static bool write_lines(const struct ksm_values *values, FILE *file)
{
	for (int i = 0; i < KSM_VALUE_COUNT; i++)
		if (values->items[i].touched)
			fprintf(file, "%s %s %s\n", names[i], values->items[i].initial,
				values->items[i].value);
	return fflush(file) == 0 && !ferror(file);
}

static int save(const struct ksm_values *values)
{
	auto_free char *new_path = mem_printf("%s.new", values->state_path);
	bool owed = false;
	for (int i = 0; i < KSM_VALUE_COUNT; i++)
		owed = owed || values->items[i].touched;
	if (!owed)
		return unlink(values->state_path) < 0 && errno != ENOENT ? -errno : 0;
	auto_fclose FILE *file = fopen(new_path, "we");
	if (!file)
		return -errno;
	if (write_lines(values, file) && rename(new_path, values->state_path) == 0)
		return 0;
	int result = -errno;
	unlink(new_path);
	return result;
}

static void keep(struct ksm_values *values)
{
	values->state_error = save(values);
}

static void adopt_line(struct ksm_values *values, const char *line)
{
	char name[32], now[KSM_VALUE_MAX];
	struct ksm_value was = {.known = true, .touched = true};
	if (sscanf(line, "%31s %23s %23s", name, was.initial, was.value) != 3)
		return;
	for (int i = 0; i < KSM_VALUE_COUNT; i++)
		if (!strcmp(name, names[i]) && ksm_values_read(values, i, now) &&
			!strcmp(now, was.value))
			values->items[i] = was;
}

void ksm_values_adopt(struct ksm_values *values)
{
	auto_fclose FILE *file = fopen(values->state_path, "re");
	char line[128];
	while (file && fgets(line, sizeof(line), file))
		adopt_line(values, line);
	if (file)
		keep(values);
}

/* Where pages were parted once, what has been merged since isn't parted at the end: that
 * takes memory, and nobody is left to find it. */
static const char *owed(const struct ksm_values *values, int item)
{
	const char *initial = values->items[item].initial;
	bool parts = item == KNOB_KSM_RUN && strcmp(initial, "2") == 0;
	return parts && ksm_values_count(values, "pages_sharing") > 0 ? "0" : initial;
}

static void restore_item(struct ksm_values *values, int item)
{
	struct ksm_value *value = &values->items[item];
	char now[KSM_VALUE_MAX];
	if (!value->touched || !ksm_values_read(values, item, now))
		return;
	const char *wanted = owed(values, item);
	bool ours = strcmp(now, value->value) == 0;
	if (!ours || strcmp(now, wanted) == 0 || write_file(values, item, wanted) == 0)
		value->touched = value->known = false;
}

void ksm_values_restore(struct ksm_values *values)
{
	for (size_t i = 0; i < ARRAY_SIZE(restore_order); i++)
		restore_item(values, restore_order[i]);
	keep(values);
}

/* ---- setting ---- */

/* The debt is written down first: death may come between the two. */
static int change(
	struct ksm_values *values, int item, const char *now, const char *wanted)
{
	struct ksm_value *value = &values->items[item];
	const struct ksm_value before = *value;
	if (!value->touched)
		snprintf(value->initial, KSM_VALUE_MAX, "%s", now);
	value->touched = true;
	snprintf(value->value, KSM_VALUE_MAX, "%s", wanted);
	keep(values);
	int result = write_file(values, item, wanted);
	if (result == 0)
		return 0;
	*value = before;
	keep(values);
	snprintf(value->refused, KSM_VALUE_MAX, "%s", wanted);
	value->given_up = result != -EINVAL;
	return result;
}

int ksm_values_set(struct ksm_values *values, int item, const char *wanted)
{
	struct ksm_value *value = &values->items[item];
	char now[KSM_VALUE_MAX];
	if (value->given_up || !strcmp(value->refused, wanted) ||
		!ksm_values_read(values, item, now))
		return 0;
	if (strcmp(now, wanted) != 0) {
		int result = change(values, item, now, wanted);
		if (result < 0)
			return result;
		/* the kernel may have made something else of it */
		bool same = ksm_values_read(values, item, now) && !strcmp(now, wanted);
		memcpy(value->value, now, sizeof(now));
		if (!same)
			keep(values);
	}
	memcpy(value->value, now, sizeof(now));
	value->known = true;
	return 0;
}

int ksm_values_taken(const struct ksm_values *values, char now[KSM_VALUE_MAX])
{
	for (int i = 0; i < KSM_VALUE_COUNT; i++)
		if (values->items[i].known && ksm_values_read(values, i, now) &&
			strcmp(now, values->items[i].value) != 0)
			return i;
	return -1;
}
