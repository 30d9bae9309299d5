/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static enum log_level log_most = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_most = level;
}

static const char *prefix(enum log_level level)
{
	static const char *const journal[] = {"<3>", "<4>", "<5>", "<6>", "<7>"};
	static const char *const words[] = {
		"error: ", "warning: ", "notice: ", "", "debug: "};
	return getenv("JOURNAL_STREAM") ? journal[level] : words[level];
}

void log_line(enum log_level level, const char *format, ...)
{
	if (level > log_most)
		return;
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	char line[4 * sizeof(text) + 16];
	int length = snprintf(line, sizeof(line), "%s", prefix(level));
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			length += snprintf(line + length, sizeof(line) - (size_t)length,
				"\\x%02x", *c);
		else
			line[length++] = (char)*c;
	}
	line[length++] = '\n';
	/* one write a line: lines of several writers stay whole */
	fwrite(line, 1, (size_t)length, stderr);
	fflush(stderr);
}
