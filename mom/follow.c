/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/follow.h"

#include <errno.h>

#include "mom/mem.h"
#include "mom/units.h"

#define UNDERWAY_MS     3000  /* reports of the balloon lag an order by up to this */
#define SETTLED_MS      2000  /* from arrival until the host's figures tell */
#define MOVE_KIB        256   /* less is no progress */
#define STUCK_FIRST_MS  30000 /* first pause of a stuck balloon; doubles each time */
#define STUCK_SLACK     0.02  /* of actual, given back to a stuck guest … */
#define STUCK_SLACK_KIB (8 * KIB_PER_MIB) /* … and at least this */
#define FRUITLESS_PART  0.75              /* of the memory ordered, still held by QEMU */
#define FRUITLESS_LIMIT 2
#define SMALLEST_PROOF  (32 * KIB_PER_MIB) /* less drowns in QEMU's own moves */
#define UNTOUCHED_PART  0.25  /* of a guest's memory: it is far from running out */
#define REFUSED_MS      1000  /* until the next try; doubles each time … */
#define REFUSED_MOST_MS 60000 /* … up to this … */
#define BUSY_MOST_MS    4000  /* … or this, where a job holds the guest */

uint64_t follow_step_kib(const struct follow_terms *terms, uint64_t actual_kib)
{
	return max_u64(
		terms->step_kib, (uint64_t)(terms->step_ratio * (double)actual_kib));
}

uint64_t follow_stuck_target(const struct guest_sample *sample)
{
	uint64_t slack = max_u64(
		(uint64_t)(STUCK_SLACK * (double)sample->actual_kib), STUCK_SLACK_KIB);
	return min_u64(sample->actual_kib + slack,
		max_u64(sample->limit_kib, sample->actual_kib));
}

static void begin(
	struct balloon_track *track, const struct guest_facts *facts, int64_t now_ms)
{
	uint64_t actual = facts->sample.actual_kib;
	*track = (struct balloon_track){
		.seen = true,
		.boots = facts->boots,
		.max_kib = facts->sample.max_kib,
		.reset = track->seen,
		.target_kib = actual,
		.from_kib = actual,
		.taken_kib = actual,
		.last_actual_kib = actual,
		.arrived = true,
		.arrived_ms = now_ms,
		.moved_ms = now_ms,
		.moved_to_kib = actual,
	};
}

void follow_order(struct balloon_track *track, uint64_t actual_kib, uint64_t target_kib,
	int64_t now_ms)
{
	track->from_kib = track->moved_to_kib = actual_kib;
	track->raised = target_kib > track->target_kib;
	track->target_kib = target_kib;
	track->ordered_ms = track->moved_ms = now_ms;
	track->owed_reset = track->reset;
	track->owed_pull_back = track->pull_back;
	track->was_arrived = track->arrived;
	track->arrived = track->reset = track->pull_back = track->suffered = false;
	track->released = false;
	if (target_kib >= actual_kib) {
		track->unproved = false;
		track->proof_from_kib = 0;
	} else if (!track->proof_from_kib) {
		track->proof_from_kib = actual_kib;
	}
}

void follow_taken(struct balloon_track *track, uint64_t target_kib)
{
	track->refused_count = 0;
	track->taken_kib = target_kib;
}

static void wait_after_refusal(struct balloon_track *track, int result, int64_t now_ms)
{
	uint64_t pause_ms = (uint64_t)REFUSED_MS << min_u64(track->refused_count, 16);
	uint64_t most_ms = result == -EBUSY ? BUSY_MOST_MS : REFUSED_MOST_MS;
	track->refused_count++;
	track->refused_until_ms = now_ms + (int64_t)min_u64(pause_ms, most_ms);
}

void follow_refused(
	struct balloon_track *track, uint64_t actual_kib, int result, int64_t now_ms)
{
	wait_after_refusal(track, result, now_ms);
	if (result == -ETIMEDOUT)
		return;
	/* a target that can't be reached, or is from before a reboot, is none to keep */
	bool owed = track->owed_reset || track->owed_pull_back;
	track->target_kib = owed ? actual_kib : track->taken_kib;
	track->from_kib = track->moved_to_kib = actual_kib;
	track->unproved = false;
	track->proof_from_kib = 0;
	track->reset = track->owed_reset;
	track->pull_back = track->owed_pull_back;
	track->arrived = owed || track->was_arrived;
	track->arrived_ms = track->moved_ms = now_ms;
}

static bool can_act(const struct guest_facts *facts)
{
	return facts->run == GUEST_RUNNING && !facts->busy && !facts->hung;
}

static bool is_shrinking(const struct balloon_track *track)
{
	return track->target_kib < track->from_kib;
}

/* The size went up or down with the maximum, more or less: balloons move meanwhile. */
static bool moves_along(uint64_t before_kib, uint64_t after_kib, uint64_t max_before_kib,
	uint64_t max_after_kib)
{
	uint64_t step = distance_u64(max_before_kib, max_after_kib);
	return distance_u64(before_kib + max_after_kib, after_kib + max_before_kib) <
	       step / 2;
}

/*
 * Memory that is plugged in or out moves the balloon's size, and QEMU's target with it:
 * the balloon itself holds what it held, and nobody took or gave anything.
 */
static void follow_plugging(
	struct balloon_track *track, uint64_t actual_kib, uint64_t max_kib)
{
	uint64_t before_kib = track->max_kib;
	uint64_t *const sizes[] = {&track->target_kib, &track->from_kib,
		&track->taken_kib, &track->last_actual_kib, &track->moved_to_kib};
	track->max_kib = max_kib;
	if (!moves_along(track->last_actual_kib, actual_kib, before_kib, max_kib))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		*sizes[i] = sub_u64(*sizes[i] + max_kib, before_kib);
	track->unproved = false;
	track->proof_from_kib = 0;
}

/* Neither where the order sent it nor on its way there. */
static bool strayed(
	const struct balloon_track *track, uint64_t actual_kib, uint64_t tolerance)
{
	if (track->arrived)
		return true;
	bool shrinking = is_shrinking(track);
	bool past = shrinking ? actual_kib + tolerance < track->target_kib
			      : actual_kib > track->target_kib + tolerance;
	bool away = shrinking ? actual_kib > track->last_actual_kib + tolerance
			      : actual_kib + tolerance < track->last_actual_kib;
	return past || away;
}

/* It was on its way when it was first seen: an order from before a restart, most likely
 * our own. */
static void inherit(struct balloon_track *track, uint64_t actual_kib, int64_t now_ms)
{
	track->target_kib = track->from_kib = track->taken_kib = actual_kib;
	track->arrived_ms = now_ms;
}

/*
 * A balloon that gives way by itself does so for a guest that has touched all it has. A
 * driver that leaves, and an administrator, bring memory that nobody has touched yet.
 */
static bool ran_out(const struct guest_facts *facts)
{
	const struct guest_sample *sample = &facts->sample;
	bool told = facts->keeps_touched && sample->has_rss && sample->has_overhead;
	uint64_t set_aside =
		sample->has_total ? sub_u64(sample->max_kib, sample->total_kib) : 0;
	uint64_t untouched =
		sub_u64(sample->actual_kib, set_aside + guest_touched_kib(sample));
	return facts->autodeflate &&
	       (!told ||
		       (double)untouched <= UNTOUCHED_PART * (double)sample->actual_kib);
}

/* The balloon is somewhere else by other hands: that is the target now. */
static enum follow_event adopt(struct balloon_track *track,
	const struct guest_facts *facts, const struct follow_terms *terms, int64_t now_ms)
{
	uint64_t actual = facts->sample.actual_kib;
	bool released = actual > track->target_kib && ran_out(facts);
	track->target_kib = track->from_kib = track->taken_kib = actual;
	track->arrived = true;
	track->arrived_ms = now_ms;
	track->unproved = false;
	track->proof_from_kib = 0;
	track->released = released;
	if (released)
		return FOLLOW_RELEASED;
	track->held_until_ms = now_ms + (int64_t)terms->hold_off_ms;
	return FOLLOW_ADOPTED;
}

/* Shrinks that are small by themselves are proved together. */
static void arrive(struct balloon_track *track, int64_t now_ms)
{
	uint64_t took_ms = (uint64_t)(now_ms - track->ordered_ms);
	track->answer_ms =
		track->answer_ms ? (3 * track->answer_ms + took_ms) / 4 : took_ms;
	track->arrived = true;
	track->arrived_ms = now_ms;
	if (!is_shrinking(track) || !track->ordered_ms)
		return;
	track->stuck_count = 0; /* it went where it was sent; coming back is no news */
	if (track->unproved ||
		sub_u64(track->proof_from_kib, track->target_kib) < SMALLEST_PROOF)
		return;
	track->unproved = true;
	track->proof_kib = track->target_kib;
	track->proof_ms = now_ms;
}

/* It stands still short of its target: back off, longer each time. */
static enum follow_event stop_short(struct balloon_track *track, uint64_t actual_kib,
	const struct follow_terms *terms, int64_t now_ms)
{
	uint64_t pause_ms = (uint64_t)STUCK_FIRST_MS << min_u64(track->stuck_count, 16);
	track->stuck_count++;
	track->pull_back = true;
	track->stuck_until_ms = now_ms + (int64_t)min_u64(pause_ms, terms->stuck_most_ms);
	track->target_kib = track->from_kib = actual_kib;
	track->unproved = false;
	track->proof_from_kib = 0;
	track->arrived = true;
	track->arrived_ms = now_ms;
	return FOLLOW_STUCK;
}

/*
 * Memory that the guest handed over must be gone from QEMU. Pages never touched were not
 * there to be gained, so only what exceeds the balloon's size proves anything.
 */
static enum follow_event prove(
	struct balloon_track *track, const struct guest_facts *facts, int64_t now_ms)
{
	const struct guest_sample *sample = &facts->sample;
	if (!track->unproved || !sample->has_rss || !sample->has_overhead ||
		now_ms - track->proof_ms < SETTLED_MS)
		return FOLLOW_NOTHING;
	track->unproved = false;
	uint64_t ordered = track->proof_from_kib - track->proof_kib;
	uint64_t excess = sub_u64(
		guest_touched_kib(sample), max_u64(track->proof_kib, sample->actual_kib));
	track->proof_from_kib = track->proof_kib;
	if ((double)excess <= FRUITLESS_PART * (double)ordered) {
		track->fruitless = 0;
		return FOLLOW_NOTHING;
	}
	if (++track->fruitless < FRUITLESS_LIMIT)
		return FOLLOW_NOTHING;
	track->fixed = true;
	return FOLLOW_FIXED;
}

/* However often it is looked at, a slow balloon adds up. */
static void follow_progress(
	struct balloon_track *track, const struct guest_facts *facts, int64_t now_ms)
{
	uint64_t actual = facts->sample.actual_kib;
	uint64_t before = distance_u64(track->moved_to_kib, track->target_kib);
	uint64_t after = distance_u64(actual, track->target_kib);
	if (can_act(facts) && after + MOVE_KIB > before)
		return;
	track->moved_ms = now_ms;
	track->moved_to_kib = actual;
}

enum follow_event follow_balloon(struct balloon_track *track,
	const struct guest_facts *facts, const struct follow_terms *terms, int64_t now_ms)
{
	if (!facts->sample.has_actual)
		return FOLLOW_NOTHING;
	if (!track->seen || track->boots != facts->boots)
		begin(track, facts, now_ms);
	uint64_t actual = facts->sample.actual_kib;
	follow_plugging(track, actual, facts->sample.max_kib);
	uint64_t tolerance = follow_step_kib(terms, actual);
	bool underway = track->ordered_ms && now_ms - track->ordered_ms < UNDERWAY_MS;
	follow_progress(track, facts, now_ms);
	enum follow_event event = FOLLOW_NOTHING;
	if (distance_u64(actual, track->target_kib) <= tolerance) {
		if (!track->arrived)
			arrive(track, now_ms);
	} else if (!track->ordered_ms && now_ms - track->arrived_ms < UNDERWAY_MS) {
		inherit(track, actual, now_ms);
	} else if (!underway && can_act(facts) && strayed(track, actual, tolerance)) {
		event = adopt(track, facts, terms, now_ms);
	} else if (!track->arrived &&
		   now_ms - track->moved_ms >= (int64_t)terms->stuck_ms) {
		event = stop_short(track, actual, terms, now_ms);
	}
	if (event == FOLLOW_NOTHING)
		event = prove(track, facts, now_ms);
	track->last_actual_kib = actual;
	return event;
}
