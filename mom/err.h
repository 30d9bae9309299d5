/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What went wrong, in one sentence. A function that can fail returns 0 or a negative
 * errno and takes a `struct err` as its last parameter; the struct lives on the caller's
 * stack and may be NULL where nobody asks.
 */

struct err {
	int code; /* negative errno */
	char text[480];
};

/*
 * Fill `err` and return `code`, so that a failure is one line: `return err_set(err, …)`.
 *
 * Shape:  the text is cut at the size of `err->text`; it has no trailing full stop or
 * newline.
 */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set(), with ": " and the name of the errno behind the text. */
int err_errno(struct err *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put words and ": " before a text that is there already; returns `err->code`. */
int err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Tell one thing more, behind "; " where something is told already. The first code stays.
 * `err` begins zeroed.
 */
void err_also(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
