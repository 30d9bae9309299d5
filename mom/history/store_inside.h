/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What mom/history/store*.c share: statements, and SQLite's errors as ours. */

#include <sqlite3.h>

#include "mom/history/store.h"

enum {
	STATEMENT_PUT_POOL, /* by series_kind */
	STATEMENT_PUT_GUEST,
	STATEMENT_FIND_SUBJECT,
	STATEMENT_ADD_SUBJECT,
	STATEMENT_FIND_WHY,
	STATEMENT_ADD_WHY,
	STATEMENT_WHY,
	STATEMENT_PUT_EVENT,
	STATEMENT_COUNT,
};

struct store {
	sqlite3 *db;
	char *name; /* for messages */
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

extern const char *const store_tables[SERIES_KIND_COUNT];

/* What SQLite says of the last call, as an error. */
int store_fail(struct store *store, const char *what, struct err *err);

/* Run SQL without results, made by `format`. */
int store_run(struct store *store, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A statement made by `format`; NULL it can't be made. */
sqlite3_stmt *store_prepare(struct store *store, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The one number that SQL made by `format` gives; `*known` false where it is NULL. */
int store_number(struct store *store, int64_t *number, bool *known, struct err *err,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* ", a, b, c": a table's columns of figures, each behind `before`. */
char *store_columns(enum series_kind kind, const char *before);

/* Put a row of a subject whose number is known. */
int store_put_numbered(struct store *store, int64_t subject, const struct series *row,
	int64_t why, struct err *err);

/* Read columns span, state, why, and figures, from number `at` on. */
void store_take_row(sqlite3_stmt *statement, int at, struct series *row, int64_t *why);
