/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/history/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/history/store_inside.h"
#include "mom/mem.h"

#define BUSY_MS 2000 /* for somebody who looks into it with another program */

const char *const store_tables[SERIES_KIND_COUNT] = {
	[SERIES_POOL] = "pool_row",
	[SERIES_GUEST] = "guest_row",
};

/* ---- SQLite ---- */

static int code_of(struct store *store, int said)
{
	int system = sqlite3_system_errno(store->db);
	switch (said & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return STORE_BROKEN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return system > 0 ? -system : -EIO;
	}
}

int store_fail(struct store *store, const char *what, struct err *err)
{
	int said = sqlite3_extended_errcode(store->db);
	int code = code_of(store, said);
	const char *text = sqlite3_errmsg(store->db);
	if (code != STORE_BROKEN && code != -EBUSY)
		text = strerror(-code);
	return err_set(err, code, "cannot %s \"%s\": %s", what, store->name, text);
}

int store_run(struct store *store, struct err *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	auto_free char *sql = mem_vprintf(format, args);
	va_end(args);
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, "write", err);
	return 0;
}

sqlite3_stmt *store_prepare(struct store *store, struct err *err, const char *format, ...)
{
	sqlite3_stmt *statement = NULL;
	va_list args;
	va_start(args, format);
	auto_free char *sql = mem_vprintf(format, args);
	va_end(args);
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		store_fail(store, "read", err);
	return statement;
}

int store_number(struct store *store, int64_t *number, bool *known, struct err *err,
	const char *format, ...)
{
	sqlite3_stmt *statement;
	va_list args;
	va_start(args, format);
	auto_free char *sql = mem_vprintf(format, args);
	va_end(args);
	statement = store_prepare(store, err, "%s", sql);
	int result = statement && sqlite3_step(statement) == SQLITE_ROW
			     ? 0
			     : store_fail(store, "read", err);
	if (result == 0) {
		*known = sqlite3_column_type(statement, 0) != SQLITE_NULL;
		*number = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return result;
}

/* ---- the tables ---- */

char *store_columns(enum series_kind kind, const char *before)
{
	char *text = mem_dup("");
	for (size_t i = 0; i < series_columns(kind); i++) {
		char *longer = mem_printf(
			"%s, %s%s", text, before, series_column(kind, i)->name);
		free(text);
		text = longer;
	}
	return text;
}

static int create(struct store *store, struct err *err)
{
	static const char tables[] =
		"BEGIN IMMEDIATE;"
		"CREATE TABLE subject(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
		" key TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(kind, key));"
		"CREATE INDEX subject_name ON subject(name);"
		"CREATE TABLE why(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
		"CREATE TABLE event(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
		" level TEXT NOT NULL, kind TEXT NOT NULL, subject INTEGER,"
		" text TEXT NOT NULL, details TEXT);"
		"CREATE INDEX event_at ON event(at_ms);"
		"CREATE INDEX event_debug ON event(at_ms) WHERE level = 'debug';";
	auto_free char *pool = store_columns(SERIES_POOL, "");
	auto_free char *guest = store_columns(SERIES_GUEST, "");
	return store_run(store, err,
		"%s"
		"CREATE TABLE pool_row(level INTEGER, at INTEGER, subject INTEGER,"
		" span INTEGER, state TEXT, why INTEGER%s,"
		" PRIMARY KEY(level, at, subject)) WITHOUT ROWID;"
		"CREATE TABLE guest_row(level INTEGER, at INTEGER, subject INTEGER,"
		" span INTEGER, state TEXT, why INTEGER%s,"
		" PRIMARY KEY(level, at, subject)) WITHOUT ROWID;"
		"PRAGMA user_version = %d; COMMIT",
		tables, pool, guest, STORE_VERSION);
}

static sqlite3_stmt *prepare_put(
	struct store *store, enum series_kind kind, struct err *err)
{
	auto_free char *columns = store_columns(kind, "");
	auto_free char *marks = mem_alloc(3 * series_columns(kind) + 1);
	for (size_t i = 0; i < series_columns(kind); i++)
		memcpy(marks + 3 * i, ", ?", 3);
	return store_prepare(store, err,
		"INSERT OR REPLACE INTO %s(level, at, subject, span, state, why%s) "
		"VALUES(?, ?, ?, ?, ?, ?%s)",
		store_tables[kind], columns, marks);
}

static int foreign(struct store *store, struct err *err)
{
	return err_set(err, STORE_BROKEN, "\"%s\" is not momd's", store->name);
}

static int prepare(struct store *store, struct err *err)
{
	static const char *const texts[STATEMENT_COUNT] = {
		[STATEMENT_FIND_SUBJECT] =
			"SELECT id, name FROM subject WHERE kind = ? AND key = ?",
		[STATEMENT_ADD_SUBJECT] =
			"INSERT INTO subject(kind, key, name) VALUES(?, ?, ?) "
			"ON CONFLICT(kind, key) DO UPDATE SET name = excluded.name",
		[STATEMENT_FIND_WHY] = "SELECT id FROM why WHERE text = ?",
		[STATEMENT_ADD_WHY] = "INSERT INTO why(text) VALUES(?)",
		[STATEMENT_WHY] = "SELECT text FROM why WHERE id = ?",
		[STATEMENT_PUT_EVENT] =
			"INSERT OR REPLACE INTO event(id, at_ms, level, kind, subject, "
			"text, details) VALUES(?, ?, ?, ?, ?, ?, ?)",
	};
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		store->statements[i] =
			texts[i] ? store_prepare(store, err, "%s", texts[i])
				 : prepare_put(store, (enum series_kind)i, err);
		if (!store->statements[i])
			return sqlite3_errcode(store->db) == SQLITE_ERROR
				       ? foreign(store, err)
				       : err->code;
	}
	return 0;
}

static int set_up(struct store *store, struct err *err)
{
	int64_t version, tables;
	bool known;
	int result = store_run(store, err,
		"PRAGMA cache_size = -128; PRAGMA cell_size_check = ON;"
		"PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
		"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 128;"
		"PRAGMA journal_size_limit = 524288");
	if (result == 0)
		result =
			store_number(store, &version, &known, err, "PRAGMA user_version");
	if (result == 0)
		result = store_number(store, &tables, &known, err,
			"SELECT count(*) FROM sqlite_schema");
	if (result < 0)
		return result;
	if (version > STORE_VERSION)
		return err_set(err, STORE_NEWER, "\"%s\" was written by a newer momd",
			store->name);
	if (version == 0 && tables > 0)
		return foreign(store, err);
	if (version == 0)
		result = create(store, err);
	return result < 0 ? result : prepare(store, err);
}

int store_open(struct store **store, const char *path, struct err *err)
{
	struct store *fresh = mem_alloc(sizeof(*fresh));
	fresh->name = mem_dup(path ? path : "memory");
	int said = sqlite3_open_v2(path ? path : ":memory:", &fresh->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (!fresh->db)
		abort();
	sqlite3_busy_timeout(fresh->db, BUSY_MS);
	struct err local;
	struct err *told = err ? err : &local;
	int result =
		said == SQLITE_OK ? set_up(fresh, told) : store_fail(fresh, "open", told);
	if (result < 0)
		store_close(fresh);
	else
		*store = fresh;
	return result;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close_v2(store->db);
	free(store->name);
	free(store);
}

/* ---- writing ---- */

int store_begin(struct store *store, struct err *err)
{
	return store_run(store, err, "BEGIN IMMEDIATE");
}

int store_commit(struct store *store, struct err *err)
{
	return store_run(store, err, "COMMIT");
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

static int step(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	int said = sqlite3_step(statement);
	int result = said == SQLITE_DONE ? 0 : store_fail(store, "write", err);
	sqlite3_reset(statement);
	return result;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static int add_subject(struct store *store, enum series_kind kind, const char *key,
	const char *name, struct err *err)
{
	sqlite3_stmt *add = store->statements[STATEMENT_ADD_SUBJECT];
	sqlite3_bind_int(add, 1, (int)kind);
	bind_text(add, 2, key);
	bind_text(add, 3, name);
	return step(store, add, err);
}

/* The number of a guest or a pool; a new one where it is new, or has another name. */
static int subject_of(struct store *store, enum series_kind kind, const char *key,
	const char *name, int64_t *subject, struct err *err)
{
	sqlite3_stmt *find = store->statements[STATEMENT_FIND_SUBJECT];
	for (int attempt = 0; attempt < 2; attempt++) {
		sqlite3_bind_int(find, 1, (int)kind);
		bind_text(find, 2, key);
		int said = sqlite3_step(find);
		const char *known = (const char *)sqlite3_column_text(find, 1);
		bool same = said == SQLITE_ROW && known && strcmp(known, name) == 0;
		*subject = sqlite3_column_int64(find, 0);
		sqlite3_reset(find);
		if (said != SQLITE_ROW && said != SQLITE_DONE)
			return store_fail(store, "read", err);
		if (same)
			return 0;
		int result = add_subject(store, kind, key, name, err);
		if (result < 0)
			return result;
	}
	return err_set(
		err, STORE_BROKEN, "\"%s\" forgets what is put into it", store->name);
}

static int why_of(struct store *store, const char *text, int64_t *why, struct err *err)
{
	sqlite3_stmt *find = store->statements[STATEMENT_FIND_WHY];
	sqlite3_stmt *add = store->statements[STATEMENT_ADD_WHY];
	*why = 0;
	if (!text || !*text)
		return 0;
	bind_text(find, 1, text);
	if (sqlite3_step(find) == SQLITE_ROW)
		*why = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (*why)
		return 0;
	bind_text(add, 1, text);
	int result = step(store, add, err);
	*why = sqlite3_last_insert_rowid(store->db);
	return result;
}

static int level_of(const struct series *row)
{
	return row->span_s < 60 ? 0 : row->span_s < 600 ? 1 : 2;
}

int store_put_numbered(struct store *store, int64_t subject, const struct series *row,
	int64_t why, struct err *err)
{
	sqlite3_stmt *put = store->statements[row->kind];
	sqlite3_clear_bindings(put);
	sqlite3_bind_int(put, 1, level_of(row));
	sqlite3_bind_int64(put, 2, row->at_s);
	sqlite3_bind_int64(put, 3, subject);
	sqlite3_bind_int64(put, 4, row->span_s);
	bind_text(put, 5, series_state_name(row->kind, row->state));
	if (why)
		sqlite3_bind_int64(put, 6, why);
	for (size_t i = 0; i < series_columns(row->kind); i++) {
		char text[SERIES_TEXT_MAX];
		if (!series_has(row, i))
			continue;
		if (series_column(row->kind, i)->fraction)
			sqlite3_bind_double(
				put, (int)i + 7, strtod(series_text(text, row, i), NULL));
		else
			sqlite3_bind_int64(put, (int)i + 7, (int64_t)row->values[i]);
	}
	return step(store, put, err);
}

int store_put_row(struct store *store, const char *key, const char *name,
	const struct series *row, const char *why, struct err *err)
{
	int64_t subject, reason = 0;
	int result = subject_of(store, row->kind, key, name, &subject, err);
	if (result == 0)
		result = why_of(store, why, &reason, err);
	return result < 0 ? result : store_put_numbered(store, subject, row, reason, err);
}

int store_put_event(struct store *store, const struct store_event *event, struct err *err)
{
	sqlite3_stmt *put = store->statements[STATEMENT_PUT_EVENT];
	int64_t subject = 0;
	int result = event->key ? subject_of(store, event->of, event->key, event->name,
					  &subject, err)
				: 0;
	if (result < 0)
		return result;
	sqlite3_clear_bindings(put);
	sqlite3_bind_int64(put, 1, (int64_t)event->id);
	sqlite3_bind_int64(put, 2, event->at_ms);
	bind_text(put, 3, event->level);
	bind_text(put, 4, event->kind);
	if (subject)
		sqlite3_bind_int64(put, 5, subject);
	bind_text(put, 6, event->text);
	bind_text(put, 7, event->details);
	return step(store, put, err);
}

int store_clear(struct store *store, struct err *err)
{
	return store_run(store, err,
		"DELETE FROM pool_row; DELETE FROM guest_row; DELETE FROM event;"
		"DELETE FROM subject; DELETE FROM why");
}
