/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Figures over time as the daemon answers them, and the ways in which they are shown. */

#include "momctl/momctl.h"

/* The rows of one guest or pool, with the names of their columns. */
struct history_line {
	const char *name;
	struct json_object *columns, *rows;
};

size_t history_lines(struct json_object *answer, const char *kind); /* pools, guests */
struct history_line history_line(
	struct json_object *answer, const char *kind, size_t index);

/* A value by its column's name; false, or "", where it isn't known. */
bool history_number(
	const struct history_line *line, size_t row, const char *column, double *number);
const char *history_text(const struct history_line *line, size_t row, const char *column);

/* As comma-separated values: the head, and the rows; `kind` as above. */
void history_csv_head(FILE *out, struct json_object *answer, const char *kind);
void history_csv(FILE *out, struct json_object *answer, const char *kind);

/* As curves: the host, its pools, and the guests. */
void history_plot(FILE *out, struct json_object *answer);
