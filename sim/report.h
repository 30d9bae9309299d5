/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What runs came to, for people and for programs. */

#include <stdio.h>

#include "sim/run.h"

/* A table: a row a metric, a column a run. */
void report_table(FILE *out, const struct run_result *const *results, size_t count);

/* One run's guests, a row each. */
void report_guests(FILE *out, const struct run_result *result);

/* The runs as one JSON array. Two runs that went alike give the same text. */
void report_json(FILE *out, const struct scenario *scenario,
	const struct run_result *const *results, size_t count);

/* A text in quotes, as JSON has it. */
void report_text(FILE *out, const char *text);

/* A metric's value as people read it, without its unit. */
#define REPORT_VALUE_MAX 32
const char *report_value(
	char text[REPORT_VALUE_MAX], const struct metric *metric, double value);
