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

/* How many bytes here are a control character: terminals know those beyond ASCII, too. */
static size_t control_bytes(const unsigned char *c)
{
	if (*c < ' ' || *c == 0x7f)
		return 1;
	return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
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
	size_t hidden = 0;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		hidden = hidden ? hidden : control_bytes(c);
		if (hidden)
			length += sprintf(line + length, "\\x%02x", *c);
		else
			line[length++] = (char)*c;
		hidden -= hidden > 0;
	}
	line[length++] = '\n';
	/* one write a line: lines of several writers stay whole */
	fwrite(line, 1, (size_t)length, stderr);
	fflush(stderr);
}
