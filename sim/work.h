/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a guest's programs want over time: memory that holds their data, the part of it
 * they touch all the time, and files they would like to have cached.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/random.h"

/* One moment of a course; between two moments the earlier one holds, or a line joins
 * them. */
struct work_point {
	int64_t at_ms;
	double need_kib, active_kib, cache_kib;
};

/* A course of needs; several guests may follow one. */
struct work {
	struct work_point *points; /* by time; owned */
	size_t count, capacity;
	int64_t cycle_ms;      /* begins anew after this, 0 never */
	bool ramp;             /* lines join the points */
	double wander;         /* needs waver by this part, up and down */
	double touch_rate;     /* pages touched a second, when nothing hinders */
	double fault_ms;       /* that a page takes from the guest's swap */
	double grow_kib_per_s; /* new memory is filled so fast at most */
	double read_kib_per_s; /* files are read into the cache so fast */
};

struct want {
	double need_kib, active_kib, cache_kib;
};

void work_init(struct work *work); /* idle, with a usual machine's figures */
void work_done(struct work *work);
struct work_point *work_add(struct work *work);

/* Where a guest stands on its course. */
struct work_place {
	size_t index; /* of the point that holds now */
	double waver; /* -1 … 1 */
	int64_t waver_ms;
};

/* What is wanted `at_ms` into the course; times must not fall from call to call but by a
 * new cycle. */
struct want work_want(const struct work *work, struct work_place *place, int64_t at_ms,
	struct random *random);

/* The most that the course needs between two times: for those who know the future. */
double work_peak(const struct work *work, int64_t from_ms, int64_t to_ms);
