/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mom-history: keeps momd's history in a database. momd starts it and is on the other end
 * of its standard input and output, a line of JSON each: rows, events, questions. It ends
 * when momd does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <json-c/json.h>
#include <sqlite3.h>

#include "mom/control/codec.h"
#include "mom/history/answer.h"
#include "mom/mem.h"

#define LINE_MOST  (256 * 1024)
#define LINES_MOST 250               /* then they are written, whatever the time */
#define HEAP_BYTES (2 * 1024 * 1024) /* what SQLite tries to make do with */

struct writer {
	struct keeper keeper;
	char *line;
	size_t length;
	int64_t due_s; /* the next flush */
	size_t lines;  /* since the last */
};

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

static void say(void *context, enum log_level level, const char *text)
{
	(void)context;
	printf("say %d %s\n", (int)level, text);
	fflush(stdout);
}

static void flush(struct writer *writer)
{
	keeper_flush(&writer->keeper, now_s());
	writer->due_s = now_s() + keeper_flush_s(&writer->keeper);
	writer->lines = 0;
}

/* ---- lines ---- */

static const char *text_of(struct json_object *object, const char *key)
{
	return control_get_text(object, key);
}

static int64_t whole_of(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value)
		       ? json_object_get_int64(value)
		       : 0;
}

static void take_row(struct writer *writer, struct json_object *line)
{
	const char *key = text_of(line, "key"), *name = text_of(line, "name");
	struct json_object *values = json_object_object_get(line, "values"), *value;
	bool guest = strcmp(text_of(line, "row"), "guest") == 0;
	struct series row = {
		.kind = guest ? SERIES_GUEST : SERIES_POOL,
		.at_s = whole_of(line, "at"),
		.span_s = (uint32_t)whole_of(line, "span"),
	};
	int state = series_state(row.kind, text_of(line, "state"));
	row.state = state < 0 ? 0 : state;
	for (size_t i = 0; i < series_columns(row.kind); i++)
		if (json_object_object_get_ex(
			    values, series_column(row.kind, i)->name, &value))
			series_set(&row, i, true, json_object_get_double(value));
	if (key && name)
		keeper_put_row(&writer->keeper, key, name, &row, text_of(line, "why"));
}

/* What has a column of its own in the table, or comes from the guest's or pool's. */
static bool is_told_apart(const char *key)
{
	static const char *const keys[] = {
		"id", "at", "level", "kind", "guest", "uuid", "pool", "text"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void take_event(struct writer *writer, struct json_object *line)
{
	struct json_object *rest = json_object_new_object();
	json_object_object_foreach(line, key, value)
	{
		if (!is_told_apart(key))
			json_object_object_add(rest, key, json_object_get(value));
	}
	const char *uuid = text_of(line, "uuid"), *pool = text_of(line, "pool");
	struct store_event event = {
		.id = (uint64_t)whole_of(line, "id"),
		.at_ms = (int64_t)(json_object_get_double(
					   json_object_object_get(line, "at")) *
					   1000 +
				   0.5),
		.level = text_of(line, "level"),
		.kind = text_of(line, "kind"),
		.text = text_of(line, "text"),
		.of = uuid ? SERIES_GUEST : SERIES_POOL,
		.key = uuid ? uuid : pool,
		.name = uuid ? text_of(line, "guest") : pool,
		.details = json_object_object_length(rest)
				   ? json_object_to_json_string_ext(
					     rest, JSON_C_TO_STRING_PLAIN)
				   : NULL,
	};
	if (event.level && event.kind && event.text && (!event.key || event.name))
		keeper_put_event(&writer->keeper, &event);
	json_object_put(rest);
}

static void answer(struct writer *writer, struct json_object *line)
{
	const struct answer_question question = {
		.guest = text_of(line, "guest"),
		.pools_only = whole_of(line, "pools_only") != 0,
		.since_ms = whole_of(line, "since_ms"),
		.until_ms = whole_of(line, "until_ms"),
		.step_s = whole_of(line, "step_s"),
		.points = whole_of(line, "points"),
	};
	bool events = strcmp(text_of(line, "ask"), "events") == 0;
	auto_free char *json = NULL;
	struct err err = {0};
	int result = (events ? answer_events : answer_series)(
		&writer->keeper, &question, &json, &err);
	int64_t id = whole_of(line, "id");
	if (result < 0)
		printf("fail %" PRId64 " %d %s\n", id, -result, err.text);
	else
		printf("ok %" PRId64 " %s\n", id, json);
	fflush(stdout);
	if (result < 0 && result != -ENOENT)
		keeper_failed(&writer->keeper, &err, now_s());
}

static void take_line(struct writer *writer, const char *text)
{
	struct json_object *line = json_tokener_parse(text);
	if (++writer->lines >= LINES_MOST)
		flush(writer);
	if (text_of(line, "row"))
		take_row(writer, line);
	else if (text_of(line, "ask"))
		answer(writer, line);
	else if (text_of(line, "kind"))
		take_event(writer, line);
	json_object_put(line);
}

/* ---- the loop ---- */

/* Take what is whole; the rest goes to the front. */
static void take_lines(struct writer *writer)
{
	char *begin = writer->line, *end;
	size_t left = writer->length;
	while ((end = memchr(begin, '\n', left))) {
		*end = '\0';
		take_line(writer, begin);
		left -= (size_t)(end + 1 - begin);
		begin = end + 1;
	}
	memmove(writer->line, begin, left);
	writer->length = left == LINE_MOST ? 0 : left; /* no line of momd's */
}

/* False at the end: momd is gone. */
static bool read_some(struct writer *writer)
{
	ssize_t got = read(
		STDIN_FILENO, writer->line + writer->length, LINE_MOST - writer->length);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	writer->length += (size_t)got;
	take_lines(writer);
	return true;
}

static void work(struct writer *writer)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	for (bool more = true; more;) {
		int64_t wait_s = writer->due_s - now_s();
		int64_t most_s = keeper_flush_s(&writer->keeper);
		if (wait_s > most_s) /* the clock was set back */
			wait_s = most_s;
		if (wait_s > 0 && poll(&in, 1, (int)wait_s * 1000) != 0) {
			more = read_some(writer);
			continue;
		}
		flush(writer);
	}
}

/* Whoever watches the host's memory is needed more than what it remembers. */
static void be_expendable(void)
{
	auto_fclose FILE *file = fopen("/proc/self/oom_score_adj", "r+e");
	int score;
	if (file && fscanf(file, "%d", &score) == 1 && score < 0) {
		rewind(file);
		fputs("0\n", file);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr,
			"mom-history: momd starts this; see momd.conf(5), history\n");
		return 2;
	}
	/* it ends when momd does, with what momd said last */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(027);
	be_expendable();
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 128, 64);
	sqlite3_soft_heap_limit64(HEAP_BYTES);
	struct writer writer = {.line = mem_alloc(LINE_MOST + 1)};
	const struct keeper_settings settings = {
		.path = argv[1],
		.keep_s = atoll(argv[2]),
		.size_kib = (uint64_t)atoll(argv[3]),
		.period_s = atoll(argv[4]),
		.say = say,
	};
	keeper_init(&writer.keeper, &settings, now_s());
	writer.due_s = now_s() + keeper_flush_s(&writer.keeper);
	work(&writer);
	keeper_done(&writer.keeper, now_s());
	free(writer.line);
	return EXIT_SUCCESS;
}
