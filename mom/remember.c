/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/remember.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/daemon.h"
#include "mom/describe.h"
#include "mom/events.h"
#include "mom/history/history.h"
#include "mom/mem.h"
#include "mom/units.h"

#define PROGRAM   "mom-history"
#define SPAN_MOST 600 /* seconds of a row, where the history doesn't keep up */

/* One guest or pool in this period. */
struct remembered {
	enum series_kind kind;
	char *key, *name; /* of a guest its UUID; owned */
	struct series row;
	struct guest_counters counters; /* at the last tick */
	bool counted;
	bool seen;                 /* in this tick */
	const struct guest *guest; /* of this tick; NULL it is gone */
};

static void say(void *context, enum log_level level, const char *text)
{
	events_say(context, level, OCCURRENCE_HISTORY, "history: %s", text);
}

/* It is beside momd where that wasn't installed. */
static char *find_program(void)
{
	char own[4096];
	const char *folder = getenv("MOM_LIBEXECDIR");
	if (folder)
		return mem_printf("%s/%s", folder, PROGRAM);
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	own[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(own, '/');
	auto_free char *beside =
		mem_printf("%.*s/%s", slash ? (int)(slash - own) : 0, own, PROGRAM);
	return access(beside, X_OK) == 0 ? take(beside)
					 : mem_dup(MOM_LIBEXECDIR "/" PROGRAM);
}

void remember_begin(struct daemon *daemon)
{
	auto_free char *program = find_program();
	const struct history_env env = {
		.base = daemon->base,
		.program = program,
		.say = say,
		.context = daemon,
	};
	daemon->history = history_open(&env);
	remember_follow(daemon);
}

static uint64_t period_s(const struct daemon *daemon)
{
	return max_u64(daemon->engine.config->history.period_ms / 1000, 1);
}

static void forget(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->remembered_count; i++) {
		free(daemon->remembered[i].key);
		free(daemon->remembered[i].name);
	}
	daemon->remembered_count = 0;
	daemon->remembered_s = 0;
}

void remember_follow(struct daemon *daemon)
{
	const struct config *config = daemon->engine.config;
	const struct history_settings settings = {
		.path = config->history.path,
		.keep_ms = config->history.keep_ms,
		.size_kib = config->history.size_kib,
		.period_ms = period_s(daemon) * 1000,
	};
	history_set(daemon->history, &settings);
	if (!*settings.path)
		forget(daemon);
}

/* ---- figures ---- */

/* They come in the same order every time, but for those that are new or gone. */
static struct remembered *find(
	struct daemon *daemon, size_t hint, enum series_kind kind, const char *key)
{
	for (size_t i = 0; i < daemon->remembered_count; i++) {
		size_t at = (hint + i) % daemon->remembered_count;
		struct remembered *known = &daemon->remembered[at];
		if (known->kind == kind && strcmp(known->key, key) == 0)
			return known;
	}
	daemon->remembered = mem_grow(daemon->remembered, daemon->remembered_count,
		&daemon->remembered_capacity, sizeof(*daemon->remembered));
	struct remembered *fresh = &daemon->remembered[daemon->remembered_count++];
	*fresh = (struct remembered){.kind = kind, .key = mem_dup(key)};
	return fresh;
}

static const char *pool_name(const struct pool *pool)
{
	return *pool->path ? pool->path : "host";
}

static void take_pool(struct daemon *daemon, size_t hint, const struct pool *pool)
{
	const struct host_sample *sample = &pool->sample;
	struct series row = {
		.kind = SERIES_POOL, .span_s = 1, .state = (int)sample->state};
	bool host = sample->has_meminfo;
	series_set(&row, POOL_BUDGET, !pool->blind, (double)sample->budget_kib);
	series_set(&row, POOL_COST, true, (double)sample->cost_kib);
	series_set(&row, POOL_AVAILABLE, !pool->blind, (double)sample->available_kib);
	series_set(
		&row, POOL_AVAILABLE_LEAST, !pool->blind, (double)sample->available_kib);
	series_set(&row, POOL_RESERVE, !pool->blind, (double)sample->reserve_kib);
	series_set(&row, POOL_MEM_TOTAL, host, (double)sample->mem_total_kib);
	series_set(&row, POOL_MEM_USABLE, host, (double)sample->mem_usable_kib);
	series_set(&row, POOL_SWAP_TOTAL, host, (double)sample->swap_total_kib);
	series_set(&row, POOL_SWAP_FREE, host, (double)sample->swap_free_kib);
	series_set(&row, POOL_PSI_SOME, sample->has_psi, sample->psi_some);
	series_set(&row, POOL_PSI_FULL, sample->has_psi, sample->psi_full);
	series_set(&row, POOL_KSM_SAVING, sample->has_ksm,
		(double)kib_from_pages((uint64_t)sample->ksm_pages_sharing, 4096));
	series_set(&row, POOL_GUESTS, true, (double)pool->guest_count);
	struct remembered *known = find(daemon, hint, SERIES_POOL, pool_name(pool));
	series_merge(&known->row, &row);
	mem_replace(&known->name, known->key);
	known->seen = true;
}

/* A counter that went back has begun anew. */
static void set_grown(
	struct series *row, size_t column, bool known, uint64_t before, uint64_t now)
{
	series_set(row, column, known, (double)sub_u64(now, before));
}

static void take_guest(struct daemon *daemon, size_t hint, const struct guest *guest)
{
	const struct guest_sample *sample = &guest->facts.sample;
	const struct guest_counters *now = &guest->facts.counters;
	struct remembered *known = find(daemon, hint, SERIES_GUEST, guest->facts.uuid);
	const struct guest_counters *before = &known->counters;
	struct series row = {
		.kind = SERIES_GUEST, .span_s = 1, .state = (int)guest->state};
	series_set(&row, GUEST_MAX, true, (double)sample->max_kib);
	series_set(&row, GUEST_ACTUAL, sample->has_actual, (double)sample->actual_kib);
	series_set(&row, GUEST_TARGET, sample->has_actual,
		(double)guest->balloon.target_kib);
	series_set(&row, GUEST_USED, sample->has_used, (double)sample->used_kib);
	series_set(&row, GUEST_USED_MOST, sample->has_used, (double)sample->used_kib);
	series_set(&row, GUEST_DEMAND, sample->has_demand, (double)sample->demand_kib);
	series_set(&row, GUEST_COST, true, (double)sample->cost_kib);
	series_set(&row, GUEST_RSS, sample->has_rss, (double)sample->rss_kib);
	series_set(&row, GUEST_SWAP, sample->has_rss, (double)sample->swap_kib);
	set_grown(&row, GUEST_SWAP_IN,
		known->counted && before->has_swap_in && now->has_swap_in,
		before->swap_in_kib, now->swap_in_kib);
	set_grown(&row, GUEST_SWAP_OUT,
		known->counted && before->has_swap_out && now->has_swap_out,
		before->swap_out_kib, now->swap_out_kib);
	set_grown(&row, GUEST_MAJOR_FAULTS,
		known->counted && before->has_major_fault && now->has_major_fault,
		before->major_fault, now->major_fault);
	series_set(&row, GUEST_DISTRESS, sample->has_used, sample->distress);
	series_merge(&known->row, &row);
	known->counters = *now;
	known->counted = true;
	known->seen = true;
	known->guest = guest;
	if (!known->name || strcmp(known->name, guest->facts.name) != 0)
		mem_replace(&known->name, guest->facts.name);
}

static void take_tick(struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;
	size_t hint = 0;
	for (size_t i = 0; i < daemon->remembered_count; i++) {
		daemon->remembered[i].seen = false;
		daemon->remembered[i].guest = NULL;
	}
	for (size_t i = 0; i < engine->pools.count; i++)
		take_pool(daemon, hint++, &engine->pools.items[i]);
	for (size_t i = 0; i < engine->roster.count; i++)
		take_guest(daemon, hint++, engine->roster.guests[i]);
}

static void put_rows(struct daemon *daemon, int64_t span_s)
{
	size_t kept = 0;
	for (size_t i = 0; i < daemon->remembered_count; i++) {
		struct remembered *known = &daemon->remembered[i];
		known->row.at_s = daemon->remembered_s;
		if (known->row.span_s) {
			known->row.span_s = (uint32_t)span_s;
			history_put_series(daemon->history, known->key, known->name,
				&known->row,
				known->guest ? describe_reason(known->guest) : NULL);
		}
		known->row = (struct series){0};
		if (known->seen) {
			daemon->remembered[kept++] = *known;
		} else {
			free(known->key);
			free(known->name);
		}
	}
	daemon->remembered_count = kept;
}

/* Rows begin at whole periods of the clock; one that goes back begins a new row. */
void remember_tick(struct daemon *daemon)
{
	int64_t period = (int64_t)period_s(daemon), now_s = daemon_clock_ms() / 1000;
	int64_t begun_s = now_s - now_s % period;
	if (!*daemon->engine.config->history.path)
		return;
	take_tick(daemon);
	if (!daemon->remembered_s)
		daemon->remembered_s = begun_s;
	int64_t span_s = begun_s - daemon->remembered_s;
	bool wait = history_is_full(daemon->history) && span_s < SPAN_MOST;
	if (span_s == 0 || (span_s > 0 && wait))
		return;
	put_rows(daemon, span_s > 0 && span_s <= SPAN_MOST ? span_s : period);
	daemon->remembered_s = begun_s;
}

void remember_event(struct daemon *daemon, const struct occurrence *occurrence)
{
	if (!daemon->history || history_is_full(daemon->history))
		return;
	struct json_object *event = events_describe(occurrence);
	history_put_event(daemon->history, event);
	json_object_put(event);
}

void remember_end(struct daemon *daemon)
{
	int64_t span_s = daemon_clock_ms() / 1000 - daemon->remembered_s;
	if (daemon->remembered_s && span_s > 0 && span_s <= SPAN_MOST)
		put_rows(daemon, span_s);
	history_close(daemon->history);
	daemon->history = NULL;
	forget(daemon);
	free(daemon->remembered);
}
