/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From wishes to a safe plan. A policy may be wrong, hostile or from another system: the
 * guard turns what it wishes into orders that satisfy every invariant, or drops the wish
 * with a reason. Functions of their arguments, as all that decides.
 */

#include "mom/follow.h"
#include "mom/model.h"

struct guard_terms {
	struct follow_terms follow; /* the smallest order is the smallest step there */
	uint64_t settle_ms;         /* no order against one given less than this ago */
	double shrink_ratio;        /* largest shrink a tick, of actual */
	uint64_t safety_kib;        /* never below used + this, but in critical */
};

/* One guest, as handed to guard_plan(). */
struct guard_guest {
	const struct guest_facts *facts;
	enum guest_state state;
	bool fresh; /* statistics may be shrunk by (G2) */
	const struct wish *wish;
	struct balloon_track *track;
	void *owner; /* the caller's own */
	/* results */
	bool ordered;
	uint64_t to_kib;
	char verdict[REASON_MAX]; /* what was changed or dropped, and why; "" nothing */
	/* in between */
	uint64_t fair_kib; /* its share of what can be divided, within its bounds */
	bool yields;       /* it has more, and another one starves on less */
	bool vital;        /* it does, and one that boots counts on it */
	const char *rest;  /* why nothing is taken from it for now; NULL */
	const char *own;   /* why the guard orders this by itself; NULL it was wished */
	int64_t delta_kib; /* what the wish would add to the cost */
};

/* A book that the plan must not overdraw (G4). */
struct guard_ledger {
	uint64_t budget_kib;
	uint64_t cost_kib; /* of all its guests, managed or not, before the plan */
	uint64_t reserve_kib;
	uint64_t divisible_kib; /* for the guests of this book that are managed */
};

/*
 * Turn the wishes for the guests of one pool into orders, appended to `plan`, shrinks
 * first.
 *
 * Shape:  `pool` is their own book, `host` the whole machine's; both are brought up to
 * date with what is granted. `critical` and `roomy` follow the host's state. Returns KiB
 * that could still be taken from the guests above their floors.
 */
uint64_t guard_plan(struct guard_guest *guests, size_t count, enum host_state state,
	struct guard_ledger *pool, struct guard_ledger *host,
	const struct guard_terms *terms, int64_t now_ms, struct plan *plan);

/*
 * The guard stood down: every wish is an order, within the guest's configured memory.
 * For seeing what a policy would do on its own, as another manager's does at home.
 */
void guard_obey(struct guard_guest *guests, size_t count, struct plan *plan);
