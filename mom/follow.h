/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a balloon went after it was sent: there, elsewhere by other hands, not all the
 * way, or there without the host gaining anything. A function of its arguments.
 */

#include "mom/model.h"

struct follow_terms {
	uint64_t hold_off_ms; /* after somebody else set the balloon */
	uint64_t
		stuck_ms; /* a balloon that stands short of its target so long is stuck */
	uint64_t stuck_most_ms; /* longest pause before a stuck one is tried again */
	uint64_t step_kib;      /* closer than this, or … */
	double step_ratio;      /* … this part of actual, whichever is more, is there */
};

/* What is remembered of one guest's balloon. */
struct balloon_track {
	bool seen;
	uint32_t boots;
	uint64_t max_kib;    /* the guest's memory when it was last looked at */
	uint64_t target_kib; /* the order that stands; the size found where none was given
			      */
	uint64_t from_kib;   /* where the balloon was when it was given */
	uint64_t taken_kib;  /* the order that QEMU has: a newer one may be refused */
	bool was_arrived;    /* the balloon was there when the latest one was given */
	int64_t ordered_ms;  /* when; 0 never */
	bool raised;         /* it was larger than the one before */
	bool arrived;        /* the balloon has been there since … */
	int64_t arrived_ms;  /* … then */
	uint64_t answer_ms; /* from an order to its arrival, over the last ones; 0 unknown
			     */
	bool reset; /* rebooted: QEMU keeps the old target, so max must be ordered */
	uint64_t last_actual_kib;
	int64_t held_until_ms; /* set by other hands: ours are off until then */

	int64_t moved_ms;       /* when it last came nearer to its target … */
	uint64_t moved_to_kib;  /* … and where that was */
	bool pull_back;         /* QEMU still has the target that can't be reached */
	unsigned stuck_count;   /* times in a row that it stopped short */
	int64_t stuck_until_ms; /* not tried again before; its target is where it stopped
				 */

	bool released;        /* took memory back by itself: it is owed all it may have */
	bool suffered;        /* in distress right after this shrink */
	uint64_t patience_ms; /* how long it isn't shrunk after that; doubles each time */
	int64_t spared_until_ms; /* not shrunk before, but in critical */

	uint64_t proof_from_kib; /* shrunk from here since the last proof; 0 not at all */
	uint64_t proof_kib;      /* the balloon has been here … */
	int64_t proof_ms;        /* … then … */
	bool unproved;           /* … and the host's gain hasn't been seen yet */
	unsigned fruitless;      /* shrinks in a row that brought the host nothing */
	bool fixed; /* its memory can't be taken; left alone until it reboots */

	bool owed_reset, owed_pull_back; /* what the latest order was given for */
	unsigned refused_count;          /* orders in a row that the hypervisor refused */
	int64_t refused_until_ms;        /* none is tried before */
};

enum follow_event {
	FOLLOW_NOTHING,
	FOLLOW_ADOPTED,  /* set by somebody else; its size is the target now */
	FOLLOW_STUCK,    /* stopped short; the target goes back to where it stopped */
	FOLLOW_FIXED,    /* obeys, but the host gains nothing; left alone from now on */
	FOLLOW_RELEASED, /* grew unasked, as a guest out of memory does (autodeflate) */
};

/*
 * Follow one guest's balloon before a tick's decisions.
 *
 * Shape:  brings the track up to date, `target_kib` with it. A reboot forgets everything.
 * Units:  KiB, ms of a monotonic clock; time in which the guest can't act doesn't count.
 */
enum follow_event follow_balloon(struct balloon_track *track,
	const struct guest_facts *facts, const struct follow_terms *terms,
	int64_t now_ms);

/* An order has left: remember it. */
void follow_order(struct balloon_track *track, uint64_t actual_kib, uint64_t target_kib,
	int64_t now_ms);

/* The hypervisor took an order: QEMU heads there, whatever becomes of newer ones. */
void follow_taken(struct balloon_track *track, uint64_t target_kib);

/*
 * It refused the latest one: `result` is a negative errno of mom/hypervisor.h. The order
 * that it took before stands; one that is only late (-ETIMEDOUT) may yet be carried out,
 * so that one stands itself.
 */
void follow_refused(
	struct balloon_track *track, uint64_t actual_kib, int result, int64_t now_ms);

/* The smallest change worth an order to a guest of this size. */
uint64_t follow_step_kib(const struct follow_terms *terms, uint64_t actual_kib);

/* Target for a stuck balloon: where it stopped, with a little slack for the guest. */
uint64_t follow_stuck_target(const struct guest_sample *sample);
