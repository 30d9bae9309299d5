/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mom/guard.h"
#include "mom/mem.h"
#include "mom/units.h"

#define MIB      KIB_PER_MIB
#define NOW      100000
#define MOST     3
#define LONG_AGO (NOW - 60000)
#define OVERHEAD (64 * MIB)

static const struct guard_terms terms = {
	.follow = {.step_kib = 2 * MIB, .step_ratio = 0.005},
	.settle_ms = 5000,
	.shrink_ratio = 0.25,
	.safety_kib = 32 * MIB,
};

/* A few guests of 800 MiB, managed and fresh, and the books they stand in. */
struct bench {
	struct guest_facts facts[MOST];
	struct balloon_track tracks[MOST];
	struct wish wishes[MOST];
	struct guard_guest guests[MOST];
	struct guard_ledger ledger;
	uint64_t divisible_kib;
	struct plan plan;
	size_t count;
};

static void set_size(
	struct bench *bench, size_t i, uint64_t actual_mib, uint64_t used_mib)
{
	struct guest_sample *sample = &bench->facts[i].sample;
	sample->actual_kib = sample->target_kib = actual_mib * MIB;
	sample->used_kib = used_mib * MIB;
	sample->demand_kib = used_mib * MIB * 6 / 5;
	sample->rss_anon_kib = sample->actual_kib + OVERHEAD;
	sample->cost_kib = sample->actual_kib + OVERHEAD;
	bench->tracks[i] = (struct balloon_track){
		.seen = true,
		.target_kib = sample->actual_kib,
		.from_kib = sample->actual_kib,
		.last_actual_kib = sample->actual_kib,
		.arrived = true,
	};
}

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	bench->count = MOST;
	for (size_t i = 0; i < MOST; i++) {
		struct guest_facts *facts = &bench->facts[i];
		snprintf(facts->uuid, sizeof(facts->uuid), "uuid-%zu", i);
		snprintf(facts->name, sizeof(facts->name), "vm%zu", i);
		facts->has_balloon = true;
		facts->sample = (struct guest_sample){
			.max_kib = 800 * MIB,
			.limit_kib = 800 * MIB,
			.min_kib = 128 * MIB,
			.has_actual = true,
			.has_used = true,
			.has_demand = true,
			.has_rss = true,
			.overhead_kib = OVERHEAD,
		};
		set_size(bench, i, 800, 200);
		bench->guests[i] = (struct guard_guest){
			.facts = facts,
			.state = GUEST_STATE_MANAGED,
			.fresh = true,
			.wish = &bench->wishes[i],
			.track = &bench->tracks[i],
		};
	}
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	plan_done(&bench->plan);
	free(bench);
	return 0;
}

static void wish_for(struct bench *bench, size_t i, uint64_t mib)
{
	bench->wishes[i] = (struct wish){.has_target = true, .target_kib = mib * MIB};
}

/* Plan with this much more (or less) in the budget than all guests may cost now. */
static void plan_with_room(struct bench *bench, enum host_state state, int64_t room_mib)
{
	uint64_t cost = 0;
	for (size_t i = 0; i < bench->count; i++)
		cost += bench->facts[i].sample.cost_kib;
	bench->ledger = (struct guard_ledger){
		.budget_kib = (uint64_t)((int64_t)cost + room_mib * (int64_t)MIB),
		.cost_kib = cost,
		.reserve_kib = 100 * MIB,
		.divisible_kib = bench->divisible_kib,
	};
	plan_reset(&bench->plan);
	guard_plan(bench->guests, bench->count, state, &bench->ledger, &bench->ledger,
		&terms, NOW, &bench->plan);
}

static const struct order *order_for(const struct bench *bench, size_t i)
{
	for (size_t o = 0; o < bench->plan.order_count; o++)
		if (!strcmp(bench->plan.orders[o].uuid, bench->facts[i].uuid))
			return &bench->plan.orders[o];
	return NULL;
}

static void assert_order(const struct bench *bench, size_t i, uint64_t mib)
{
	const struct order *order = order_for(bench, i);
	assert_non_null(order);
	assert_int_equal(order->to_kib, mib * MIB);
}

static void assert_no_order(const struct bench *bench, size_t i, const char *why)
{
	assert_null(order_for(bench, i));
	assert_non_null(strstr(bench->guests[i].verdict, why));
}

static void g1_a_target_stays_between_minimum_and_maximum(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 600, 100);
	set_size(bench, 1, 150, 20);
	wish_for(bench, 0, 5000);
	wish_for(bench, 1, 1);
	plan_with_room(bench, HOST_TIGHT, 1000);
	assert_order(bench, 0, 800);
	assert_order(bench, 1, 128);
}

static void g1_nothing_is_taken_that_a_guest_uses(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 300);
	wish_for(bench, 0, 128);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_order(bench, 0, 332); /* used and the safety */
	plan_with_room(bench, HOST_CRITICAL, -500);
	assert_order(bench, 0, 128); /* in critical the minimum alone holds */
}

static void g2_no_shrink_without_fresh_statistics(void **state)
{
	struct bench *bench = *state;
	bench->guests[0].fresh = false;
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_CRITICAL, -500);
	assert_no_order(bench, 0, "fresh");
	set_size(bench, 0, 400, 300); /* but it may grow */
	wish_for(bench, 0, 500);
	plan_with_room(bench, HOST_SNUG, 500);
	assert_order(bench, 0, 500);
}

static void g3_hands_off_a_guest_that_is_busy_booting_or_opted_out(void **state)
{
	static const enum guest_state hands_off[] = {GUEST_STATE_BUSY,
		GUEST_STATE_BOOTING, GUEST_STATE_SUSPENDED, GUEST_STATE_WATCHED,
		GUEST_STATE_HUNG, GUEST_STATE_NODRIVER, GUEST_STATE_PAUSED,
		GUEST_STATE_HELD};
	struct bench *bench = *state;
	for (size_t i = 0; i < ARRAY_SIZE(hands_off); i++) {
		bench->guests[0].state = hands_off[i];
		wish_for(bench, 0, 300);
		plan_with_room(bench, HOST_CRITICAL, -500);
		assert_null(order_for(bench, 0));
		set_size(bench, 0, 400, 300);
		wish_for(bench, 0, 800);
		plan_with_room(bench, HOST_ROOMY, 1000);
		assert_null(order_for(bench, 0));
		set_size(bench, 0, 800, 200);
	}
}

static void g3_a_reboot_raises_the_target_to_the_maximum(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 300, 200);
	bench->tracks[0].reset = true;
	bench->guests[0].state = GUEST_STATE_BOOTING;
	bench->facts[0].sample.cost_kib = 800 * MIB + OVERHEAD; /* counted so already */
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_order(bench, 0, 800);
}

static void g4_growth_waits_for_memory_that_has_arrived(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 390);
	wish_for(bench, 0, 600);
	wish_for(bench, 1, 600);
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_no_order(bench, 0, "waits for memory");
	assert_order(bench, 1, 600);
	assert_true(bench->ledger.cost_kib <= bench->ledger.budget_kib);
	plan_with_room(bench, HOST_TIGHT, 50); /* what has come is granted */
	assert_order(bench, 0, 450);
	assert_true(bench->ledger.cost_kib <= bench->ledger.budget_kib);
}

static void g4_distress_may_draw_on_the_reserve(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 395);
	bench->facts[0].sample.distress = 1;
	wish_for(bench, 0, 600);
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_order(bench, 0, 450); /* half of it; the rest is for surprises */
}

static void g4_shrinks_come_first_in_a_plan(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 390);
	wish_for(bench, 0, 420);
	wish_for(bench, 2, 600);
	plan_with_room(bench, HOST_TIGHT, 100);
	assert_int_equal(bench->plan.order_count, 2);
	assert_string_equal(bench->plan.orders[0].name, "vm2");
}

static void g4_no_plan_adds_to_what_the_books_hold(void **state)
{
	struct bench *bench = *state;
	uint64_t seed = 42;
	for (int round = 0; round < 5000; round++) {
		for (size_t i = 0; i < MOST; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			set_size(bench, i, 150 + (seed >> 33) % 650,
				100 + (seed >> 20) % 500);
			bench->facts[i].sample.rss_anon_kib =
				(100 + (seed >> 40) % 700) * MIB + OVERHEAD;
			uint64_t touched = bench->facts[i].sample.rss_anon_kib - OVERHEAD;
			bench->facts[i].sample.cost_kib =
				OVERHEAD +
				max_u64(touched, bench->facts[i].sample.actual_kib);
			wish_for(bench, i, (seed >> 45) % 1000);
		}
		int64_t room = (int64_t)((seed >> 50) % 2000) - 1000;
		uint64_t before = 0, after = 0;
		plan_with_room(bench, (enum host_state)(round % HOST_STATE_COUNT), room);
		for (size_t i = 0; i < MOST; i++) {
			const struct guest_sample *sample = &bench->facts[i].sample;
			const struct order *order = order_for(bench, i);
			uint64_t to = order ? order->to_kib : 0;
			before += sample->cost_kib;
			after += max_u64(sample->cost_kib, to + OVERHEAD);
			if (order)
				assert_in_range(to, 128 * MIB, 800 * MIB);
		}
		assert_true(after <= max_u64(bench->ledger.budget_kib, before));
	}
}

static void g5_a_shrink_takes_at_most_its_part_of_a_guest(void **state)
{
	struct bench *bench = *state;
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_order(bench, 0, 600);
	plan_with_room(bench, HOST_CRITICAL, -500); /* no time for manners */
	assert_order(bench, 0, 300);
}

static void g5_windows_moves_in_chunks(void **state)
{
	struct bench *bench = *state;
	bench->facts[0].windows = true;
	bench->wishes[0] = (struct wish){.has_target = true, .target_kib = 700 * MIB + 1};
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_order(bench, 0, 702);
}

static void g5_a_paced_shrink_never_takes_back_an_order(void **state)
{
	struct bench *bench = *state;
	follow_order(&bench->tracks[0], 800 * MIB, 500 * MIB, LONG_AGO);
	wish_for(bench, 0,
		300); /* the balloon hasn't moved yet: 800 − 25 % is above 500 */
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_null(order_for(bench, 0));
}

static void g6_small_changes_are_no_orders(void **state)
{
	struct bench *bench = *state;
	wish_for(bench, 0, 797);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_null(order_for(bench, 0));
}

static void g6_no_order_against_a_young_one(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 200);
	follow_order(&bench->tracks[0], 400 * MIB, 500 * MIB, NOW - 1000);
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_no_order(bench, 0, "has just grown");

	set_size(bench, 0, 700, 200); /* sent down, called back before it began to move */
	follow_order(&bench->tracks[0], 700 * MIB, 400 * MIB, NOW - 8000);
	follow_order(&bench->tracks[0], 700 * MIB, 600 * MIB, NOW - 1000);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_no_order(bench, 0, "has just grown");

	set_size(bench, 1, 600, 200);
	follow_order(&bench->tracks[1], 600 * MIB, 500 * MIB, NOW - 1000);
	wish_for(bench, 1, 600);
	plan_with_room(bench, HOST_TIGHT, 500);
	assert_no_order(bench, 1, "so soon");
	bench->facts[1].sample.distress = 1;
	plan_with_room(bench, HOST_TIGHT, 500);
	assert_order(bench, 1, 600);
}

static void roomy_hosts_take_nothing(void **state)
{
	struct bench *bench = *state;
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_ROOMY, 1000);
	assert_no_order(bench, 0, "roomy");
}

/* A `max` below the configured memory holds on the roomiest host, wished or not. */
static void a_guest_comes_down_to_the_max_set_for_it(void **state)
{
	struct bench *bench = *state;
	for (size_t i = 0; i < MOST; i++)
		bench->facts[i].sample.limit_kib = 750 * MIB;
	wish_for(bench, 0, 750);
	wish_for(bench, 1, 300);
	plan_with_room(bench, HOST_ROOMY, 5000);
	for (size_t i = 0; i < MOST; i++)
		assert_order(bench, i, 750);
	assert_string_equal(
		order_for(bench, 2)->reason, "it has more than the max set for it");
	plan_with_room(bench, HOST_SNUG, 5000);
	assert_order(bench, 0, 750); /* nobody else needs it, all the same */
}

static void a_guest_above_its_max_keeps_what_it_uses(void **state)
{
	struct bench *bench = *state;
	bench->facts[0].sample.limit_kib = 300 * MIB;
	set_size(bench, 0, 700, 600);
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_order(bench, 0, 632);
	set_size(bench, 0, 632, 600);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_null(order_for(bench, 0));
	set_size(bench, 0, 300, 290); /* once there it never gets more */
	wish_for(bench, 0, 800);
	plan_with_room(bench, HOST_ROOMY, 5000);
	assert_null(order_for(bench, 0));
}

static void g7_a_stuck_target_goes_back_to_where_the_balloon_stopped(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 500, 300);
	bench->guests[0].state = GUEST_STATE_STUCK;
	bench->tracks[0].pull_back = true;
	wish_for(bench, 0, 200);
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_order(bench, 0, 500); /* no room for slack, but back it goes */
	bench->tracks[0].pull_back = false;
	plan_with_room(bench, HOST_TIGHT, 100);
	assert_no_order(bench, 0, "stuck");
}

static void g9_a_fixed_guest_is_left_at_its_maximum(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 500, 300);
	bench->guests[0].state = GUEST_STATE_FIXED;
	wish_for(bench, 0, 200);
	plan_with_room(bench, HOST_TIGHT, 1000);
	assert_order(bench, 0, 800);
	plan_with_room(bench, HOST_TIGHT, 1);
	assert_null(order_for(bench, 0)); /* not by crumbs: there is room for one MiB */
	set_size(bench, 0, 800, 300);
	plan_with_room(bench, HOST_TIGHT, 1000);
	assert_null(order_for(bench, 0));
}

static void only_what_is_missing_is_taken_from_who_has_most(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 300, 290);
	bench->facts[0].sample.demand_kib = 400 * MIB;
	wish_for(bench, 0, 400);
	wish_for(bench, 1, 760);
	wish_for(bench, 2, 650);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 2, 650);
	assert_no_order(bench, 1, "nobody needs");
	bench->facts[0].sample.demand_kib = 340 * MIB;
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 2, 800 - 40 - 64);
	bench->facts[0].sample.demand_kib = 400 * MIB;

	/* what is on its way isn't taken twice */
	follow_order(&bench->tracks[2], 800 * MIB, 650 * MIB, NOW - 500);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_no_order(bench, 1, "nobody needs");
}

static void g8_a_guest_that_suffers_from_a_shrink_is_spared(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 500, 300);
	follow_order(&bench->tracks[0], 600 * MIB, 500 * MIB, NOW - 3000);
	bench->facts[0].sample.distress = 1;
	plan_with_room(bench, HOST_TIGHT, 0);
	bench->facts[0].sample.distress = 0;
	wish_for(bench, 0, 400);
	plan_with_room(bench, HOST_TIGHT, -500);
	assert_no_order(bench, 0, "suffered");
	assert_int_equal(bench->tracks[0].spared_until_ms, NOW + 10000);
	plan_with_room(bench, HOST_CRITICAL, -500);
	assert_order(bench, 0, 400);

	follow_order(&bench->tracks[0], 500 * MIB, 450 * MIB, NOW - 1000); /* again */
	bench->facts[0].sample.distress = 1;
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_int_equal(bench->tracks[0].spared_until_ms, NOW + 20000);
}

/* What lies idle isn't withheld from who suffers; what is needed stays. */
static void a_guest_that_rests_gives_what_it_does_not_need_to_who_suffers(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 500, 200);
	bench->tracks[0].raised = true;
	bench->tracks[0].ordered_ms = NOW - 1000;
	wish_for(bench, 0, 220);
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_no_order(bench, 0, "has just grown");

	set_size(bench, 1, 300, 290);
	bench->facts[1].sample.demand_kib = 500 * MIB;
	bench->facts[1].sample.distress = 1;
	wish_for(bench, 1, 500);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 500 / 4 * 3); /* at the pace of a shrink */
	set_size(bench, 0, 300, 200);
	bench->tracks[0].raised = true;
	bench->tracks[0].ordered_ms = NOW - 1000;
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 240); /* its demand */
}

/* Two guests of equal shares, and what there is for both. */
static void leave_two(struct bench *bench, uint64_t divisible_mib)
{
	bench->count = 2;
	for (size_t i = 0; i < 2; i++)
		bench->facts[i].sample.shares = 1000;
	bench->divisible_kib = divisible_mib * MIB;
}

/* Among those who all suffer, memory isn't handed around for little. */
static void who_suffers_gives_much_or_nothing(void **state)
{
	struct bench *bench = *state;
	leave_two(bench, 640);
	bench->facts[0].sample.distress = bench->facts[1].sample.distress = 1;
	set_size(bench, 0, 400, 395);
	set_size(bench, 1, 260, 255);
	bench->facts[1].sample.demand_kib = 400 * MIB;
	wish_for(bench, 0, 360);
	wish_for(bench, 1, 300);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_no_order(bench, 0, "it suffers, too");
	plan_with_room(bench, HOST_CRITICAL, 0);
	assert_order(bench, 0, 360);
	wish_for(bench, 0, 340);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 340);
	bench->facts[0].sample.distress = 0;
	wish_for(bench, 0, 360);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 360);
}

/* A balloon that waits for a guest to go on brings nothing meanwhile. */
static void what_a_paused_guest_owes_is_not_on_its_way(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 300, 290);
	bench->facts[0].sample.demand_kib = 400 * MIB;
	wish_for(bench, 0, 400);
	wish_for(bench, 1, 650);
	follow_order(&bench->tracks[2], 800 * MIB, 400 * MIB, NOW - 500);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_no_order(bench, 1, "nobody needs");
	bench->guests[2].state = GUEST_STATE_PAUSED;
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 1, 650);
}

/* In an emergency a Windows guest gives what the others don't bring. */
static void e58_windows_gives_last_in_an_emergency(void **state)
{
	struct bench *bench = *state;
	bench->facts[0].windows = true;
	for (size_t i = 0; i < MOST; i++)
		wish_for(bench, i, 500);
	plan_with_room(bench, HOST_CRITICAL, -550);
	assert_no_order(bench, 0, "the others give enough"); /* 600, of 550 less 50 */
	assert_order(bench, 1, 500);
	assert_order(bench, 2, 500);

	/* what they were ordered just now is on its way … */
	for (size_t i = 1; i < MOST; i++)
		follow_order(&bench->tracks[i], 800 * MIB, 500 * MIB, NOW - 200);
	plan_with_room(bench, HOST_CRITICAL, -550);
	assert_no_order(bench, 0, "the others give enough");
	/* … but what doesn't come saves nobody */
	for (size_t i = 1; i < MOST; i++)
		bench->tracks[i].ordered_ms = NOW - 3000;
	plan_with_room(bench, HOST_CRITICAL, -550);
	assert_order(bench, 0, 500);
}

static void e58_windows_gives_what_the_others_cannot(void **state)
{
	struct bench *bench = *state;
	bench->facts[0].windows = true;
	for (size_t i = 0; i < MOST; i++)
		wish_for(bench, i, 500);
	plan_with_room(bench, HOST_CRITICAL, -750);
	assert_order(bench, 0, 800 - 100 - 64); /* 750 less 50, and the others' 600 */
	for (size_t i = 1; i < MOST; i++)
		set_size(bench, i, 128, 100); /* at their floors */
	plan_with_room(bench, HOST_CRITICAL, -750);
	assert_order(bench, 0, 500);

	/* where there is time, all are alike */
	set_size(bench, 1, 800, 200);
	plan_with_room(bench, HOST_TIGHT, -100);
	assert_order(bench, 0, 600);
	assert_order(bench, 1, 600);
}

/* Two guests hold 800 MiB each; the third ran out at 400, and took 30 back by itself. */
static void let_run_out(struct bench *bench)
{
	set_size(bench, 0, 430, 410);
	bench->facts[0].sample.demand_kib = 450 * MIB;
	bench->tracks[0].released = true;
	wish_for(bench, 0, 450);
	for (size_t i = 1; i < MOST; i++) {
		set_size(bench, i, 800, 700);
		wish_for(bench, i, 750);
	}
}

static void e12_who_ran_out_gets_all_it_may_have_at_once(void **state)
{
	struct bench *bench = *state;
	let_run_out(bench);
	plan_with_room(bench, HOST_SNUG, 1000);
	assert_order(bench, 0, 800);
	assert_non_null(strstr(order_for(bench, 0)->reason, "ran out"));

	/* neither a wish for less nor the calm after an order is in the way */
	let_run_out(bench);
	wish_for(bench, 0, 300);
	bench->tracks[0].ordered_ms = NOW - 3500;
	bench->tracks[0].from_kib = 500 * MIB;
	plan_with_room(bench, HOST_SNUG, 1000);
	assert_order(bench, 0, 800);

	/* a balloon that stopped on its way down can still be let go */
	let_run_out(bench);
	bench->guests[0].state = GUEST_STATE_STUCK;
	plan_with_room(bench, HOST_SNUG, 1000);
	assert_order(bench, 0, 800);
}

/* Beyond its need nobody gives for it: it gets what is free, and half of the reserve. */
static void e12_who_ran_out_squeezes_nobody_for_it(void **state)
{
	struct bench *bench = *state;
	let_run_out(bench);
	plan_with_room(bench, HOST_SNUG, 60);
	assert_order(bench, 0, 430 + 60 + 50);
	assert_no_order(bench, 1, "nobody needs");
	assert_no_order(bench, 2, "nobody needs");

	/* it is offered once: then it goes on by need, as all do */
	plan_with_room(bench, HOST_SNUG, 60);
	assert_order(bench, 0, 450);
	let_run_out(bench);
	plan_with_room(bench, HOST_SNUG, -50);
	assert_no_order(bench, 0, "waits");
	plan_with_room(bench, HOST_SNUG, 60);
	assert_order(bench, 0, 450);
}

static void e12_hands_stay_off_who_ran_out_elsewhere(void **state)
{
	struct bench *bench = *state;
	let_run_out(bench);
	bench->guests[0].state = GUEST_STATE_BUSY;
	plan_with_room(bench, HOST_SNUG, 1000);
	assert_null(order_for(bench, 0));
	/* what it is owed isn't forgotten */
	bench->guests[0].state = GUEST_STATE_MANAGED;
	plan_with_room(bench, HOST_SNUG, 1000);
	assert_order(bench, 0, 800);
}

/* Nobody keeps what came first, where somebody starves on less than its share. */
static void g11_who_starves_below_its_share_gets_it_from_who_has_more(void **state)
{
	struct bench *bench = *state;
	leave_two(bench, 700);
	set_size(bench, 0, 500, 495);
	set_size(bench, 1, 200, 195);
	bench->facts[1].sample.demand_kib = 300 * MIB;
	wish_for(bench, 0, 400);
	wish_for(bench, 1, 300);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_no_order(bench, 0, "");
	bench->facts[1].sample.distress = 1;
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 400);

	/* the share itself stays, however loud the other one cries */
	wish_for(bench, 0, 300);
	set_size(bench, 0, 460, 455);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_order(bench, 0, 350);

	/* who has its share asks for more in vain */
	set_size(bench, 1, 350, 345);
	bench->facts[1].sample.demand_kib = 500 * MIB;
	wish_for(bench, 1, 500);
	plan_with_room(bench, HOST_SNUG, 0);
	assert_no_order(bench, 0, "");
}

/* It will take memory faster than balloons give it, so they begin before it asks. */
static void g11_who_boots_finds_its_share(void **state)
{
	struct bench *bench = *state;
	leave_two(bench, 100);
	bench->count = 3;
	bench->facts[2].sample.shares = 1000;
	bench->guests[2].state = GUEST_STATE_BOOTING;
	bench->guests[2].fresh = false;
	set_size(bench, 0, 460, 455);
	set_size(bench, 1, 200, 195);
	wish_for(bench, 0, 300);
	plan_with_room(bench, HOST_SNUG, 1200 - 460 - 200 - 800);
	assert_null(order_for(bench, 0));
	plan_with_room(bench, HOST_SNUG, 1050 - 460 - 200 - 800);
	assert_order(bench, 0, 350);
	assert_null(order_for(bench, 2));

	/* on its way down to its share it isn't let off */
	set_size(bench, 1, 350, 345);
	bench->tracks[0].target_kib = 350 * MIB;
	plan_with_room(bench, HOST_SNUG, 1050 - 460 - 350 - 800);
	assert_int_equal(bench->plan.order_count, 0);

	/* and small gifts count, whoever suffers */
	set_size(bench, 0, 390, 385);
	bench->facts[0].sample.distress = 1;
	plan_with_room(bench, HOST_SNUG, 1050 - 390 - 350 - 800);
	assert_order(bench, 0, 350);
}

static void idle_memory_comes_back_later_than_what_is_needed(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 500, 300);
	follow_order(&bench->tracks[0], 600 * MIB, 500 * MIB, NOW - 10000);
	wish_for(bench, 0, 700);
	plan_with_room(bench, HOST_SNUG, 500);
	assert_no_order(bench, 0, "so soon");
	bench->facts[0].sample.demand_kib = 520 * MIB;
	plan_with_room(bench, HOST_SNUG, 500);
	assert_order(bench, 0, 700);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Its RAM was set aside before anybody was counted, so no memory has to arrive for it. */
static void huge_pages_cost_the_books_nothing(void **state)
{
	struct bench *bench = *state;
	set_size(bench, 0, 400, 200);
	bench->facts[0].hugepages = true;
	bench->facts[0].sample.cost_kib = OVERHEAD;
	bench->guests[0].state = GUEST_STATE_FIXED;
	plan_with_room(bench, HOST_TIGHT, 0);
	assert_order(bench, 0, 800);
	assert_true(bench->ledger.cost_kib <= bench->ledger.budget_kib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(g1_a_target_stays_between_minimum_and_maximum),
		TEST(g1_nothing_is_taken_that_a_guest_uses),
		TEST(g2_no_shrink_without_fresh_statistics),
		TEST(g3_hands_off_a_guest_that_is_busy_booting_or_opted_out),
		TEST(g3_a_reboot_raises_the_target_to_the_maximum),
		TEST(g4_growth_waits_for_memory_that_has_arrived),
		TEST(g4_distress_may_draw_on_the_reserve),
		TEST(g4_shrinks_come_first_in_a_plan),
		TEST(g4_no_plan_adds_to_what_the_books_hold),
		TEST(g5_a_shrink_takes_at_most_its_part_of_a_guest),
		TEST(g5_windows_moves_in_chunks),
		TEST(g5_a_paced_shrink_never_takes_back_an_order),
		TEST(g6_small_changes_are_no_orders),
		TEST(g6_no_order_against_a_young_one),
		TEST(roomy_hosts_take_nothing),
		TEST(a_guest_comes_down_to_the_max_set_for_it),
		TEST(a_guest_above_its_max_keeps_what_it_uses),
		TEST(only_what_is_missing_is_taken_from_who_has_most),
		TEST(g8_a_guest_that_suffers_from_a_shrink_is_spared),
		TEST(a_guest_that_rests_gives_what_it_does_not_need_to_who_suffers),
		TEST(what_a_paused_guest_owes_is_not_on_its_way),
		TEST(who_suffers_gives_much_or_nothing),
		TEST(g11_who_starves_below_its_share_gets_it_from_who_has_more),
		TEST(g11_who_boots_finds_its_share),
		TEST(idle_memory_comes_back_later_than_what_is_needed),
		TEST(e58_windows_gives_last_in_an_emergency),
		TEST(e58_windows_gives_what_the_others_cannot),
		TEST(e12_who_ran_out_gets_all_it_may_have_at_once),
		TEST(e12_who_ran_out_squeezes_nobody_for_it),
		TEST(e12_hands_stay_off_who_ran_out_elsewhere),

		TEST(g7_a_stuck_target_goes_back_to_where_the_balloon_stopped),
		TEST(g9_a_fixed_guest_is_left_at_its_maximum),
		TEST(huge_pages_cost_the_books_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
