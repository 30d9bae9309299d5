/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/history/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "mom/control/codec.h"
#include "mom/mem.h"

#define STORES 2

/* One guest or pool, and its rows as far as they are written. */
struct line {
	enum series_kind kind;
	char *key, *name;
	struct series row; /* in the making */
	int64_t why;
	struct store *why_of;
	char *json;
	size_t length;
	FILE *out;
};

struct lines {
	int64_t step_s;
	struct line **items; /* each stays where it is: its stream knows the place */
	size_t count, capacity, rows;
	struct store *store; /* being read */
};

static void put_text(FILE *out, const char *text)
{
	struct json_object *value = control_json_text(text);
	fputs(value ? json_object_to_json_string_ext(value,
			      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		    : "null",
		out);
	json_object_put(value);
}

/* Opens a text that grows; one that can't is memory that is gone. */
static FILE *open_text(char **text, size_t *length)
{
	FILE *out = open_memstream(text, length);
	if (!out)
		abort();
	return out;
}

/* ---- figures ---- */

static struct line *line_of(
	struct lines *lines, enum series_kind kind, const struct store_row *row)
{
	for (size_t i = 0; i < lines->count; i++)
		if (lines->items[i]->kind == kind &&
			strcmp(lines->items[i]->key, row->key) == 0)
			return lines->items[i];
	lines->items = mem_grow(
		lines->items, lines->count, &lines->capacity, sizeof(*lines->items));
	struct line *line = mem_alloc(sizeof(*line));
	*line = (struct line){.kind = kind, .key = mem_dup(row->key)};
	lines->items[lines->count++] = line;
	return line;
}

static void put_row(struct lines *lines, struct line *line)
{
	char text[SERIES_TEXT_MAX];
	if (!line->row.span_s)
		return;
	if (!line->out)
		line->out = open_text(&line->json, &line->length);
	fprintf(line->out, "%s[%" PRId64, ftell(line->out) ? "," : "",
		line->row.at_s - line->row.at_s % lines->step_s);
	for (size_t i = 0; i < series_columns(line->kind); i++)
		fprintf(line->out, ",%s",
			series_has(&line->row, i) ? series_text(text, &line->row, i)
						  : "null");
	fputc(',', line->out);
	put_text(line->out, series_state_name(line->kind, line->row.state));
	if (line->kind == SERIES_GUEST) {
		fputc(',', line->out);
		put_text(line->out,
			line->why_of ? store_why(line->why_of, line->why) : NULL);
	}
	fputc(']', line->out);
	line->row = (struct series){0};
	line->why_of = NULL;
	lines->rows++;
}

static int take_row(void *context, const struct store_row *row)
{
	struct lines *lines = context;
	struct line *line = line_of(lines, row->series.kind, row);
	mem_replace(&line->name, row->name);
	if (line->row.span_s &&
		line->row.at_s / lines->step_s != row->series.at_s / lines->step_s)
		put_row(lines, line);
	series_merge(&line->row, &row->series);
	if (row->why) {
		line->why = row->why;
		line->why_of = lines->store;
	}
	return lines->rows > ANSWER_ROWS_MOST;
}

static void lines_done(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = lines->items[i];
		if (line->out)
			fclose(line->out);
		free(line->json);
		free(line->key);
		free(line->name);
		free(line);
	}
	free(lines->items);
}

static int read_kind(struct keeper *keeper, struct lines *lines, enum series_kind kind,
	const struct answer_question *question, struct err *err)
{
	struct store *stores[STORES] = {keeper->disk, keeper->memory};
	int64_t since_s = question->since_ms / 1000, until_s;
	since_s -= since_s % lines->step_s;
	until_s = (question->until_ms + 999) / 1000;
	int result = 0;
	for (size_t i = 0; i < STORES && result == 0; i++) {
		int64_t subject = 0;
		lines->store = stores[i];
		if (!lines->store)
			continue;
		if (kind == SERIES_GUEST && question->guest)
			subject = store_find_guest(lines->store, question->guest);
		if (kind == SERIES_POOL || !question->guest || subject)
			result = store_read_rows(lines->store, kind, subject, since_s,
				until_s, take_row, lines, err);
	}
	for (size_t i = 0; i < lines->count && result == 0; i++)
		put_row(lines, lines->items[i]);
	return result;
}

static int by_name(const void *a, const void *b)
{
	const struct line *left = *(struct line *const *)a;
	const struct line *right = *(struct line *const *)b;
	return strverscmp(left->name, right->name);
}

static void put_columns(FILE *out, enum series_kind kind)
{
	fputs("[\"at\"", out);
	for (size_t i = 0; i < series_columns(kind); i++)
		fprintf(out, ",\"%s\"", series_column(kind, i)->name);
	fputs(kind == SERIES_GUEST ? ",\"state\",\"why\"]" : ",\"state\"]", out);
}

static void put_lines(FILE *out, struct lines *lines, enum series_kind kind)
{
	const char *comma = "";
	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = lines->items[i];
		if (line->kind != kind)
			continue;
		fprintf(out, "%s{\"name\":", comma);
		put_text(out, line->name);
		if (kind == SERIES_GUEST) {
			fputs(",\"uuid\":", out);
			put_text(out, line->key);
		}
		if (line->out)
			fflush(line->out);
		fprintf(out, ",\"rows\":[%s]}", line->json ? line->json : "");
		comma = ",";
	}
}

static const char *source(const struct keeper *keeper)
{
	return keeper->disk && !keeper->told ? "disk" : "memory";
}

static char *print_series(const struct keeper *keeper, struct lines *lines,
	const struct answer_question *question)
{
	char *json;
	size_t length;
	FILE *out = open_text(&json, &length);
	if (lines->count)
		qsort(lines->items, lines->count, sizeof(*lines->items), by_name);
	fprintf(out,
		"{\"since\":%" PRId64 ",\"until\":%" PRId64 ",\"step_s\":%" PRId64
		",\"period_s\":%" PRId64 ",\"columns\":{\"pool\":",
		question->since_ms / 1000, question->until_ms / 1000, lines->step_s,
		keeper->settings.period_s);
	put_columns(out, SERIES_POOL);
	fputs(",\"guest\":", out);
	put_columns(out, SERIES_GUEST);
	fputs("},\"pools\":[", out);
	put_lines(out, lines, SERIES_POOL);
	fputs("],\"guests\":[", out);
	put_lines(out, lines, SERIES_GUEST);
	fprintf(out, "],\"from\":\"%s\"}", source(keeper));
	fclose(out);
	return json;
}

/* Whole periods, so that no step has one row less than the next. */
static int64_t step_of(
	const struct keeper *keeper, const struct answer_question *question)
{
	int64_t period_s = keeper->settings.period_s;
	int64_t span_s = (question->until_ms - question->since_ms) / 1000;
	int64_t step_s = question->step_s;
	if (!step_s)
		step_s = (span_s + question->points - 1) / question->points;
	step_s = (step_s + period_s - 1) / period_s * period_s;
	return step_s < period_s ? period_s : step_s;
}

static bool is_known(const struct keeper *keeper, const char *guest)
{
	return !guest || (keeper->disk && store_find_guest(keeper->disk, guest)) ||
	       store_find_guest(keeper->memory, guest);
}

int answer_series(struct keeper *keeper, const struct answer_question *question,
	char **json, struct err *err)
{
	if (!is_known(keeper, question->guest))
		return err_set(err, -ENOENT, "the history knows no guest \"%s\"",
			question->guest);
	int64_t step_s = step_of(keeper, question);
	int64_t span_s = (question->until_ms - question->since_ms) / 1000;
	for (;; step_s *= 2) {
		struct lines lines = {.step_s = step_s};
		int result = read_kind(keeper, &lines, SERIES_POOL, question, err);
		if (result == 0 && !question->pools_only)
			result = read_kind(keeper, &lines, SERIES_GUEST, question, err);
		bool whole = lines.rows <= ANSWER_ROWS_MOST ||
			     step_s > span_s; /* a row each, and still too many */
		if (result == 0 && whole)
			*json = print_series(keeper, &lines, question);
		lines_done(&lines);
		if (result < 0 || whole)
			return result;
	}
}

/* ---- events ---- */

struct found {
	int64_t most;
	char **items; /* the latest first */
	size_t count, capacity;
};

static void put_member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	put_text(out, text);
}

static char *print_event(const struct store_event *event)
{
	char *json;
	size_t length;
	bool guest = event->key && event->of == SERIES_GUEST;
	FILE *out = open_text(&json, &length);
	fprintf(out, "{\"id\":%" PRIu64 ",\"at\":%" PRId64 ".%03d", event->id,
		event->at_ms / 1000, (int)(event->at_ms % 1000));
	put_member(out, "level", event->level);
	put_member(out, "kind", event->kind);
	put_member(out, "guest", guest ? event->name : NULL);
	put_member(out, "uuid", guest ? event->key : NULL);
	put_member(out, "pool", guest ? NULL : event->key);
	put_member(out, "text", event->text);
	if (event->details && strlen(event->details) > 2)
		fprintf(out, ",%s", event->details + 1); /* with its brace */
	else
		fputc('}', out);
	fclose(out);
	return json;
}

static int take_event(void *context, const struct store_event *event)
{
	struct found *found = context;
	if (found->count > (size_t)found->most)
		return 1;
	found->items = mem_grow(
		found->items, found->count, &found->capacity, sizeof(*found->items));
	found->items[found->count++] = print_event(event);
	return 0;
}

/* What isn't on the disk yet is the latest. */
static int read_events(struct keeper *keeper, const struct answer_question *question,
	struct found *found, struct err *err)
{
	struct store *stores[STORES] = {keeper->memory, keeper->disk};
	int result = 0;
	for (size_t i = 0; i < STORES && result == 0; i++) {
		int64_t subject = 0;
		if (stores[i] && question->guest)
			subject = store_find_guest(stores[i], question->guest);
		if (stores[i] && (subject || !question->guest))
			result = store_read_events(stores[i], subject, question->since_ms,
				question->until_ms, false, take_event, found, err);
	}
	return result;
}

int answer_events(struct keeper *keeper, const struct answer_question *question,
	char **json, struct err *err)
{
	struct found found = {.most = question->points};
	if (!is_known(keeper, question->guest))
		return err_set(err, -ENOENT, "the history knows no guest \"%s\"",
			question->guest);
	int result = read_events(keeper, question, &found, err);
	if (result == 0) {
		size_t length;
		bool more = found.count > (size_t)found.most;
		FILE *out = open_text(json, &length);
		fputs("{\"events\":[", out);
		for (size_t i = more ? (size_t)found.most : found.count; i-- > 0;)
			fprintf(out, "%s%s", found.items[i], i ? "," : "");
		fprintf(out, "],\"more\":%s,\"from\":\"%s\"}", more ? "true" : "false",
			source(keeper));
		fclose(out);
	}
	for (size_t i = 0; i < found.count; i++)
		free(found.items[i]);
	free(found.items);
	return result;
}
