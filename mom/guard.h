/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From wishes to a safe plan. A policy may be wrong, hostile or from another system: the
 * guard turns what it wishes into orders that satisfy every invariant, or drops the wish
 * with a reason. Functions of their arguments, as all that decides.
 */

#include "mom/model.h"

struct guard_terms {
	uint64_t settle_ms;   /* no order against one given less than this ago */
	uint64_t hold_off_ms; /* after somebody else set the balloon */
	double shrink_ratio;  /* largest shrink a tick, of actual */
	uint64_t safety_kib;  /* never below used + this, but in critical */
	uint64_t step_kib;    /* smallest order, with … */
	double step_ratio;    /* … this part of actual, whichever is more */
};

/* What guarding remembers of one guest. */
struct guard_track {
	bool seen;
	uint32_t boots;
	uint64_t target_kib; /* the order that stands; the size found where none was given
			      */
	uint64_t from_kib;   /* where the balloon was when it was given */
	int64_t ordered_ms;  /* when, 0 never */
	bool arrived;        /* the balloon has been there since */
	bool reset; /* rebooted: QEMU keeps the old target, so max must be ordered */
	uint64_t last_actual_kib;
	int64_t held_until_ms; /* hands off until then */
};

enum guard_event {
	GUARD_NOTHING,
	GUARD_ADOPTED, /* the balloon was set by somebody else; its size is the target now
			*/
};

/*
 * Follow one guest's balloon before a tick's decisions: find out whether it went where it
 * was sent (G10), forget orders given before a reboot (G3). Brings `target_kib` and
 * `held_until_ms` up to date.
 */
enum guard_event guard_follow(struct guard_track *track, const struct guest_facts *facts,
	const struct guard_terms *terms, int64_t now_ms);

/* One guest, as handed to guard_plan(). */
struct guard_guest {
	const struct guest_facts *facts;
	enum guest_state state;
	bool fresh; /* statistics may be shrunk by (G2) */
	const struct wish *wish;
	struct guard_track *track;
	void *owner; /* the caller's own */
	/* results */
	bool ordered;
	uint64_t to_kib;
	char verdict[REASON_MAX]; /* what was changed or dropped, and why; "" nothing */
	/* in between */
	int64_t delta_kib; /* what the wish would add to the cost */
};

/* A book that the plan must not overdraw (G4). */
struct guard_ledger {
	uint64_t budget_kib;
	uint64_t cost_kib; /* of all its guests, managed or not, before the plan */
	uint64_t reserve_kib;
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

/* An order has left: remember it. */
void guard_ordered(struct guard_track *track, uint64_t actual_kib, uint64_t target_kib,
	int64_t now_ms);
