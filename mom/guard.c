/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/guard.h"

#include <stdio.h>
#include <string.h>

#include "mom/guard_guest.h"
#include "mom/mem.h"
#include "mom/units.h"

#define DISTRESS_PART 2   /* of the reserve is for distress; the rest for surprises */
#define WRONGED       2.0 /* comes before all distress */
/* Taken beyond what is missing, to take less often. */
#define SPARE_KIB (64 * KIB_PER_MIB)
#define COMING_MS 2000 /* in an emergency an older order brings nothing any more */

static bool is_shrink(const struct guard_guest *guest)
{
	return guest->to_kib < guest->track->target_kib;
}

static int64_t room_in(const struct guard_ledger *ledger, bool distress)
{
	int64_t room = (int64_t)ledger->budget_kib - (int64_t)ledger->cost_kib;
	return distress ? room + (int64_t)(ledger->reserve_kib / DISTRESS_PART) : room;
}

/* ---- what is taken ---- */

/*
 * Memory that somebody needs but the books don't hold yet: the only good reason to take
 * from a guest what it isn't asked to give for more than a fair part of idle memory. An
 * emergency is over with half of the reserve.
 */
static int64_t shortage(const struct guard_guest *guests, size_t count, bool emergency,
	const struct guard_ledger *pool, const struct guard_ledger *host)
{
	int64_t own = room_in(pool, emergency), whole = room_in(host, emergency);
	int64_t room = own < whole ? own : whole;
	int64_t needed = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guard_guest *guest = &guests[i];
		if (!guest->ordered || is_shrink(guest))
			continue;
		uint64_t need =
			guest->facts->sample.has_demand
				? min_u64(guest->to_kib, guest->facts->sample.demand_kib)
				: guest->to_kib;
		int64_t added = guard_added_cost(guest, need);
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

/* What orders since then will bring: balloons that aren't down at their targets yet. */
static uint64_t on_its_way(
	const struct guard_guest *guests, size_t count, int64_t since_ms)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		if (guests[i].state == GUEST_STATE_MANAGED &&
			guests[i].track->ordered_ms >= since_ms)
			sum += sub_u64(guests[i].facts->sample.actual_kib,
				guests[i].track->target_kib);
	return sum;
}

/* What is taken of one guest for the sake of others, in the chunks of Windows. */
static uint64_t enough(const struct guard_guest *guest, uint64_t missing_kib,
	const struct guard_terms *terms)
{
	uint64_t step = follow_step_kib(&terms->follow, guest->facts->sample.actual_kib);
	uint64_t kib = max_u64(missing_kib + SPARE_KIB, step);
	return (kib + GUARD_CHUNK_KIB - 1) / GUARD_CHUNK_KIB * GUARD_CHUNK_KIB;
}

/*
 * What is missing comes from those who have most to give, in few orders, and last from
 * who should rest; what nobody needs stays where it is. In an emergency everybody gives
 * what is wished, but Windows only what the others don't bring: its balloon is slow, and
 * what it uses isn't well known.
 */
static void keep_needed_shrinks(struct guard_guest *guests, size_t count, bool emergency,
	int64_t missing, const struct guard_terms *terms, int64_t now_ms)
{
	auto_free struct guard_guest **shrinking =
		mem_array(count, sizeof(struct guard_guest *));
	size_t shrinking_count = 0;
	missing -= (int64_t)on_its_way(guests, count, emergency ? now_ms - COMING_MS : 0);
	for (size_t i = 0; i < count; i++) {
		struct guard_guest *guest = &guests[i];
		if (!guest->ordered || !is_shrink(guest) || guard_is_over(guest))
			continue;
		if (emergency && !guest->facts->windows)
			missing -= (int64_t)(guest->track->target_kib - guest->to_kib);
		else
			shrinking[shrinking_count++] = guest;
	}
	qsort(shrinking, shrinking_count, sizeof(struct guard_guest *), by_gain);
	for (size_t i = 0; i < shrinking_count; i++) {
		struct guard_guest *guest = shrinking[i];
		uint64_t gain = guest->track->target_kib - guest->to_kib;
		if (missing <= 0)
			guest->ordered = guard_drop(guest, "no shrink: %s",
				emergency ? "the others give enough"
					  : "nobody needs the memory");
		else
			guest->to_kib +=
				sub_u64(gain, enough(guest, (uint64_t)missing, terms));
		missing -= (int64_t)gain;
	}
}

/* ---- what is given ---- */

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
	bool wronged = sample->distress >= GUARD_IN_DISTRESS &&
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

/* Grant what has arrived; a guest in distress may draw on the reserve. Who ran out is
 * offered all there is once, and goes on by need. */
static void grant(struct guard_guest *guest, struct guard_ledger *pool,
	struct guard_ledger *host, const struct guard_terms *terms, struct plan *plan)
{
	bool distress =
		guest->track->released ||
		(guest->fresh && guest->facts->sample.distress >= GUARD_IN_DISTRESS);
	guest->track->released = false;
	int64_t room = room_in(pool, distress);
	if (room_in(host, distress) < room)
		room = room_in(host, distress);
	if (guest->delta_kib > 0 && guest->delta_kib > room) {
		int64_t cut = guest->delta_kib - (room > 0 ? room : 0);
		guest->to_kib -= min_u64((uint64_t)cut, guest->to_kib);
		bool backwards = guest->to_kib < guest->track->target_kib;
		bool pull_back =
			guest->state == GUEST_STATE_STUCK && guest->track->pull_back;
		if (!pull_back &&
			(backwards || !guard_is_worth_it(guest, guest->to_kib, terms))) {
			guest->ordered = guard_drop(guest, "waits for memory to arrive");
			return;
		}
		guard_drop(guest, "grows by the memory that has arrived");
		guest->delta_kib = guard_added_cost(guest, guest->to_kib);
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

/* ---- who may claim what ---- */

/* Its part is in what can be divided. */
static bool is_divided(const struct guard_guest *guest)
{
	return guest->state == GUEST_STATE_MANAGED && guest->fresh;
}

static bool is_wanting(const struct guard_guest *guest)
{
	const struct guest_sample *sample = &guest->facts->sample;
	return is_divided(guest) && sample->distress >= GUARD_IN_DISTRESS &&
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

/* It boots: it is booked at its maximum, and what it will need can't be seen yet. */
static bool is_coming(const struct guard_guest *guest)
{
	return guest->state == GUEST_STATE_BOOTING && !guest->facts->hugepages;
}

static bool has_share(const struct guard_guest *guest)
{
	return is_divided(guest) || is_coming(guest);
}

/* What can be divided among those who are there and those who are coming. */
static uint64_t divisible_among_all(
	const struct guard_guest *guests, size_t count, const struct guard_ledger *pool)
{
	bool coming = false;
	uint64_t taken = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guest_sample *sample = &guests[i].facts->sample;
		coming = coming || is_coming(&guests[i]);
		taken += has_share(&guests[i]) ? sample->overhead_kib : sample->cost_kib;
	}
	return coming ? sub_u64(pool->budget_kib, taken) : pool->divisible_kib;
}

/* What each could claim if all claimed: its part by shares, within its bounds. */
static void reckon_fair_shares(
	struct guard_guest *guests, size_t count, uint64_t divisible_kib)
{
	double shares = 0;
	for (size_t i = 0; i < count; i++)
		if (has_share(&guests[i]))
			shares += (double)guests[i].facts->sample.shares;
	for (size_t i = 0; i < count; i++) {
		const struct guest_sample *sample = &guests[i].facts->sample;
		double part = has_share(&guests[i]) && shares > 0
				      ? (double)sample->shares / shares
				      : 0;
		guests[i].fair_kib = clamp_u64((uint64_t)(part * (double)divisible_kib),
			sample->min_kib, sample->limit_kib);
	}
}

/*
 * Where what all use doesn't fit, somebody swaps. Who came first doesn't count: a guest
 * that starves on less than its share gets it from those who have more than theirs, and
 * one that boots finds its share there: it takes it faster than balloons could give.
 */
static void settle_claims(struct guard_guest *guests, size_t count,
	uint64_t divisible_kib, const struct guard_terms *terms)
{
	bool starves = false, coming = false;
	uint64_t used = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guard_guest *guest = &guests[i];
		uint64_t step =
			follow_step_kib(&terms->follow, guest->facts->sample.actual_kib);
		coming = coming || is_coming(guest);
		if (is_coming(guest))
			used += guest->fair_kib;
		else if (is_divided(guest))
			used += guest->facts->sample.used_kib + terms->safety_kib;
		starves = starves ||
			  (is_wanting(guest) &&
				  guest->track->target_kib + step < guest->fair_kib);
	}
	for (size_t i = 0; i < count; i++) {
		struct guard_guest *guest = &guests[i];
		guest->yields = (starves || coming) && used > divisible_kib &&
				is_divided(guest) &&
				guest->track->target_kib >= guest->fair_kib;
		guest->vital = guest->yields && coming;
	}
}

uint64_t guard_plan(struct guard_guest *guests, size_t count, enum host_state state,
	struct guard_ledger *pool, struct guard_ledger *host,
	const struct guard_terms *terms, int64_t now_ms, struct plan *plan)
{
	uint64_t divisible_kib = divisible_among_all(guests, count, pool);
	reckon_fair_shares(guests, count, divisible_kib);
	settle_claims(guests, count, divisible_kib, terms);
	bool pressed = is_pressed(guests, count);
	for (size_t i = 0; i < count; i++)
		guard_propose(&guests[i], state, pressed, terms, now_ms);
	bool emergency = state >= HOST_CRITICAL;
	if (state != HOST_TIGHT)
		keep_needed_shrinks(guests, count, emergency,
			shortage(guests, count, emergency, pool, host), terms, now_ms);

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
