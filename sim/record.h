/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A run as a plot needs it: so many moments, evenly spread. */

#include "sim/world.h"

#define RECORD_MOMENTS 1000

struct record_guest {
	float actual_kib, need_kib, rss_kib, swapped_kib;
};

struct record_moment {
	int64_t at_ms;
	float used_kib, cache_kib, swapped_kib, available_kib;
	enum host_state state;
};

struct record {
	size_t guest_count, count;
	int64_t every_ms, due_ms;
	struct record_moment *moments;
	struct record_guest *guests; /* guest_count a moment */
};

void record_begin(
	struct record *record, const struct sim_world *world, int64_t length_ms);
void record_step(
	struct record *record, const struct sim_world *world, enum host_state state);
void record_done(struct record *record);
