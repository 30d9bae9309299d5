/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/history.h"

#include <string.h>
#include <time.h>

#include "momctl/json.h"

size_t history_lines(struct json_object *answer, const char *kind)
{
	return json_count(json_get(answer, kind));
}

struct history_line history_line(
	struct json_object *answer, const char *kind, size_t index)
{
	struct json_object *line =
		json_object_array_get_idx(json_get(answer, kind), index);
	bool guest = strcmp(kind, "guests") == 0;
	return (struct history_line){
		.name = json_get_text(line, "name"),
		.columns =
			json_get(json_get(answer, "columns"), guest ? "guest" : "pool"),
		.rows = json_get(line, "rows"),
	};
}

static struct json_object *value_at(
	const struct history_line *line, size_t row, const char *column)
{
	struct json_object *values = json_object_array_get_idx(line->rows, row);
	for (size_t i = 0; i < json_count(line->columns); i++) {
		struct json_object *name = json_object_array_get_idx(line->columns, i);
		if (strcmp(json_object_get_string(name), column) == 0)
			return i < json_count(values)
				       ? json_object_array_get_idx(values, i)
				       : NULL;
	}
	return NULL;
}

bool history_number(
	const struct history_line *line, size_t row, const char *column, double *number)
{
	struct json_object *value = value_at(line, row, column);
	bool known = json_object_is_type(value, json_type_int) ||
		     json_object_is_type(value, json_type_double);
	*number = known ? json_object_get_double(value) : 0;
	return known;
}

const char *history_text(const struct history_line *line, size_t row, const char *column)
{
	struct json_object *value = value_at(line, row, column);
	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

/* ---- comma-separated values, RFC 4180 ---- */

static void put_cell(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_value(FILE *out, struct json_object *value)
{
	fputc(',', out);
	put_cell(out, value ? json_object_get_string(value) : "");
}

void history_csv_head(FILE *out, struct json_object *answer, const char *kind)
{
	struct history_line line = history_line(answer, kind, 0);
	fprintf(out, "name,time");
	for (size_t i = 0; i < json_count(line.columns); i++)
		put_value(out, json_object_array_get_idx(line.columns, i));
	fputs("\r\n", out);
}

/* "2026-11-23T15:04:05Z": the same wherever it is read. */
static void put_time(FILE *out, struct json_object *at)
{
	char text[32];
	struct tm tm;
	time_t at_s = (time_t)json_object_get_int64(at);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at_s, &tm));
	fprintf(out, ",%s", text);
}

void history_csv(FILE *out, struct json_object *answer, const char *kind)
{
	for (size_t i = 0; i < history_lines(answer, kind); i++) {
		struct history_line line = history_line(answer, kind, i);
		for (size_t n = 0; n < json_count(line.rows); n++) {
			struct json_object *row = json_object_array_get_idx(line.rows, n);
			put_cell(out, line.name);
			put_time(out, json_object_array_get_idx(row, 0));
			for (size_t c = 0; c < json_count(row); c++)
				put_value(out, json_object_array_get_idx(row, c));
			fputs("\r\n", out);
		}
	}
}
