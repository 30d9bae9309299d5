/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/history/store_inside.h"
#include "mom/mem.h"

#define HOUR_S     3600
#define DAY_S      86400
#define LEVELS     3
#define STEPS_MOST 64 /* of shrinking: each a part of what there is */

static const uint32_t level_span_s[LEVELS] = {1, 60, 600};

/* A coarser row in the making. */
struct coarse {
	int64_t subject, why;
	struct series row;
};

struct coarser {
	struct store *store;
	int64_t span_s, at_s; /* what they stand for, from when on */
	struct coarse *items;
	size_t count, capacity;
};

static int write_out(struct coarser *coarser, struct err *err)
{
	int result = 0;
	for (size_t i = 0; i < coarser->count && result == 0; i++) {
		struct coarse *coarse = &coarser->items[i];
		coarse->row.at_s = coarser->at_s;
		coarse->row.span_s = (uint32_t)coarser->span_s;
		result = store_put_numbered(
			coarser->store, coarse->subject, &coarse->row, coarse->why, err);
	}
	coarser->count = 0;
	return result;
}

static struct coarse *coarse_of(struct coarser *coarser, int64_t subject)
{
	for (size_t i = 0; i < coarser->count; i++)
		if (coarser->items[i].subject == subject)
			return &coarser->items[i];
	coarser->items = mem_grow(coarser->items, coarser->count, &coarser->capacity,
		sizeof(*coarser->items));
	struct coarse *fresh = &coarser->items[coarser->count++];
	*fresh = (struct coarse){.subject = subject};
	return fresh;
}

/* Rows come in order of time, so what stands for an earlier time is whole. */
static int take_fine(struct coarser *coarser, sqlite3_stmt *read, enum series_kind kind,
	struct err *err)
{
	struct series row = {.kind = kind, .at_s = sqlite3_column_int64(read, 0)};
	int64_t why, at_s = row.at_s - row.at_s % coarser->span_s;
	if (at_s != coarser->at_s) {
		int result = write_out(coarser, err);
		if (result < 0)
			return result;
	}
	coarser->at_s = at_s;
	store_take_row(read, 2, &row, &why);
	struct coarse *coarse = coarse_of(coarser, sqlite3_column_int64(read, 1));
	series_merge(&coarse->row, &row);
	coarse->why = why ? why : coarse->why;
	return 0;
}

static int make_coarser(struct store *store, enum series_kind kind, int level,
	int64_t from_s, int64_t to_s, struct err *err)
{
	struct coarser coarser = {.store = store, .span_s = level_span_s[level + 1]};
	auto_free char *columns = store_columns(kind, "");
	sqlite3_stmt *read = store_prepare(store, err,
		"SELECT at, subject, span, state, why%s FROM %s WHERE level = %d AND "
		"at >= %lld AND at < %lld ORDER BY at",
		columns, store_tables[kind], level, (long long)from_s, (long long)to_s);
	if (!read)
		return store_fail(store, "read", err);
	int said, result = 0;
	while (result == 0 && (said = sqlite3_step(read)) == SQLITE_ROW)
		result = take_fine(&coarser, read, kind, err);
	if (result == 0 && said != SQLITE_DONE)
		result = store_fail(store, "read", err);
	sqlite3_finalize(read);
	if (result == 0)
		result = write_out(&coarser, err);
	free(coarser.items);
	if (result == 0)
		result = store_run(store, err,
			"DELETE FROM %s WHERE level = %d AND at >= %lld AND at < %lld",
			store_tables[kind], level, (long long)from_s, (long long)to_s);
	return result;
}

/* All in `work`, or nothing of it. */
static int in_transaction(struct store *store, int result, struct err *err)
{
	if (result >= 0)
		result = store_commit(store, err);
	if (result < 0)
		store_rollback(store);
	return result;
}

/* One hour of one level; 1 done, 0 there is none that is old enough. */
static int age_level(struct store *store, enum series_kind kind, int level,
	int64_t before_s, struct err *err)
{
	int64_t oldest_s;
	bool any;
	int result = store_number(store, &oldest_s, &any, err,
		"SELECT min(at) FROM %s WHERE level = %d", store_tables[kind], level);
	int64_t from_s = oldest_s - oldest_s % HOUR_S;
	if (result < 0 || !any || from_s + HOUR_S > before_s)
		return result;
	result = store_begin(store, err);
	if (result < 0)
		return result;
	result = make_coarser(store, kind, level, from_s, from_s + HOUR_S, err);
	result = in_transaction(store, result, err);
	return result < 0 ? result : 1;
}

static int drop_before(struct store *store, int64_t before_s, struct err *err)
{
	long long before = before_s;
	int result = 0;
	for (int kind = 0; kind < SERIES_KIND_COUNT && result == 0; kind++)
		for (int level = 0; level < LEVELS && result == 0; level++)
			result = store_run(store, err,
				"DELETE FROM %s WHERE level = %d AND at < %lld",
				store_tables[kind], level, before);
	return result < 0 ? result
			  : store_run(store, err, "DELETE FROM event WHERE at_ms < %lld",
				    before * 1000);
}

/* What the log was spared is worth less: a day. */
static int drop_old(struct store *store, const struct store_terms *terms, int64_t now_s,
	struct err *err)
{
	int result = store_begin(store, err);
	if (result < 0)
		return result;
	result = drop_before(store, now_s - terms->keep_s, err);
	if (result == 0)
		result = store_run(store, err,
			"DELETE FROM event WHERE level = 'debug' AND at_ms < %lld",
			(long long)(now_s - DAY_S) * 1000);
	return in_transaction(store, result, err);
}

int store_age(struct store *store, const struct store_terms *terms, int64_t now_s,
	struct err *err)
{
	const int64_t ages_s[LEVELS - 1] = {terms->fine_s, terms->minute_s};
	for (int kind = 0; kind < SERIES_KIND_COUNT; kind++) {
		for (int level = 0; level < LEVELS - 1; level++) {
			int result = age_level(store, (enum series_kind)kind, level,
				now_s - ages_s[level], err);
			if (result)
				return result;
		}
	}
	return drop_old(store, terms, now_s, err);
}

/* ---- size ---- */

static uint64_t pages_kib(struct store *store, const char *what)
{
	int64_t pages, bytes;
	bool known;
	if (store_number(store, &pages, &known, NULL, "PRAGMA %s", what) < 0 ||
		store_number(store, &bytes, &known, NULL, "PRAGMA page_size") < 0)
		return 0;
	return (uint64_t)pages * (uint64_t)bytes / 1024;
}

uint64_t store_size_kib(struct store *store)
{
	return pages_kib(store, "page_count");
}

static uint64_t used_kib(struct store *store)
{
	return store_size_kib(store) - pages_kib(store, "freelist_count");
}

static int oldest(struct store *store, int64_t *at_s, bool *any, struct err *err)
{
	return store_number(store, at_s, any, err,
		"SELECT min(at) FROM (SELECT min(at) at FROM pool_row WHERE level = 2 "
		"UNION ALL SELECT min(at) FROM pool_row WHERE level = 1 "
		"UNION ALL SELECT min(at) FROM pool_row WHERE level = 0 "
		"UNION ALL SELECT min(at) FROM guest_row WHERE level = 2 "
		"UNION ALL SELECT min(at) FROM guest_row WHERE level = 1 "
		"UNION ALL SELECT min(at) FROM guest_row WHERE level = 0 "
		"UNION ALL SELECT min(at_ms) / 1000 FROM event)");
}

static int newest(struct store *store, int64_t *at_s, struct err *err)
{
	bool any;
	return store_number(store, at_s, &any, err,
		"SELECT max(at) FROM (SELECT max(at) at FROM pool_row WHERE level = 0 "
		"UNION ALL SELECT max(at) FROM guest_row WHERE level = 0 "
		"UNION ALL SELECT max(at) FROM guest_row WHERE level = 1 "
		"UNION ALL SELECT max(at) FROM guest_row WHERE level = 2 "
		"UNION ALL SELECT max(at_ms) / 1000 FROM event)");
}

/* Nobody is spoken of any more: a guest that is gone for long, a reason not given. */
int store_tidy(struct store *store, struct err *err)
{
	return store_run(store, err,
		"DELETE FROM subject WHERE id NOT IN (SELECT subject FROM guest_row "
		"UNION SELECT subject FROM pool_row UNION SELECT subject FROM event "
		"WHERE subject IS NOT NULL);"
		"DELETE FROM why WHERE id NOT IN (SELECT why FROM guest_row WHERE why IS "
		"NOT NULL)");
}

static int drop_part(struct store *store, struct err *err)
{
	int64_t from_s, to_s;
	bool any;
	int result = oldest(store, &from_s, &any, err);
	if (result == 0)
		result = newest(store, &to_s, err);
	if (result < 0 || !any)
		return result;
	int64_t part_s = (to_s - from_s) / 16 + 1;
	result = store_begin(store, err);
	if (result < 0)
		return result;
	result = drop_before(store, from_s + part_s, err);
	return in_transaction(store, result, err);
}

int store_shrink(struct store *store, uint64_t size_kib, struct err *err)
{
	int result = 0;
	bool shrunk = false;
	for (int i = 0; i < STEPS_MOST && used_kib(store) > size_kib; i++) {
		result = drop_part(store, err);
		if (result < 0)
			return result;
		shrunk = true;
	}
	if (shrunk)
		result = store_tidy(store, err);
	if (result == 0 && store_size_kib(store) > size_kib)
		result = store_run(store, err, "PRAGMA incremental_vacuum");
	return result;
}
