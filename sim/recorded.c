/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/recorded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/recording/file.h"
#include "mom/recording/recording.h"
#include "mom/units.h"
#include "sim/words.h"

#define BOOT_MS       1000 /* they ran already */
#define SETTLE_MS     60000
#define SETTLE_PART   10 /* of the length, where that is less */
#define GONE_MS       5000
#define STEP_LEAST_MS 100
#define STEP_MOST_MS  1000
#define STEPS         200000 /* a longer recording is played in larger steps */
#define SAME_PART     200    /* a smaller change of what is needed is none … */
#define SAME_KIB      1024   /* … nor is less than this */

struct terms {
	int64_t from_ms, for_ms;
	double swap;
};

#define TERM(field) offsetof(struct terms, field)
static const struct word_key keys[] = {
	{"from", WORD_TIME, TERM(from_ms)},
	{"for", WORD_TIME, TERM(for_ms)},
	{"swap", WORD_RATIO, TERM(swap)},
	{0},
};

/* A guest as it was recorded, while the file is read. */
struct seen {
	char uuid[UUID_TEXT_MAX];
	size_t guest; /* of the scenario */
	int64_t last_ms;
	bool has_use;
};

struct reading {
	struct scenario *scenario;
	const char *where;
	struct terms terms;
	struct seen *seen;
	size_t count, capacity;
	bool begun;
	int64_t began_ms; /* since the epoch */
	int64_t length_ms;
};

/* ---- the host ---- */

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);
	return !strncmp(path, above, length) && (path[length] == '/' || !path[length]);
}

/* The cgroup that limits all its guests, if there is one. */
static const struct pool_facts *pool_of(const struct recorded_tick *tick)
{
	for (size_t i = 0; i < tick->pool_count; i++) {
		size_t inside = 0;
		for (size_t g = 0; g < tick->guest_count; g++)
			inside += is_below(
				tick->guests[g].facts.cgroup, tick->pools[i].path);
		if (inside && inside == tick->guest_count)
			return &tick->pools[i];
	}
	return NULL;
}

static uint64_t held_kib(const struct recorded_tick *tick)
{
	uint64_t held = 0;
	for (size_t i = 0; i < tick->guest_count; i++) {
		const struct guest_sample *sample = &tick->guests[i].facts.sample;
		held += sample->rss_anon_kib + sample->rss_shmem_kib;
	}
	return held;
}

/* What the guests had to share, and what of it wasn't theirs. */
static void take_host(struct scenario *scenario, const struct recorded_tick *tick)
{
	const struct host_sample *from = &tick->host;
	const struct pool_facts *pool = pool_of(tick);
	struct host_make *host = &scenario->host;
	uint64_t total = from->mem_total_kib;
	uint64_t taken = sub_u64(total, from->mem_usable_kib);
	if (pool) {
		total = min_u64(pool->limit_kib, total);
		taken = sub_u64(total, pool_left_kib(pool));
	}
	if (!host->memory_kib) {
		host->memory_kib = total;
		host->base_kib = min_u64(sub_u64(taken, held_kib(tick)), total / 2);
		host->swap_kib = from->swap_total_kib;
	}
	if (from->cpu_count)
		host->processors = from->cpu_count;
	if (from->has_time && !host->clock_ms)
		host->clock_ms = ((from->time_hour * 60ll + from->time_minute) * 60 +
					 from->time_second) *
				 1000;
}

/* ---- guests ---- */

static void add_setting(struct reading *reading, const char *name, const char *key,
	uint64_t value, const char *unit)
{
	auto_free char *text = mem_printf("%" PRIu64 "%s", value, unit);
	scenario_add_setting(reading->scenario, name, key, text, reading->where);
}

static void add_settings(struct reading *reading, const struct recorded_guest *from)
{
	const struct guest_sample *estimate = &from->estimate;
	const char *name = from->facts.name;
	auto_free char *buffer = mem_printf("%.10g", estimate->buffer_ratio);
	if (!estimate->shares)
		return; /* not judged yet */
	add_setting(reading, name, "min", estimate->min_kib, "KiB");
	if (estimate->limit_kib < from->facts.sample.max_kib)
		add_setting(reading, name, "max", estimate->limit_kib, "KiB");
	add_setting(reading, name, "shares", estimate->shares, "");
	scenario_add_setting(reading->scenario, name, "buffer", buffer, reading->where);
}

static struct seen *add_guest(
	struct reading *reading, const struct recorded_guest *from, int64_t at_ms)
{
	struct scenario *scenario = reading->scenario;
	const struct guest_facts *facts = &from->facts;
	scenario_add_work(scenario)->ramp = false;
	struct scenario_guest *guest = scenario_add_guest(scenario);
	*guest = (struct scenario_guest){
		.make = guest_make_usual(), .work = scenario->work_count - 1};
	memcpy(guest->name, facts->name, sizeof(guest->name));
	guest->make.max_kib = facts->sample.max_kib;
	if (facts->sample.has_overhead)
		guest->make.overhead_kib = facts->sample.overhead_kib;
	guest->make.swap_kib =
		(uint64_t)(reading->terms.swap * (double)facts->sample.max_kib);
	guest->make.windows = facts->windows;
	guest->make.boot_ms = BOOT_MS;
	guest->make.kernel_kib = 0; /* what it used is its kernel's, too */
	guest->start_ms = at_ms;
	guest->shift_ms = at_ms + BOOT_MS;
	add_settings(reading, from);
	reading->seen = mem_grow(reading->seen, reading->count, &reading->capacity,
		sizeof(*reading->seen));
	struct seen *seen = &reading->seen[reading->count++];
	*seen = (struct seen){.guest = scenario->guest_count - 1};
	memcpy(seen->uuid, facts->uuid, sizeof(seen->uuid));
	return seen;
}

static struct seen *seen_of(
	struct reading *reading, const struct recorded_guest *from, int64_t at_ms)
{
	for (size_t i = 0; i < reading->count; i++)
		if (strcmp(reading->seen[i].uuid, from->facts.uuid) == 0)
			return &reading->seen[i];
	return from->facts.sample.max_kib ? add_guest(reading, from, at_ms) : NULL;
}

/* What it used, and what it held beside for its files. */
static bool use_of(const struct recorded_guest *from, struct work_point *point)
{
	const struct guest_sample *sample = &from->facts.sample;
	if (!from->estimate.has_used || !sample->has_actual)
		return false;
	uint64_t rest = sub_u64(sample->actual_kib, from->estimate.used_kib);
	point->need_kib = point->active_kib = (double)from->estimate.used_kib;
	point->cache_kib =
		(double)(sample->has_unused ? sub_u64(rest, sample->unused_kib) : 0);
	return true;
}

static bool is_same(double a, double b)
{
	double apart = a > b ? a - b : b - a;
	return apart < SAME_KIB || apart * SAME_PART < a;
}

/* A step of its course, where it differs from the one before. */
static void add_use(struct reading *reading, struct seen *seen,
	const struct recorded_guest *from, int64_t at_ms)
{
	struct scenario_guest *guest = &reading->scenario->guests[seen->guest];
	struct work *work = reading->scenario->works[guest->work];
	struct work_point point = {.at_ms = at_ms};
	seen->last_ms = at_ms;
	if (!use_of(from, &point))
		return;
	const struct work_point *last =
		work->count ? &work->points[work->count - 1] : NULL;
	if (last && (last->at_ms >= at_ms ||
			    (is_same(last->need_kib, point.need_kib) &&
				    is_same(last->cache_kib, point.cache_kib))))
		return;
	if (!last)
		guest->make.boot_touch_kib = point.need_kib;
	*work_add(work) = point;
}

/* ---- the file ---- */

static void take_tick(struct reading *reading, const struct recorded_tick *tick)
{
	if (!reading->begun) {
		reading->began_ms = tick->clock_ms;
		reading->begun = true;
	}
	int64_t at_ms = tick->clock_ms - reading->began_ms - reading->terms.from_ms;
	if (at_ms < 0 || at_ms < reading->length_ms ||
		(reading->terms.for_ms && at_ms > reading->terms.for_ms))
		return;
	if (!reading->count)
		take_host(reading->scenario, tick);
	reading->length_ms = at_ms;
	for (size_t i = 0; i < tick->guest_count; i++) {
		struct seen *seen = seen_of(reading, &tick->guests[i], at_ms);
		if (seen)
			add_use(reading, seen, &tick->guests[i], at_ms);
	}
}

static int read_ticks(
	struct reading *reading, struct recording_file *file, struct err *err)
{
	struct recording_line line = {0};
	struct recorded_tick tick;
	for (;;) {
		int r = recording_next(file, &line, err);
		if (r < 0 || line.kind == RECORDING_END)
			return r;
		if (line.kind != RECORDING_TICK)
			continue;
		r = recorded_tick_read(&tick, line.data, err);
		if (r < 0)
			return recording_fail(file, err);
		take_tick(reading, &tick);
		recorded_tick_done(&tick);
	}
}

/* Who was gone before the end goes. */
static void add_ends(const struct reading *reading)
{
	struct scenario *scenario = reading->scenario;
	for (size_t i = 0; i < reading->count; i++) {
		const struct seen *seen = &reading->seen[i];
		if (reading->length_ms - seen->last_ms < GONE_MS)
			continue;
		scenario->deeds = mem_grow(scenario->deeds, scenario->deed_count,
			&scenario->deed_capacity, sizeof(*scenario->deeds));
		scenario->deeds[scenario->deed_count++] = (struct scenario_deed){
			.match = mem_dup(scenario->guests[seen->guest].name),
			.event = {.at_ms = seen->last_ms, .deed = DEED_STOP},
		};
	}
}

static void settle(const struct reading *reading)
{
	struct scenario *scenario = reading->scenario;
	if (!scenario->length_ms)
		scenario->length_ms = reading->length_ms;
	scenario->settle_ms =
		(int64_t)min_u64(SETTLE_MS, (uint64_t)scenario->length_ms / SETTLE_PART);
	scenario->step_ms = (int64_t)clamp_u64(
		(uint64_t)scenario->length_ms / STEPS, STEP_LEAST_MS, STEP_MOST_MS);
}

int recorded_read_line(struct scenario *scenario, const char *where, char **words,
	size_t count, struct err *err)
{
	struct reading reading = {
		.scenario = scenario, .where = where, .terms = {.swap = 0.25}};
	struct recording_file *file;
	if (count < 1)
		return err_set(err, -EINVAL, "expected recording FILE …");
	for (size_t i = 1; i < count; i++) {
		int r = word_assign(keys, words[i], &reading.terms, err);
		if (r < 0)
			return r;
	}
	int r = recording_open(&file, words[0], err);
	if (r < 0)
		return r;
	r = read_ticks(&reading, file, err);
	recording_close(file);
	if (r == 0 && (!reading.count || reading.length_ms < STEP_LEAST_MS))
		r = err_set(err, -EINVAL, "\"%s\" has no guests to be played, or no time",
			words[0]);
	if (r == 0) {
		add_ends(&reading);
		settle(&reading);
	}
	free(reading.seen);
	return r;
}
