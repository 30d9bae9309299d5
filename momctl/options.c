/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mom/mem.h"
#include "mom/units.h"

/* The value of the option `name` at `argv[*at]`, or NULL where that is another one. */
const char *option_value(const char *name, int *at, char **argv)
{
	size_t length = strlen(name);
	if (strncmp(argv[*at], name, length) != 0)
		return NULL;
	if (argv[*at][length] == '=')
		return argv[*at] + length + 1;
	return argv[*at][length] || !argv[*at + 1] ? NULL : argv[++*at];
}

int option_count(const char *name, const char *text, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !*count)
		return momctl_fail(MOMCTL_USAGE,
			"%s wants a number from 1 on, not \"%s\"", name, text);
	return MOMCTL_OK;
}

int option_seconds(const char *name, const char *text, uint64_t *seconds)
{
	struct err err;
	uint64_t ms;
	if (units_parse_duration(text, &ms, &err) < 0)
		return momctl_fail(MOMCTL_USAGE, "%s: %s", name, err.text);
	*seconds = ms / 1000;
	if (!*seconds)
		return momctl_fail(MOMCTL_USAGE, "%s is a second or more", name);
	return MOMCTL_OK;
}

/* A moment by the calendar; what the format doesn't give is of today. */
static bool read_calendar(const char *text, double *at_s)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"};
	time_t now = time(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm;
		localtime_r(&now, &tm);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		const char *end = strptime(text, formats[i], &tm);
		if (!end || *end)
			continue;
		*at_s = (double)mktime(&tm);
		return true;
	}
	return false;
}

int option_time(const char *name, const char *text, double *at_s)
{
	struct err err;
	uint64_t ms;
	char *end;
	double now_s = (double)time(NULL);
	if (strcmp(text, "now") == 0) {
		*at_s = now_s;
		return MOMCTL_OK;
	}
	if (*text == '@') {
		*at_s = strtod(text + 1, &end);
		if (end > text + 1 && !*end)
			return MOMCTL_OK;
	} else if (read_calendar(text, at_s)) {
		return MOMCTL_OK;
	} else if (units_parse_duration(text, &ms, &err) == 0) {
		*at_s = now_s - (double)ms / 1000;
		return MOMCTL_OK;
	}
	return momctl_fail(MOMCTL_USAGE,
		"%s wants how long ago (\"10min\", \"2h\", \"3d\") or when (\"15:04\", "
		"\"2026-11-23 "
		"15:04\"), "
		"not \"%s\"",
		name, text);
}

const char *option_time_text(char text[OPTION_TIME_TEXT], double at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm;
	strftime(text, OPTION_TIME_TEXT, "%Y-%m-%d %H:%M:%S", localtime_r(&at, &tm));
	return text;
}
