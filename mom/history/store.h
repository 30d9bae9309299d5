/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The history in SQLite: rows of figures and events, in a file or in memory. Rows are of
 * three levels, as fine as they came, a minute and ten minutes; what grows old goes up.
 * Time is handed in. Single-threaded.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "mom/err.h"
#include "mom/history/series.h"

struct sqlite3;
struct sqlite3_stmt;
struct store;

#define STORE_VERSION 1 /* user_version of the database */

/* Why a store can't be used, beside errnos of the system. */
#define STORE_BROKEN (-EBADMSG) /* it is no database of ours, or a damaged one */
#define STORE_NEWER  (-EPROTO)  /* a newer mom wrote it */

struct store_event {
	uint64_t id;
	int64_t at_ms;
	const char *level, *kind, *text;
	const char *key, *name; /* of the guest or pool; NULL of none */
	enum series_kind of;
	const char *details; /* the other members as a JSON object; NULL none */
};

/* How long what is kept, in seconds. */
struct store_terms {
	int64_t fine_s;   /* then it is a row a minute … */
	int64_t minute_s; /* … then one in ten minutes … */
	int64_t keep_s;   /* … then gone */
};

/*
 * Open or create; a `path` of NULL is memory. Waits for another one that writes.
 *
 * Errors: STORE_BROKEN, STORE_NEWER; -ENOSPC, -ENOENT, … of the system; -EIO.
 */
int store_open(struct store **store, const char *path, struct err *err);
void store_close(struct store *store); /* accepts NULL */

/* Between these, nothing or all of what is put is written. Errors: as store_open(). */
int store_begin(struct store *store, struct err *err);
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);

/* A row of the guest or pool `key` (UUID or path). A row of the same time is replaced. */
int store_put_row(struct store *store, const char *key, const char *name,
	const struct series *row, const char *why, struct err *err);
int store_put_event(
	struct store *store, const struct store_event *event, struct err *err);

/*
 * Make old rows coarser and drop what is too old: a piece of it in a transaction of its
 * own. 1 where there may be more to do, 0 nothing.
 */
int store_age(struct store *store, const struct store_terms *terms, int64_t now_s,
	struct err *err);

/* Forget names that nothing is kept of any more; reads all, so not too often. */
int store_tidy(struct store *store, struct err *err);

/* Drop the oldest until what is left takes no more than that. */
int store_shrink(struct store *store, uint64_t size_kib, struct err *err);

/* Empty it. */
int store_clear(struct store *store, struct err *err);

/* A row as it is read; texts live until the next one. */
struct store_row {
	const char *key, *name;
	struct series series;
	int64_t why; /* for store_why(); 0 none */
};

/* The latest guest of that name or UUID; 0 none. */
int64_t store_find_guest(struct store *store, const char *guest);

/*
 * Read rows from `since_s` to before `until_s`, the oldest first; `subject` as found, 0
 * all. A callback that doesn't give 0 ends it.
 */
int store_read_rows(struct store *store, enum series_kind kind, int64_t subject,
	int64_t since_s, int64_t until_s,
	int (*each)(void *context, const struct store_row *row), void *context,
	struct err *err);

/* The text of `why`; valid until the next call. NULL none. */
const char *store_why(struct store *store, int64_t why);

/* Read events, the latest first; `subject` as found, 0 all; debug ones where asked for.
 */
int store_read_events(struct store *store, int64_t subject, int64_t since_ms,
	int64_t until_ms, bool debug,
	int (*each)(void *context, const struct store_event *event), void *context,
	struct err *err);

/* What its file takes, without what is still in the log beside it. */
uint64_t store_size_kib(struct store *store);
