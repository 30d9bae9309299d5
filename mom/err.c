/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Write behind what `err->text` holds; what doesn't fit is cut. */
__attribute__((format(printf, 3, 0))) static void append(
	struct err *err, size_t length, const char *format, va_list args)
{
	if (length < sizeof(err->text))
		vsnprintf(err->text + length, sizeof(err->text) - length, format, args);
}

__attribute__((format(printf, 2, 3))) static void append_text(
	struct err *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	append(err, strlen(err->text), format, args);
	va_end(args);
}

int err_set(struct err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	va_list args;
	va_start(args, format);
	append(err, 0, format, args);
	va_end(args);
	err->code = code;
	return code;
}

int err_errno(struct err *err, int errnum, const char *format, ...)
{
	if (!err)
		return -errnum;
	va_list args;
	va_start(args, format);
	append(err, 0, format, args);
	va_end(args);
	append_text(err, ": %s", strerror(errnum));
	err->code = -errnum;
	return -errnum;
}

int err_prefix(struct err *err, const char *format, ...)
{
	if (!err)
		return 0;
	struct err old = *err;
	va_list args;
	va_start(args, format);
	append(err, 0, format, args);
	va_end(args);
	append_text(err, ": %s", old.text);
	return err->code;
}

void err_also(struct err *err, int code, const char *format, ...)
{
	if (!err)
		return;
	if (err->code)
		append_text(err, "; ");
	else
		err->text[0] = '\0';
	va_list args;
	va_start(args, format);
	append(err, strlen(err->text), format, args);
	va_end(args);
	if (!err->code)
		err->code = code;
}
