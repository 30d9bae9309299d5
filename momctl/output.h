/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a command writes to, and how: for people, with sizes of three digits, or exact.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mom/units.h"

enum style {
	STYLE_PLAIN,
	STYLE_HEAD,
	STYLE_GOOD,
	STYLE_CARE, /* somebody may want to look */
	STYLE_BAD,  /* somebody should look */
	STYLE_COUNT,
};

struct output {
	FILE *file;
	size_t width; /* columns to fit into; 0 no limit */
	bool colour;
	bool kib; /* sizes as exact KiB */
};

/* For a terminal its width and colours (not with $NO_COLOR), else none of both. */
void output_init(struct output *output, FILE *file);

/* Print a text as it is, in a style. */
void output_styled(const struct output *output, enum style style, const char *text);

/*
 * Print a text, cleaned, in lines that fit: `label` stands before the first, blanks
 * before the others.
 */
void output_line(const struct output *output, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Print many lines, cleaned one by one; tabs stay. */
void output_text(const struct output *output, const char *text);

/* "1.46 GiB", with kib "1530921 KiB"; short "1.46G" and "1530921". */
const char *output_size(
	const struct output *output, char text[SIZE_TEXT_MAX], uint64_t kib);
const char *output_short_size(
	const struct output *output, char text[SIZE_TEXT_MAX], uint64_t kib);
