/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define CHUNK_KIB         2048 /* what a Windows balloon moves in */
#define SUFFERS_MS        5000 /* distress so soon after a shrink is the shrink's doing */
#define PATIENCE_LEAST    10000 /* not shrunk for so long then; doubles … */
#define PATIENCE_MOST     600000 /* … up to this, and is forgotten after as long a calm */
#define DISTRESS_PART     2 /* of the reserve is for distress; the rest for surprises */
#define IN_DISTRESS       0.5
#define WRONGED           2.0 /* comes before all distress */
#define IDLE_SETTLE_TIMES 6   /* as long, until a guest is given more than it needs */
/* Taken beyond what is missing, to take less often. */
#define SPARE_KIB (64 * KIB_PER_MIB)

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t smallest_step(const struct guard_terms *terms, uint64_t actual_kib)
{
	return follow_step_kib(&terms->follow, actual_kib);
}

/* ---- one guest ---- */

static bool drop(struct guard_guest *guest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Say why a wish comes to nothing (or is changed); gives false. */
static bool drop(struct guard_guest *guest, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(guest->verdict, sizeof(guest->verdict), format, args);
	va_end(args);
	return false;
}

/* What an order would add to the guest's cost as it stands now; RAM on huge pages isn't
 * in the books. */
static int64_t added_cost(const struct guard_guest *guest, uint64_t to_kib)
{
	const struct guest_sample *sample = &guest->facts->sample;
	if (guest->facts->hugepages)
		return 0;
	uint64_t after = guest_cost_kib(sample, max_u64(to_kib, sample->actual_kib));
	return (int64_t)after - (int64_t)sample->cost_kib;
}

/* It has more than it may: a `max` below its configured memory, not reached yet. */
static bool is_over(const struct guard_guest *guest)
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
	if (guest->yields && state < HOST_CRITICAL)
		return max_u64(low, guest->fair_kib);
	if (state < HOST_CRITICAL && sample->has_used)
		low = max_u64(low, sample->used_kib + terms->safety_kib);
	if (guest->rest && sample->has_demand)
		low = max_u64(low, min_u64(sample->demand_kib, guest->track->target_kib));
	return min_u64(low, max_u64(sample->limit_kib, guest->track->target_kib));
}

/* A guest that suffers from a shrink is spared for a while, longer each time. */
static void follow_suffering(struct guard_guest *guest, int64_t now_ms)
{
	struct balloon_track *track = guest->track;
	bool shrunk = track->ordered_ms && track->target_kib < track->from_kib;
	if (now_ms - track->spared_until_ms > PATIENCE_MOST)
		track->patience_ms = 0;
	if (track->suffered || !shrunk || now_ms - track->ordered_ms > SUFFERS_MS ||
		guest->facts->sample.distress < IN_DISTRESS)
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
		return drop(guest, "no shrink: the guest is %s",
			guest_state_name(guest->state));
	if (!guest->fresh)
		return drop(guest, "no shrink without fresh statistics");
	if (state == HOST_ROOMY && !is_over(guest))
		return drop(guest, "no shrink: the host is roomy");
	if (guest->rest && !(pressed && guest->facts->sample.has_demand))
		return drop(guest, "no shrink: %s", guest->rest);
	return true;
}

static bool may_grow(
	struct guard_guest *guest, const struct guard_terms *terms, int64_t now_ms)
{
	const struct balloon_track *track = guest->track;
	const struct guest_sample *sample = &guest->facts->sample;
	if (guest->state != GUEST_STATE_MANAGED)
		return drop(guest, "no order: the guest is %s",
			guest_state_name(guest->state));
	bool shrunk = track->ordered_ms && !track->raised;
	bool needy = sample->distress >= IN_DISTRESS ||
		     sample->used_kib + terms->safety_kib > track->target_kib;
	bool wants = sample->has_demand && sample->demand_kib > track->target_kib;
	uint64_t settle_ms = terms->settle_ms * (wants ? 1 : IDLE_SETTLE_TIMES);
	if (shrunk && !needy && now_ms - track->ordered_ms < (int64_t)settle_ms)
		return drop(guest, "no growth so soon after shrinking");
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
		to = (to + CHUNK_KIB - 1) / CHUNK_KIB * CHUNK_KIB;
	return to;
}

/*
 * What the guard itself orders, whatever is wished: QEMU keeps a balloon's target over a
 * reset, a driver tries for ever to reach one it can't, and memory that can't be taken
 * isn't asked for.
 */
static bool propose_own(struct guard_guest *guest)
{
	const struct guest_sample *sample = &guest->facts->sample;
	const struct balloon_track *track = guest->track;
	if (guest->state == GUEST_STATE_BOOTING && track->reset) {
		guest->to_kib = sample->max_kib;
		guest->own = "rebooted: its memory is back at the maximum";
	} else if (guest->state == GUEST_STATE_STUCK && track->pull_back) {
		guest->to_kib = follow_stuck_target(sample);
		guest->own = "its balloon stopped there: the target goes back to it";
	} else if (guest->state == GUEST_STATE_FIXED &&
		   track->target_kib < sample->limit_kib) {
		guest->to_kib = sample->limit_kib;
		guest->own =
			"taking from it brings the host nothing: back to its maximum";
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
	if (state == HOST_ROOMY && is_over(guest))
		wanted = max_u64(wanted, sample->limit_kib);
	uint64_t low = lowest_target(guest, terms, state);
	uint64_t to = clamp_u64(wanted, low, max_u64(sample->limit_kib, low));
	if (to > wanted)
		drop(guest, "raised to %s",
			low > sample->min_kib ? "what the guest uses" : "its minimum");
	else if (to < wanted)
		drop(guest, "cut to its maximum");
	return to;
}

static bool is_worth_it(
	const struct guard_guest *guest, uint64_t to_kib, const struct guard_terms *terms)
{
	uint64_t step = smallest_step(terms, guest->facts->sample.actual_kib);
	return distance(to_kib, guest->track->target_kib) >= step;
}

static bool propose_wish(struct guard_guest *guest, enum host_state state, bool pressed,
	const struct guard_terms *terms, int64_t now_ms)
{
	bool over = is_over(guest);
	if ((!guest->wish->has_target && !over) || !guest->facts->sample.has_actual)
		return false;
	uint64_t to = bounded_wish(guest, state, terms);
	if (!is_worth_it(guest, to, terms))
		return false;
	bool shrink = to < guest->track->target_kib;
	if (shrink ? !may_shrink(guest, state, pressed) : !may_grow(guest, terms, now_ms))
		return false;
	guest->to_kib = shrink ? paced_shrink(guest, to, terms, state) : to;
	if (over && to >= guest->facts->sample.limit_kib)
		guest->own = "it has more than the max set for it";
	return is_worth_it(guest, guest->to_kib, terms);
}

/* Decide what this guest alone may be ordered: `to_kib`, `delta_kib`, `ordered`. */
static void propose(struct guard_guest *guest, enum host_state state, bool pressed,
	const struct guard_terms *terms, int64_t now_ms)
{
	follow_suffering(guest, now_ms);
	guest->rest = why_rest(guest, state, terms, now_ms);
	guest->own = NULL;
	guest->verdict[0] = '\0';
	if (now_ms < guest->track->refused_until_ms) {
		guest->ordered = drop(guest, "no order: the last one was refused");
		return;
	}
	guest->ordered =
		propose_own(guest) || propose_wish(guest, state, pressed, terms, now_ms);
	if (guest->ordered)
		guest->delta_kib = added_cost(guest, guest->to_kib);
}

/* ---- all of them ---- */

static bool is_shrink(const struct guard_guest *guest)
{
	return guest->to_kib < guest->track->target_kib;
}

static int64_t room_in(const struct guard_ledger *ledger, bool distress)
{
	int64_t room = (int64_t)ledger->budget_kib - (int64_t)ledger->cost_kib;
	return distress ? room + (int64_t)(ledger->reserve_kib / DISTRESS_PART) : room;
}

/*
 * Memory that somebody needs but the books don't hold yet: the only good reason to take
 * from a guest what it isn't asked to give for more than a fair part of idle memory.
 */
static int64_t shortage(const struct guard_guest *guests, size_t count,
	const struct guard_ledger *pool, const struct guard_ledger *host)
{
	int64_t room = room_in(pool, false) < room_in(host, false) ? room_in(pool, false)
								   : room_in(host, false);
	int64_t needed = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guard_guest *guest = &guests[i];
		if (!guest->ordered || is_shrink(guest))
			continue;
		uint64_t need =
			guest->facts->sample.has_demand
				? min_u64(guest->to_kib, guest->facts->sample.demand_kib)
				: guest->to_kib;
		int64_t added = added_cost(guest, need);
		needed += added > 0 ? added : 0;
	}
	return needed - room;
}

static int by_gain(const void *a, const void *b)
{
	const struct guard_guest *left = *(struct guard_guest *const *)a;
	const struct guard_guest *right = *(struct guard_guest *const *)b;
	if (!left->rest != !right->rest)
		return left->rest ? 1 : -1;
	uint64_t left_kib = left->track->target_kib - left->to_kib;
	uint64_t right_kib = right->track->target_kib - right->to_kib;
	return left_kib < right_kib ? 1 : left_kib > right_kib ? -1 : 0;
}

/* What earlier orders will bring: balloons that aren't down at their targets yet. */
static uint64_t on_its_way(const struct guard_guest *guests, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += sub_u64(
			guests[i].facts->sample.actual_kib, guests[i].track->target_kib);
	return sum;
}

/* What is missing comes from those who have most to give, in few orders, and last from
 * who should rest; what nobody needs stays where it is. */
static void keep_needed_shrinks(struct guard_guest *guests, size_t count, int64_t missing)
{
	auto_free struct guard_guest **shrinking =
		mem_array(count, sizeof(struct guard_guest *));
	size_t shrinking_count = 0;
	for (size_t i = 0; i < count; i++)
		if (guests[i].ordered && is_shrink(&guests[i]) && !is_over(&guests[i]))
			shrinking[shrinking_count++] = &guests[i];
	qsort(shrinking, shrinking_count, sizeof(struct guard_guest *), by_gain);
	missing -= (int64_t)on_its_way(guests, count);
	for (size_t i = 0; i < shrinking_count; i++) {
		struct guard_guest *guest = shrinking[i];
		uint64_t gain = guest->track->target_kib - guest->to_kib;
		if (missing <= 0)
			guest->ordered =
				drop(guest, "no shrink: nobody needs the memory");
		else if (gain > (uint64_t)missing + SPARE_KIB)
			guest->to_kib += gain - (uint64_t)missing - SPARE_KIB;
		missing -= (int64_t)gain;
	}
}

/* Most in need first: who has less than its share, distress, then the largest part of its
 * demand missing. */
static double urgency(const struct guard_guest *guest)
{
	const struct guest_sample *sample = &guest->facts->sample;
	double missing =
		sample->has_demand
			? (double)sub_u64(sample->demand_kib, guest->track->target_kib) /
				  (double)max_u64(sample->demand_kib, 1)
			: 0;
	bool wronged = sample->distress >= IN_DISTRESS &&
		       guest->track->target_kib < guest->fair_kib;
	return sample->distress + missing + (wronged ? WRONGED : 0);
}

static int by_urgency(const void *a, const void *b)
{
	double left = urgency(*(struct guard_guest *const *)a);
	double right = urgency(*(struct guard_guest *const *)b);
	return left < right ? 1 : left > right ? -1 : 0;
}

static void emit(struct plan *plan, const struct guard_guest *guest)
{
	struct order *order = plan_add_order(plan);
	memcpy(order->uuid, guest->facts->uuid, sizeof(order->uuid));
	memcpy(order->name, guest->facts->name, sizeof(order->name));
	order->from_kib = guest->track->target_kib;
	order->to_kib = guest->to_kib;
	snprintf(order->reason, sizeof(order->reason), "%s",
		guest->own ? guest->own : guest->wish->because);
}

/* Grant what has arrived; a guest in distress may draw on the reserve. */
static void grant(struct guard_guest *guest, struct guard_ledger *pool,
	struct guard_ledger *host, const struct guard_terms *terms, struct plan *plan)
{
	bool distress = guest->facts->sample.distress >= IN_DISTRESS;
	int64_t room = room_in(pool, distress);
	if (room_in(host, distress) < room)
		room = room_in(host, distress);
	if (guest->delta_kib > 0 && guest->delta_kib > room) {
		int64_t cut = guest->delta_kib - (room > 0 ? room : 0);
		guest->to_kib -= min_u64((uint64_t)cut, guest->to_kib);
		bool backwards = guest->to_kib < guest->track->target_kib;
		bool pull_back = guest->state == GUEST_STATE_STUCK;
		if (!pull_back &&
			(backwards || !is_worth_it(guest, guest->to_kib, terms))) {
			guest->ordered = drop(guest, "waits for memory to arrive");
			return;
		}
		drop(guest, "grows by the memory that has arrived");
		guest->delta_kib = added_cost(guest, guest->to_kib);
	}
	if (guest->delta_kib > 0) {
		pool->cost_kib += (uint64_t)guest->delta_kib;
		if (host != pool)
			host->cost_kib += (uint64_t)guest->delta_kib;
	}
	emit(plan, guest);
}

void guard_obey(struct guard_guest *guests, size_t count, struct plan *plan)
{
	for (size_t i = 0; i < count; i++) {
		struct guard_guest *guest = &guests[i];
		guest->verdict[0] = '\0';
		guest->to_kib =
			min_u64(guest->wish->target_kib, guest->facts->sample.max_kib);
		guest->ordered = guest->wish->has_target && guest->to_kib &&
				 guest->to_kib != guest->track->target_kib;
		if (guest->ordered)
			emit(plan, guest);
	}
}

/* Its part is in what can be divided. */
static bool is_divided(const struct guard_guest *guest)
{
	return guest->state == GUEST_STATE_MANAGED && guest->fresh;
}

static bool is_wanting(const struct guard_guest *guest)
{
	const struct guest_sample *sample = &guest->facts->sample;
	return guest->state == GUEST_STATE_MANAGED && sample->distress >= IN_DISTRESS &&
	       sample->demand_kib > guest->track->target_kib;
}

/* Somebody suffers for want of memory that others may have to spare. */
static bool is_pressed(const struct guard_guest *guests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_wanting(&guests[i]))
			return true;
	return false;
}

/* What each could claim if all claimed: its part by shares, within its bounds. */
static void reckon_fair_shares(
	struct guard_guest *guests, size_t count, uint64_t divisible_kib)
{
	double shares = 0;
	for (size_t i = 0; i < count; i++)
		if (is_divided(&guests[i]))
			shares += (double)guests[i].facts->sample.shares;
	for (size_t i = 0; i < count; i++) {
		const struct guest_sample *sample = &guests[i].facts->sample;
		double part = is_divided(&guests[i]) && shares > 0
				      ? (double)sample->shares / shares
				      : 0;
		guests[i].fair_kib = clamp_u64((uint64_t)(part * (double)divisible_kib),
			sample->min_kib, sample->limit_kib);
	}
}

/*
 * Where what all use doesn't fit, somebody swaps. Who came first doesn't count: a guest
 * that starves on less than its share gets it from those who have more than theirs.
 */
static void settle_claims(struct guard_guest *guests, size_t count,
	uint64_t divisible_kib, const struct guard_terms *terms)
{
	bool starves = false;
	uint64_t used = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guard_guest *guest = &guests[i];
		uint64_t step = smallest_step(terms, guest->facts->sample.actual_kib);
		if (is_divided(guest))
			used += guest->facts->sample.used_kib + terms->safety_kib;
		starves = starves ||
			  (is_wanting(guest) &&
				  guest->track->target_kib + step < guest->fair_kib);
	}
	for (size_t i = 0; i < count; i++)
		guests[i].yields = starves && used > divisible_kib &&
				   is_divided(&guests[i]) &&
				   guests[i].track->target_kib > guests[i].fair_kib;
}

uint64_t guard_plan(struct guard_guest *guests, size_t count, enum host_state state,
	struct guard_ledger *pool, struct guard_ledger *host,
	const struct guard_terms *terms, int64_t now_ms, struct plan *plan)
{
	reckon_fair_shares(guests, count, pool->divisible_kib);
	settle_claims(guests, count, pool->divisible_kib, terms);
	bool pressed = is_pressed(guests, count);
	for (size_t i = 0; i < count; i++)
		propose(&guests[i], state, pressed, terms, now_ms);
	if (state < HOST_TIGHT)
		keep_needed_shrinks(guests, count, shortage(guests, count, pool, host));

	auto_free struct guard_guest **growing =
		mem_array(count, sizeof(struct guard_guest *));
	size_t growing_count = 0;
	uint64_t takeable = 0;
	for (size_t i = 0; i < count; i++) {
		struct guard_guest *guest = &guests[i];
		if (guest->state == GUEST_STATE_MANAGED && guest->fresh)
			takeable += sub_u64(guest->facts->sample.actual_kib,
				guest->facts->sample.min_kib);
		if (guest->ordered && is_shrink(guest))
			emit(plan, guest);
		else if (guest->ordered)
			growing[growing_count++] = guest;
	}
	qsort(growing, growing_count, sizeof(struct guard_guest *), by_urgency);
	for (size_t i = 0; i < growing_count; i++)
		grant(growing[i], pool, host, terms, plan);
	return takeable;
}
