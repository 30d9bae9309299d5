/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The terminal, by ncurses: what is put on it, in which ink, and which key was pressed.
 * Only what changed since the last picture is sent. With colours or without, with UTF-8
 * or without, the same picture can be read.
 */

#include <stdbool.h>
#include <stddef.h>

#include "mom/err.h"
#include "momctl/output.h"
#include "momctl/top/bar.h"

enum top_ink {
	TOP_INK_PLAIN,
	TOP_INK_DIM,
	TOP_INK_HEAD,
	TOP_INK_GOOD,
	TOP_INK_CARE,
	TOP_INK_BAD,
	TOP_INK_TITLE,  /* the first line, and the names of keys */
	TOP_INK_CHOSEN, /* the guest that keys speak of */
	TOP_INK_OVER,   /* what is used, before what is cached */
	TOP_INK_LINE,   /* a mark, on nothing, on what is used, on what is cached */
	TOP_INK_LINE_USED,
	TOP_INK_LINE_CACHE,
	TOP_INK_PART, /* and each enum top_part from here on */
};

struct top_screen {
	size_t rows, columns;
	bool colour, utf8;
	const struct output *output; /* how sizes are written */
};

/*
 * Take the terminal over.
 *
 * Errors: -ENOTTY standard input or output is none; -EINVAL nobody knows $TERM.
 */
int top_screen_open(
	struct top_screen *screen, const struct output *output, struct err *err);

/* Give it back as it was. */
void top_screen_close(struct top_screen *screen);

/* Between these two a picture is drawn from nothing. */
void top_screen_begin(struct top_screen *screen);
void top_screen_end(struct top_screen *screen);

/* Send everything at the next end, whatever the terminal shows. */
void top_screen_repaint(struct top_screen *screen);

/* The next key that was pressed (enum top_key), or TOP_KEY_NONE. Never waits. */
int top_screen_key(struct top_screen *screen);

/* Put a clean text, cut to `width`; gives the column behind it. */
size_t top_screen_put(const struct top_screen *screen, size_t row, size_t column,
	size_t width, enum top_ink ink, const char *text);

/* The same of a printf; it is put left, or right where `width` is below 0. */
size_t top_screen_print(const struct top_screen *screen, size_t row, size_t column,
	int width, enum top_ink ink, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Cells of a bar. */
void top_screen_cells(const struct top_screen *screen, size_t row, size_t column,
	size_t count, enum top_part part);

/* A whole row in an ink, to put something on. */
void top_screen_fill(const struct top_screen *screen, size_t row, enum top_ink ink);

/* "366M", or "-" where it isn't known. */
const char *top_screen_size(
	const struct top_screen *screen, char text[SIZE_TEXT_MAX], struct top_kib figure);
