/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/history/store_inside.h"
#include "mom/mem.h"

#define LEVELS 3

int64_t store_find_guest(struct store *store, const char *guest)
{
	int64_t found = 0;
	sqlite3_stmt *find = store_prepare(store, NULL,
		"SELECT id FROM subject WHERE kind = %d AND (key = ?1 OR name = ?1) "
		"ORDER BY key = ?1 DESC, id DESC LIMIT 1",
		(int)SERIES_GUEST);
	sqlite3_bind_text(find, 1, guest, -1, SQLITE_STATIC);
	if (find && sqlite3_step(find) == SQLITE_ROW)
		found = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	return found;
}

static const char *text_at(sqlite3_stmt *statement, int at)
{
	return (const char *)sqlite3_column_text(statement, at);
}

/* A value of another type than ours is one that isn't known. */
static bool number_at(sqlite3_stmt *statement, int at, double *value)
{
	int type = sqlite3_column_type(statement, at);
	*value = sqlite3_column_double(statement, at);
	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

void store_take_row(sqlite3_stmt *statement, int at, struct series *row, int64_t *why)
{
	int64_t span_s = sqlite3_column_int64(statement, at);
	int state = series_state(row->kind, text_at(statement, at + 1));
	row->span_s = span_s > 0 && span_s < 100000 ? (uint32_t)span_s : 1;
	row->state = state < 0 ? 0 : state;
	*why = sqlite3_column_int64(statement, at + 2);
	row->known = 0;
	for (size_t i = 0; i < series_columns(row->kind); i++) {
		double value;
		bool known = number_at(statement, at + 3 + (int)i, &value);
		series_set(row, i, known, value);
	}
}

static int read_row(sqlite3_stmt *statement, enum series_kind kind,
	int (*each)(void *context, const struct store_row *row), void *context)
{
	struct store_row row = {
		.key = text_at(statement, 1),
		.name = text_at(statement, 2),
		.series = {.kind = kind, .at_s = sqlite3_column_int64(statement, 0)},
	};
	store_take_row(statement, 3, &row.series, &row.why);
	return row.key && row.name ? each(context, &row) : 0;
}

/* The coarser ones are the older ones: no more sorting is needed than the key's. */
static int read_level(struct store *store, enum series_kind kind, int level,
	int64_t subject, int64_t since_s, int64_t until_s,
	int (*each)(void *context, const struct store_row *row), void *context,
	struct err *err)
{
	auto_free char *columns = store_columns(kind, "r.");
	sqlite3_stmt *read = store_prepare(store, err,
		"SELECT r.at, s.key, s.name, r.span, r.state, r.why%s FROM %s r "
		"CROSS JOIN subject s ON s.id = r.subject "
		"WHERE r.level = %d AND r.at >= ? AND r.at < ? AND (?3 = 0 OR r.subject "
		"= ?3) "
		"ORDER BY r.at",
		columns, store_tables[kind], level);
	if (!read)
		return store_fail(store, "read", err);
	sqlite3_bind_int64(read, 1, since_s);
	sqlite3_bind_int64(read, 2, until_s);
	sqlite3_bind_int64(read, 3, subject);
	int said, ended = 0;
	while (!ended && (said = sqlite3_step(read)) == SQLITE_ROW)
		ended = read_row(read, kind, each, context);
	int result = ended ? 1 : said == SQLITE_DONE ? 0 : store_fail(store, "read", err);
	sqlite3_finalize(read);
	return result;
}

int store_read_rows(struct store *store, enum series_kind kind, int64_t subject,
	int64_t since_s, int64_t until_s,
	int (*each)(void *context, const struct store_row *row), void *context,
	struct err *err)
{
	int result = 0;
	for (int level = LEVELS; level-- > 0 && result == 0;)
		result = read_level(store, kind, level, subject, since_s, until_s, each,
			context, err);
	return result < 0 ? result : 0;
}

const char *store_why(struct store *store, int64_t why)
{
	sqlite3_stmt *find = store->statements[STATEMENT_WHY];
	sqlite3_reset(find);
	if (!why)
		return NULL;
	sqlite3_bind_int64(find, 1, why);
	return sqlite3_step(find) == SQLITE_ROW ? text_at(find, 0) : NULL;
}

static int read_event(sqlite3_stmt *statement,
	int (*each)(void *context, const struct store_event *event), void *context)
{
	const struct store_event event = {
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.at_ms = sqlite3_column_int64(statement, 1),
		.level = text_at(statement, 2),
		.kind = text_at(statement, 3),
		.text = text_at(statement, 4),
		.details = text_at(statement, 5),
		.of = sqlite3_column_int(statement, 6) == SERIES_GUEST ? SERIES_GUEST
								       : SERIES_POOL,
		.key = text_at(statement, 7),
		.name = text_at(statement, 8),
	};
	return event.level && event.kind && event.text ? each(context, &event) : 0;
}

int store_read_events(struct store *store, int64_t subject, int64_t since_ms,
	int64_t until_ms, bool debug,
	int (*each)(void *context, const struct store_event *event), void *context,
	struct err *err)
{
	sqlite3_stmt *read = store_prepare(store, err,
		"SELECT e.id, e.at_ms, e.level, e.kind, e.text, e.details, s.kind, s.key,"
		" s.name FROM event e LEFT JOIN subject s ON s.id = e.subject "
		"WHERE e.at_ms >= ?1 AND e.at_ms < ?2 AND (?3 = 0 OR e.subject = ?3) "
		"AND (?4 OR e.level <> 'debug') ORDER BY e.at_ms DESC, e.id DESC");
	if (!read)
		return store_fail(store, "read", err);
	sqlite3_bind_int64(read, 1, since_ms);
	sqlite3_bind_int64(read, 2, until_ms);
	sqlite3_bind_int64(read, 3, subject);
	sqlite3_bind_int(read, 4, debug);
	int said, ended = 0;
	while (!ended && (said = sqlite3_step(read)) == SQLITE_ROW)
		ended = read_event(read, each, context);
	int result = ended || said == SQLITE_DONE ? 0 : store_fail(store, "read", err);
	sqlite3_finalize(read);
	return result;
}
