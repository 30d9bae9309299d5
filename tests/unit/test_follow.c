/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/follow.h"
#include "mom/mem.h"
#include "mom/units.h"

#define MIB      KIB_PER_MIB
#define START    1000000
#define OVERHEAD (64 * MIB)

static const struct follow_terms terms = {
	.hold_off_ms = 60000,
	.stuck_ms = 10000,
	.stuck_most_ms = 3600000,
	.step_kib = 2 * MIB,
	.step_ratio = 0.005,
};

/* One guest of 800 MiB, all touched. */
struct bench {
	struct guest_facts facts;
	struct balloon_track track;
	int64_t now_ms;
};

static enum follow_event look(struct bench *bench, uint64_t after_ms, uint64_t actual_mib)
{
	bench->now_ms += (int64_t)after_ms;
	bench->facts.sample.actual_kib = actual_mib * MIB;
	return follow_balloon(&bench->track, &bench->facts, &terms, bench->now_ms);
}

static void hold(struct bench *bench, uint64_t mib)
{
	bench->facts.sample.rss_anon_kib = mib * MIB + OVERHEAD;
}

static void order(struct bench *bench, uint64_t target_mib)
{
	follow_order(&bench->track, bench->facts.sample.actual_kib, target_mib * MIB,
		bench->now_ms);
}

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	bench->now_ms = START;
	bench->facts = (struct guest_facts){
		.run = GUEST_RUNNING,
		.sample =
			{
				.max_kib = 800 * MIB,
				.limit_kib = 800 * MIB,
				.has_actual = true,
				.has_rss = true,
				.has_overhead = true,
				.overhead_kib = OVERHEAD,
			},
	};
	hold(bench, 800);
	assert_int_equal(look(bench, 0, 800), FOLLOW_NOTHING);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void a_size_found_is_the_target(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(bench->track.target_kib, 800 * MIB);
	assert_false(bench->track.reset);
}

static void a_reboot_forgets_the_order(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	look(bench, 5000, 400);
	bench->facts.boots++;
	look(bench, 1000, 400);
	assert_true(bench->track.reset); /* QEMU keeps 400: somebody must order max */
	order(bench, 800);
	assert_false(bench->track.reset);
}

/* momd began while an order from before was on its way: nobody else's hands. */
static void a_balloon_that_moves_when_first_seen_is_nobodys(void **state)
{
	struct bench *bench = *state;
	look(bench, 0, 800);
	assert_int_equal(look(bench, 1000, 700), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 2000, 600), FOLLOW_NOTHING);
	assert_int_equal(bench->track.target_kib, 600 * MIB);
	assert_int_equal(bench->track.held_until_ms, 0);
	assert_int_equal(look(bench, 3000, 600), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 1000, 500), FOLLOW_ADOPTED);
}

static void a_size_set_elsewhere_is_adopted(void **state)
{
	struct bench *bench = *state;
	order(bench, 600);
	assert_int_equal(look(bench, 5000, 600), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 1000, 500), FOLLOW_ADOPTED);
	assert_int_equal(bench->track.target_kib, 500 * MIB);
	assert_int_equal(bench->track.held_until_ms, bench->now_ms + 60000);
}

static void a_balloon_on_its_way_is_nobody_elses(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	for (uint64_t mib = 800; mib >= 400; mib -= 50)
		assert_int_equal(look(bench, 2000, mib), FOLLOW_NOTHING);
	assert_true(bench->track.arrived);
}

static void reports_lag_behind_a_new_order(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	look(bench, 3500, 600);
	order(bench, 700); /* turned round half way */
	assert_int_equal(look(bench, 500, 550), FOLLOW_NOTHING);
	assert_int_equal(bench->track.target_kib, 700 * MIB);
}

static void answers_are_timed(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(bench->track.answer_ms, 0);
	order(bench, 600);
	look(bench, 400, 700);
	look(bench, 400, 600);
	assert_int_equal(bench->track.answer_ms, 800);
	order(bench, 500);
	look(bench, 1600, 500);
	assert_int_equal(bench->track.answer_ms, 1000);
}

static void a_residue_counts_as_there(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	look(bench, 1000, 402);
	assert_true(bench->track.arrived);
	assert_int_equal(look(bench, 60000, 402), FOLLOW_NOTHING);
}

static void a_balloon_that_stops_short_is_stuck(void **state)
{
	struct bench *bench = *state;
	order(bench, 300);
	look(bench, 2000, 500);
	assert_int_equal(look(bench, 9000, 500), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 1000, 500), FOLLOW_STUCK);
	assert_true(bench->track.pull_back);
	assert_int_equal(bench->track.target_kib, 500 * MIB);
	assert_int_equal(follow_stuck_target(&bench->facts.sample), 510 * MIB);
	assert_int_equal(bench->track.stuck_until_ms, bench->now_ms + 30000);
}

static void a_stuck_balloon_is_tried_less_and_less(void **state)
{
	struct bench *bench = *state;
	int64_t pause_ms = 0;
	for (int i = 0; i < 12; i++) {
		order(bench, 300);
		assert_int_equal(
			look(bench, 10000, 500), i ? FOLLOW_STUCK : FOLLOW_NOTHING);
		if (i == 0)
			look(bench, 10000, 500);
		int64_t next_ms = bench->track.stuck_until_ms - bench->now_ms;
		assert_true(next_ms > pause_ms || next_ms == 3600000);
		pause_ms = next_ms;
	}
	assert_int_equal(pause_ms, 3600000);
	order(bench, 300);
	look(bench, 5000, 300); /* it obeys at last */
	assert_int_equal(bench->track.stuck_count, 0);
}

/* The target went back to where it stopped in between, and the balloon is there. */
static void coming_back_is_no_success(void **state)
{
	struct bench *bench = *state;
	int64_t pause_ms = 0;
	for (int i = 0; i < 5; i++) {
		order(bench, 300);
		look(bench, 5000, 800);
		assert_int_equal(look(bench, 5000, 800), FOLLOW_STUCK);
		int64_t next_ms = bench->track.stuck_until_ms - bench->now_ms;
		assert_true(next_ms > pause_ms);
		pause_ms = next_ms;
		order(bench, 800);
		look(bench, 1000, 800);
		look(bench, (uint64_t)pause_ms, 800);
	}
}

static void slow_is_not_stuck_however_often_it_is_looked_at(void **state)
{
	struct bench *bench = *state;
	order(bench, 300);
	bench->facts.sample.actual_kib = 800 * MIB;
	for (int i = 0; i < 3000; i++) { /* 1 MiB a second, ten looks a second */
		bench->now_ms += 100;
		bench->facts.sample.actual_kib -= 102;
		assert_int_equal(follow_balloon(&bench->track, &bench->facts, &terms,
					 bench->now_ms),
			FOLLOW_NOTHING);
	}
}

static void slow_is_not_stuck(void **state)
{
	struct bench *bench = *state;
	order(bench, 300);
	for (uint64_t mib = 799; mib > 700; mib--)
		assert_int_equal(look(bench, 9000, mib), FOLLOW_NOTHING);
}

static void a_guest_that_cannot_act_is_not_stuck(void **state)
{
	struct bench *bench = *state;
	order(bench, 300);
	bench->facts.run = GUEST_PAUSED;
	assert_int_equal(look(bench, 600000, 800), FOLLOW_NOTHING);
	bench->facts.run = GUEST_RUNNING;
	bench->facts.busy = true;
	assert_int_equal(look(bench, 600000, 800), FOLLOW_NOTHING);
	bench->facts.busy = false;
	assert_int_equal(look(bench, 9000, 800), FOLLOW_NOTHING);
}

/* One shrink that the guest obeys to the letter; what the host holds is up to the test.
 */
static enum follow_event shrink(struct bench *bench, uint64_t to_mib, uint64_t held_mib)
{
	order(bench, to_mib);
	look(bench, 4000, to_mib);
	hold(bench, held_mib);
	return look(bench, 2500, to_mib);
}

static void a_guest_that_yields_nothing_twice_is_fixed(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(shrink(bench, 700, 800), FOLLOW_NOTHING);
	assert_false(bench->track.fixed);
	assert_int_equal(shrink(bench, 600, 800), FOLLOW_FIXED);
	assert_true(bench->track.fixed);
	bench->facts.boots++;
	look(bench, 1000, 600);
	assert_false(bench->track.fixed);
}

static void one_gain_in_between_clears_a_guest(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(shrink(bench, 700, 800), FOLLOW_NOTHING);
	assert_int_equal(shrink(bench, 600, 600), FOLLOW_NOTHING);
	assert_int_equal(shrink(bench, 500, 600), FOLLOW_NOTHING);
	assert_false(bench->track.fixed);
}

static void untouched_memory_proves_nothing(void **state)
{
	struct bench *bench = *state;
	hold(bench, 200);
	assert_int_equal(shrink(bench, 600, 200), FOLLOW_NOTHING);
	assert_int_equal(shrink(bench, 400, 200), FOLLOW_NOTHING);
	assert_false(bench->track.fixed);
}

/* One after the other, each too small to tell: what they bring is judged together. */
static void small_shrinks_are_proved_together(void **state)
{
	struct bench *bench = *state;
	for (uint64_t mib = 790; mib > 600 && !bench->track.fixed; mib -= 10) {
		order(bench, mib);
		look(bench, 1000, mib);
	}
	assert_true(bench->track.fixed);
}

static void small_shrinks_that_yield_prove_a_guest(void **state)
{
	struct bench *bench = *state;
	for (uint64_t mib = 790; mib > 400; mib -= 10) {
		order(bench, mib);
		hold(bench, mib);
		look(bench, 1000, mib);
	}
	assert_false(bench->track.fixed);
	assert_int_equal(bench->track.fruitless, 0);
}

static void a_refused_order_is_tried_less_and_less(void **state)
{
	struct bench *bench = *state;
	int64_t pause_ms = 0;
	for (int i = 0; i < 10; i++) {
		order(bench, 300);
		follow_refused(&bench->track, 800 * MIB, -EPERM, bench->now_ms);
		assert_int_equal(bench->track.target_kib, 800 * MIB);
		int64_t next_ms = bench->track.refused_until_ms - bench->now_ms;
		assert_true(next_ms > pause_ms || next_ms == 60000);
		pause_ms = next_ms;
		look(bench, (uint64_t)pause_ms, 800);
	}
	assert_int_equal(pause_ms, 60000);
	follow_taken(&bench->track, 800 * MIB);
	follow_refused(&bench->track, 800 * MIB, -EBUSY, bench->now_ms);
	assert_int_equal(bench->track.refused_until_ms, bench->now_ms + 1000);
}

/* QEMU still heads for what it took before. */
static void a_refused_order_leaves_the_one_before(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	follow_taken(&bench->track, 400 * MIB);
	look(bench, 1000, 700);
	order(bench, 300);
	follow_refused(&bench->track, 700 * MIB, -EBUSY, bench->now_ms);
	assert_int_equal(bench->track.target_kib, 400 * MIB);
	assert_int_equal(look(bench, 4000, 500), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 1000, 400), FOLLOW_NOTHING);
	assert_true(bench->track.arrived);
	assert_int_equal(bench->track.target_kib, 400 * MIB);
}

/* It may be carried out behind our back, and then it is where we sent it. */
static void an_order_that_is_late_stands(void **state)
{
	struct bench *bench = *state;
	order(bench, 300);
	follow_refused(&bench->track, 800 * MIB, -ETIMEDOUT, bench->now_ms);
	assert_int_equal(bench->track.target_kib, 300 * MIB);
	assert_true(bench->track.refused_until_ms > bench->now_ms);
	assert_int_equal(look(bench, 5000, 300), FOLLOW_NOTHING);
	assert_int_equal(bench->track.held_until_ms, 0);
}

static void memory_taken_back_in_need_is_no_other_hand(void **state)
{
	struct bench *bench = *state;
	bench->facts.autodeflate = true;
	order(bench, 400);
	look(bench, 4000, 400);
	assert_int_equal(look(bench, 1000, 500), FOLLOW_RELEASED);
	assert_int_equal(bench->track.held_until_ms, 0);
	assert_int_equal(bench->track.target_kib, 500 * MIB);
	/* it is owed all it may have, until something is ordered */
	assert_true(bench->track.released);
	look(bench, 1000, 500);
	assert_true(bench->track.released);
	order(bench, 800);
	assert_false(bench->track.released);
}

/* A reboot gives all back as well, and a hand that isn't the guest's may. */
static void e12_nothing_is_owed_for_what_others_did(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	look(bench, 4000, 400);
	assert_int_equal(look(bench, 1000, 500), FOLLOW_ADOPTED);
	assert_false(bench->track.released);
	bench->facts.autodeflate = true;
	assert_int_equal(look(bench, 1000, 600), FOLLOW_RELEASED);
	bench->facts.boots++;
	assert_int_equal(look(bench, 1000, 800), FOLLOW_NOTHING);
	assert_false(bench->track.released);
}

/* Set by hand, or its driver left: what came is there for the taking, and nobody took
 * it. */
static void e12_who_has_untouched_memory_did_not_run_out(void **state)
{
	struct bench *bench = *state;
	bench->facts.autodeflate = bench->facts.keeps_touched = true;
	order(bench, 400);
	hold(bench, 400);
	look(bench, 4000, 400);
	assert_int_equal(look(bench, 1000, 800), FOLLOW_ADOPTED);
	assert_false(bench->track.released);
	assert_int_equal(bench->track.held_until_ms, bench->now_ms + 60000);

	/* some of it lies in the host's swap, or was never anybody's */
	bench->facts.sample.swap_kib = 100 * MIB;
	bench->facts.sample.has_total = true;
	bench->facts.sample.total_kib = 700 * MIB;
	hold(bench, 420);
	order(bench, 500);
	look(bench, 4000, 500);
	assert_int_equal(look(bench, 1000, 800), FOLLOW_RELEASED);
}

/* Where memory goes back otherwise, or none of it is QEMU's own, that tells nothing. */
static void e12_untouched_memory_tells_only_where_it_stays(void **state)
{
	struct bench *bench = *state;
	bench->facts.autodeflate = true;
	order(bench, 400);
	hold(bench, 400);
	look(bench, 4000, 400);
	assert_int_equal(look(bench, 1000, 800), FOLLOW_RELEASED);
	bench->facts.keeps_touched = true;
	bench->facts.sample.has_rss = false;
	order(bench, 400);
	look(bench, 4000, 400);
	assert_int_equal(look(bench, 1000, 800), FOLLOW_RELEASED);
}

/* A DIMM is a jump of both the maximum and the size, and neither need nor other hands. */
static void e39_memory_that_is_plugged_in_is_nobodys_move(void **state)
{
	struct bench *bench = *state;
	bench->facts.autodeflate = true;
	order(bench, 600);
	assert_int_equal(look(bench, 5000, 600), FOLLOW_NOTHING);
	bench->facts.sample.max_kib = bench->facts.sample.limit_kib = 1000 * MIB;
	assert_int_equal(look(bench, 5000, 800), FOLLOW_NOTHING);
	assert_int_equal(bench->track.target_kib, 800 * MIB);
	bench->facts.autodeflate = false;
	bench->facts.sample.max_kib = bench->facts.sample.limit_kib = 1200 * MIB;
	assert_int_equal(look(bench, 5000, 1000), FOLLOW_NOTHING);
	assert_int_equal(bench->track.held_until_ms, 0);
	/* and out again, which the order before survives */
	bench->facts.sample.max_kib = bench->facts.sample.limit_kib = 800 * MIB;
	assert_int_equal(look(bench, 5000, 600), FOLLOW_NOTHING);
	assert_int_equal(bench->track.target_kib, 600 * MIB);
	assert_false(bench->track.released);
	/* what the guest takes by itself is told as ever */
	bench->facts.autodeflate = true;
	assert_int_equal(look(bench, 5000, 700), FOLLOW_RELEASED);
}

static void e39_an_order_on_its_way_is_not_lost_by_it(void **state)
{
	struct bench *bench = *state;
	order(bench, 400);
	assert_int_equal(look(bench, 1000, 700), FOLLOW_NOTHING);
	bench->facts.sample.max_kib = bench->facts.sample.limit_kib = 1000 * MIB;
	assert_int_equal(look(bench, 1000, 850), FOLLOW_NOTHING); /* 50 of it went */
	assert_int_equal(bench->track.target_kib, 600 * MIB);
	assert_int_equal(look(bench, 5000, 700), FOLLOW_NOTHING);
	assert_int_equal(look(bench, 5000, 600), FOLLOW_NOTHING);
	assert_true(bench->track.arrived);
}

/* virtio-mem that is there and not yet plugged: the balloon hasn't moved. */
static void e40_a_maximum_alone_moves_no_target(void **state)
{
	struct bench *bench = *state;
	order(bench, 600);
	look(bench, 5000, 600);
	bench->facts.sample.max_kib = 1000 * MIB;
	assert_int_equal(look(bench, 5000, 600), FOLLOW_NOTHING);
	assert_int_equal(bench->track.target_kib, 600 * MIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_size_found_is_the_target),
		TEST(a_reboot_forgets_the_order),
		TEST(a_balloon_that_moves_when_first_seen_is_nobodys),
		TEST(a_size_set_elsewhere_is_adopted),
		TEST(a_balloon_on_its_way_is_nobody_elses),
		TEST(reports_lag_behind_a_new_order),
		TEST(answers_are_timed),
		TEST(a_residue_counts_as_there),

		TEST(a_balloon_that_stops_short_is_stuck),
		TEST(a_stuck_balloon_is_tried_less_and_less),
		TEST(coming_back_is_no_success),
		TEST(slow_is_not_stuck_however_often_it_is_looked_at),
		TEST(slow_is_not_stuck),
		TEST(a_guest_that_cannot_act_is_not_stuck),
		TEST(a_guest_that_yields_nothing_twice_is_fixed),
		TEST(one_gain_in_between_clears_a_guest),
		TEST(untouched_memory_proves_nothing),
		TEST(small_shrinks_are_proved_together),
		TEST(small_shrinks_that_yield_prove_a_guest),
		TEST(a_refused_order_is_tried_less_and_less),
		TEST(a_refused_order_leaves_the_one_before),
		TEST(an_order_that_is_late_stands),
		TEST(memory_taken_back_in_need_is_no_other_hand),
		TEST(e12_nothing_is_owed_for_what_others_did),
		TEST(e12_who_has_untouched_memory_did_not_run_out),
		TEST(e12_untouched_memory_tells_only_where_it_stays),
		TEST(e39_memory_that_is_plugged_in_is_nobodys_move),
		TEST(e39_an_order_on_its_way_is_not_lost_by_it),
		TEST(e40_a_maximum_alone_moves_no_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
