/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What one guest alone may be ordered: its own bounds, statistics, rest and pace. What
 * all may have together stands in guard.c.
 */

#include "mom/guard.h"

#define GUARD_IN_DISTRESS 0.5
#define GUARD_CHUNK_KIB   2048 /* what a Windows balloon moves in */

/* Say why a wish comes to nothing (or is changed); gives false. */
bool guard_drop(struct guard_guest *guest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What an order would add to the guest's cost as it stands now; RAM on huge pages isn't
 * in the books. */
int64_t guard_added_cost(const struct guard_guest *guest, uint64_t to_kib);

/* It has more than it may: a `max` below its configured memory, not reached yet. */
bool guard_is_over(const struct guard_guest *guest);

/* The order is no smaller than the smallest step. */
bool guard_is_worth_it(const struct guard_guest *guest, uint64_t to_kib,
	const struct guard_terms *terms);

/* Decide what this guest alone may be ordered: `to_kib`, `delta_kib`, `ordered`. */
void guard_propose(struct guard_guest *guest, enum host_state state, bool pressed,
	const struct guard_terms *terms, int64_t now_ms);
