/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Texts from outside, made fit for a terminal: what could move a cursor or hide a name is
 * shown as an escape, everything else that is UTF-8 is kept. Widths are in columns.
 */

#include <stddef.h>

/* Once, before the others: tells the C library how wide characters are. */
void text_init(void);

/*
 * A copy that a terminal shows and never obeys; freed by the caller.
 *
 * Shape:  control characters and bytes that are no UTF-8 become \xNN, characters that
 *         change the direction of writing or have no width of their own \u{NNNN}.
 */
char *text_clean(const char *text);

/* Columns that a clean text takes. */
size_t text_width(const char *text);

/* A copy of at most `width` columns, ended by "…" where it was cut; freed by the caller.
 */
char *text_cut(const char *text, size_t width);

/*
 * Bytes of a clean text to put on a line of `width` columns: to a comma or semicolon,
 * else between words, else within one; all where it fits, never 0 of a text.
 */
size_t text_break(const char *text, size_t width);
