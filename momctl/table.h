/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Aligned columns. Where the terminal is too narrow, columns that can be missed are left
 * out, then the last column is cut, or goes on below where `wrap` is set.
 */

#include <stdbool.h>
#include <stddef.h>

#include "momctl/output.h"

struct column {
	const char *title;
	bool right;    /* for numbers */
	unsigned drop; /* 1 is left out first; 0 never */
};

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	const struct column *columns;
	size_t column_count;
	struct table_cell *cells;
	size_t cell_count, cell_capacity;
	bool wrap;
};

void table_init(struct table *table, const struct column *columns, size_t count);
void table_done(struct table *table);

/* The next cell, row by row; the text is cleaned and copied. */
void table_add(struct table *table, enum style style, const char *text);
void table_print(const struct table *table, const struct output *output);
