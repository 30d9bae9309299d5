/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/guard_guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/units.h"

#define SUFFERS_MS        5000 /* distress so soon after a shrink is the shrink's doing */
#define PATIENCE_LEAST    10000 /* not shrunk for so long then; doubles … */
#define PATIENCE_MOST     600000 /* … up to this, and is forgotten after as long a calm */
#define YIELD_PART        8      /* of its size, is the least that a sufferer gives */
#define IDLE_SETTLE_TIMES 6      /* as long, until a guest is given more than it needs */

bool guard_drop(struct guard_guest *guest, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(guest->verdict, sizeof(guest->verdict), format, args);
	va_end(args);
	return false;
}

int64_t guard_added_cost(const struct guard_guest *guest, uint64_t to_kib)
{
	const struct guest_sample *sample = &guest->facts->sample;
	if (guest->facts->hugepages)
		return 0;
	uint64_t after = guest_cost_kib(sample, max_u64(to_kib, sample->actual_kib));
	return (int64_t)after - (int64_t)sample->cost_kib;
}

bool guard_is_over(const struct guard_guest *guest)
{
	return guest->track->target_kib > guest->facts->sample.limit_kib;
}

/* Lowest target allowed: what it uses and a little, but in critical just its minimum
 * (G1). A guest that rests keeps what it needs, one that uses more than it may comes down
 * as it lets go; and what it holds beyond its fair share, another's share isn't kept from
 * who starves for (G11). */
static uint64_t lowest_target(const struct guard_guest *guest,
	const struct guard_terms *terms, enum host_state state)
{
	const struct guest_sample *sample = &guest->facts->sample;
	uint64_t low = sample->min_kib;
	if (state < HOST_CRITICAL && sample->has_used) {
		uint64_t used = sample->used_kib + terms->safety_kib;
		low = max_u64(low, guest->yields ? min_u64(used, guest->fair_kib) : used);
	}
	if (guest->rest && sample->has_demand)
		low = max_u64(low, min_u64(sample->demand_kib, guest->track->target_kib));
	return min_u64(low, max_u64(sample->limit_kib, guest->track->target_kib));
}

/* A guest that suffers from a shrink is spared for a while, longer each time. What it
 * gave for one that boots was no mistake. */
static void follow_suffering(struct guard_guest *guest, int64_t now_ms)
{
	struct balloon_track *track = guest->track;
	bool shrunk = track->ordered_ms && track->target_kib < track->from_kib;
	if (now_ms - track->spared_until_ms > PATIENCE_MOST)
		track->patience_ms = 0;
	if (track->suffered || !shrunk || guest->vital ||
		now_ms - track->ordered_ms > SUFFERS_MS ||
		guest->facts->sample.distress < GUARD_IN_DISTRESS)
		return;
	track->suffered = true;
	track->patience_ms =
		clamp_u64(track->patience_ms * 2, PATIENCE_LEAST, PATIENCE_MOST);
	track->spared_until_ms = now_ms + (int64_t)track->patience_ms;
}

/* Why nothing is taken from the guest for now, unless another one is in need. */
static const char *why_rest(const struct guard_guest *guest, enum host_state state,
	const struct guard_terms *terms, int64_t now_ms)
{
	const struct balloon_track *track = guest->track;
	bool grown = track->ordered_ms && track->raised;
	if (state >= HOST_CRITICAL || guest->yields)
		return NULL;
	if (now_ms < track->spared_until_ms)
		return "it suffered from the last one";
	if (grown && now_ms - track->ordered_ms < (int64_t)terms->settle_ms)
		return "it has just grown";
	return NULL;
}

static bool may_shrink(struct guard_guest *guest, enum host_state state, bool pressed)
{
	if (guest->state != GUEST_STATE_MANAGED)
		return guard_drop(guest, "no shrink: the guest is %s",
			guest_state_name(guest->state));
	if (!guest->fresh)
		return guard_drop(guest, "no shrink without fresh statistics");
	if (state == HOST_ROOMY && !guard_is_over(guest))
		return guard_drop(guest, "no shrink: the host is roomy");
	if (guest->rest && !(pressed && guest->facts->sample.has_demand))
		return guard_drop(guest, "no shrink: %s", guest->rest);
	return true;
}

static bool may_grow(
	struct guard_guest *guest, const struct guard_terms *terms, int64_t now_ms)
{
	const struct balloon_track *track = guest->track;
	const struct guest_sample *sample = &guest->facts->sample;
	if (guest->state != GUEST_STATE_MANAGED)
		return guard_drop(guest, "no order: the guest is %s",
			guest_state_name(guest->state));
	bool shrunk = track->ordered_ms && !track->raised;
	bool needy = sample->distress >= GUARD_IN_DISTRESS ||
		     sample->used_kib + terms->safety_kib > track->target_kib;
	bool wants = sample->has_demand && sample->demand_kib > track->target_kib;
	uint64_t settle_ms = terms->settle_ms * (wants ? 1 : IDLE_SETTLE_TIMES);
	if (shrunk && !needy && now_ms - track->ordered_ms < (int64_t)settle_ms)
		return guard_drop(guest, "no growth so soon after shrinking");
	return true;
}

/* A shrink goes no faster than the guest follows, and never back above an order that
 * stands. */
static uint64_t paced_shrink(const struct guard_guest *guest, uint64_t wanted,
	const struct guard_terms *terms, enum host_state state)
{
	uint64_t actual = guest->facts->sample.actual_kib;
	uint64_t most = (uint64_t)(terms->shrink_ratio * (double)actual);
	uint64_t to =
		state < HOST_CRITICAL ? max_u64(wanted, sub_u64(actual, most)) : wanted;
	to = min_u64(to, guest->track->target_kib);
	if (guest->facts->windows)
		to = (to + GUARD_CHUNK_KIB - 1) / GUARD_CHUNK_KIB * GUARD_CHUNK_KIB;
	return to;
}

/*
 * What the guard itself orders, whatever is wished: QEMU keeps a balloon's target over a
 * reset, a driver tries for ever to reach one it can't, memory that can't be taken isn't
 * asked for, and a guest that helped itself is short beyond what its figures say (G8).
 */
static bool propose_own(struct guard_guest *guest)
{
	const struct guest_sample *sample = &guest->facts->sample;
	const struct balloon_track *track = guest->track;
	bool may_be_fed =
		guest->state == GUEST_STATE_MANAGED || guest->state == GUEST_STATE_STUCK;
	if (guest->state == GUEST_STATE_BOOTING && track->reset) {
		guest->to_kib = sample->limit_kib;
		guest->own = "rebooted: its memory is back at the maximum";
	} else if (guest->state == GUEST_STATE_STUCK && track->pull_back) {
		guest->to_kib = follow_stuck_target(sample);
		guest->own = "its balloon stopped there: the target goes back to it";
	} else if (guest->state == GUEST_STATE_FIXED &&
		   track->target_kib < sample->limit_kib) {
		guest->to_kib = sample->limit_kib;
		guest->own =
			"taking from it brings the host nothing: back to its maximum";
	} else if (may_be_fed && track->released &&
		   track->target_kib < sample->limit_kib) {
		guest->to_kib = sample->limit_kib;
		guest->own = "ran out and took memory back by itself: all it may have";
	}
	return guest->own;
}

/* What is wished, within the guest's bounds; what that changes is told. A guest that has
 * more than it may goes down to that without a wish, and on a roomy host no further. */
static uint64_t bounded_wish(
	struct guard_guest *guest, enum host_state state, const struct guard_terms *terms)
{
	const struct guest_sample *sample = &guest->facts->sample;
	uint64_t wanted =
		guest->wish->has_target ? guest->wish->target_kib : sample->limit_kib;
	if (state == HOST_ROOMY && guard_is_over(guest))
		wanted = max_u64(wanted, sample->limit_kib);
	uint64_t low = lowest_target(guest, terms, state);
	uint64_t to = clamp_u64(wanted, low, max_u64(sample->limit_kib, low));
	if (to > wanted)
		guard_drop(guest, "raised to %s",
			low > sample->min_kib ? "what the guest uses" : "its minimum");
	else if (to < wanted)
		guard_drop(guest, "cut to its maximum");
	return to;
}

bool guard_is_worth_it(
	const struct guard_guest *guest, uint64_t to_kib, const struct guard_terms *terms)
{
	uint64_t step = follow_step_kib(&terms->follow, guest->facts->sample.actual_kib);
	return distance_u64(to_kib, guest->track->target_kib) >= step;
}

/* Little is never taken from who suffers itself: it would be paged out at once, and in
 * again when the next one gives it back. But where the host runs dry, all counts. */
static bool is_petty(
	const struct guard_guest *guest, uint64_t to_kib, enum host_state state)
{
	uint64_t target = guest->track->target_kib;
	return state < HOST_CRITICAL && guest->yields && !guest->vital &&
	       guest->facts->sample.distress >= GUARD_IN_DISTRESS &&
	       target - to_kib < target / YIELD_PART;
}

static bool propose_wish(struct guard_guest *guest, enum host_state state, bool pressed,
	const struct guard_terms *terms, int64_t now_ms)
{
	bool over = guard_is_over(guest);
	if ((!guest->wish->has_target && !over) || !guest->facts->sample.has_actual)
		return false;
	uint64_t to = bounded_wish(guest, state, terms);
	if (!guard_is_worth_it(guest, to, terms))
		return false;
	bool shrink = to < guest->track->target_kib;
	if (shrink && is_petty(guest, to, state))
		return guard_drop(guest, "no shrink: it suffers, too");
	if (shrink ? !may_shrink(guest, state, pressed) : !may_grow(guest, terms, now_ms))
		return false;
	guest->to_kib = shrink ? paced_shrink(guest, to, terms, state) : to;
	if (over && to >= guest->facts->sample.limit_kib)
		guest->own = "it has more than the max set for it";
	return guard_is_worth_it(guest, guest->to_kib, terms);
}

void guard_propose(struct guard_guest *guest, enum host_state state, bool pressed,
	const struct guard_terms *terms, int64_t now_ms)
{
	follow_suffering(guest, now_ms);
	guest->rest = why_rest(guest, state, terms, now_ms);
	guest->own = NULL;
	guest->verdict[0] = '\0';
	if (now_ms < guest->track->refused_until_ms) {
		guest->ordered = guard_drop(guest, "no order: the last one was refused");
		return;
	}
	guest->ordered =
		propose_own(guest) || propose_wish(guest, state, pressed, terms, now_ms);
	if (guest->ordered)
		guest->delta_kib = guard_added_cost(guest, guest->to_kib);
}
