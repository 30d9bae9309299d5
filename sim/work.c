/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/work.h"

#include <math.h>

#include "mom/mem.h"

#define WAVER_MS 5000 /* how often a wavering need changes its mind */

void work_init(struct work *work)
{
	*work = (struct work){
		.touch_rate = 2000,
		.fault_ms = 1,
		.grow_kib_per_s = 640 * 1024,
		.read_kib_per_s = 50 * 1024,
	};
}

void work_done(struct work *work)
{
	free(work->points);
	*work = (struct work){0};
}

struct work_point *work_add(struct work *work)
{
	work->points = mem_grow(
		work->points, work->count, &work->capacity, sizeof(*work->points));
	return &work->points[work->count++];
}

static int64_t in_cycle(const struct work *work, int64_t at_ms)
{
	return work->cycle_ms ? at_ms % work->cycle_ms : at_ms;
}

/* The point that holds at this time: the last one not after it, or the first. */
static size_t point_at(const struct work *work, int64_t at_ms)
{
	size_t low = 0, high = work->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (work->points[middle].at_ms <= at_ms)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Bring the place up to date; time goes forward, so it is found in a step or two. */
static void find_place(const struct work *work, struct work_place *place, int64_t at_ms)
{
	if (place->index >= work->count || work->points[place->index].at_ms > at_ms)
		place->index = 0;
	while (place->index + 1 < work->count &&
		work->points[place->index + 1].at_ms <= at_ms)
		place->index++;
}

static double between(double from, double to, double part)
{
	return from + (to - from) * part;
}

static struct want at_place(const struct work *work, size_t index, int64_t at_ms)
{
	const struct work_point *here = &work->points[index];
	const struct work_point *next = index + 1 < work->count ? here + 1 : here;
	double part = 0;
	if (work->ramp && next != here && at_ms > here->at_ms)
		part = (double)(at_ms - here->at_ms) /
		       (double)(next->at_ms - here->at_ms);
	return (struct want){
		.need_kib = between(here->need_kib, next->need_kib, part),
		.active_kib = between(here->active_kib, next->active_kib, part),
		.cache_kib = between(here->cache_kib, next->cache_kib, part),
	};
}

static void waver(struct want *want, const struct work *work, struct work_place *place,
	int64_t at_ms, struct random *random)
{
	if (work->wander == 0)
		return;
	if (at_ms - place->waver_ms >= WAVER_MS || at_ms < place->waver_ms) {
		place->waver_ms = at_ms;
		place->waver = 2 * random_ratio(random) - 1;
	}
	want->need_kib *= 1 + work->wander * place->waver;
	want->active_kib *= 1 + work->wander * place->waver;
}

struct want work_want(const struct work *work, struct work_place *place, int64_t at_ms,
	struct random *random)
{
	if (!work->count || at_ms < 0)
		return (struct want){0};
	int64_t now_ms = in_cycle(work, at_ms);
	find_place(work, place, now_ms);
	struct want want = at_place(work, place->index, now_ms);
	waver(&want, work, place, at_ms, random);
	return want;
}

static double peak_within(const struct work *work, int64_t from_ms, int64_t to_ms)
{
	size_t i = point_at(work, from_ms);
	double peak = work->points[i].need_kib;
	while (++i < work->count && work->points[i].at_ms <= to_ms)
		peak = fmax(peak, work->points[i].need_kib);
	if (work->ramp && i < work->count)
		peak = fmax(peak, work->points[i].need_kib);
	return peak * (1 + work->wander);
}

double work_peak(const struct work *work, int64_t from_ms, int64_t to_ms)
{
	if (!work->count)
		return 0;
	if (!work->cycle_ms)
		return peak_within(work, from_ms, to_ms);
	if (to_ms - from_ms >= work->cycle_ms)
		return peak_within(work, 0, work->cycle_ms);
	int64_t from = in_cycle(work, from_ms), to = in_cycle(work, to_ms);
	if (from <= to)
		return peak_within(work, from, to);
	return fmax(peak_within(work, from, work->cycle_ms), peak_within(work, 0, to));
}
