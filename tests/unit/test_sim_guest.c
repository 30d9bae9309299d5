/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mom/units.h"
#include "sim/world.h"

#define MIB     ((double)KIB_PER_MIB)
#define STEP_MS 50

/* One guest of 1 GiB on a host of 4, up and running, with this much to do. */
struct bench {
	struct sim_world world;
	struct work work;
	struct sim_guest *guest;
};

static void begin(struct bench *bench, const struct guest_make *make, double need_mib)
{
	work_init(&bench->work);
	*work_add(&bench->work) = (struct work_point){
		.need_kib = need_mib * MIB, .active_kib = need_mib * MIB};
	world_init(&bench->world, &(struct host_make){.memory_kib = 4 * KIB_PER_GIB,
					  .swap_kib_per_s = 100 * MIB});
	bench->guest = world_add_guest(&bench->world, "vm", make, &bench->work, 1);
	world_add_event(&bench->world, &(struct world_event){.deed = DEED_START});
	world_ready(&bench->world);
}

static struct guest_make usual(void)
{
	struct guest_make make = guest_make_usual();
	make.max_kib = KIB_PER_GIB;
	make.swap_kib = 512 * KIB_PER_MIB;
	make.boot_ms = 1000;
	make.boot_touch_kib = 900 * MIB;
	make.kernel_kib = 50 * MIB;
	return make;
}

static void end(struct bench *bench)
{
	world_done(&bench->world);
	work_done(&bench->work);
}

/* Memory never comes from nowhere or gets lost. */
static void assert_sums_up(const struct sim_guest *guest)
{
	double sum = guest->anon + guest->cache + guest->touched_free + guest->untouched +
		     guest->balloon;
	assert_float_equal(sum, (double)guest->make.max_kib, 1);
}

static void let_pass(struct bench *bench, int64_t ms)
{
	for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
		world_step(&bench->world, STEP_MS);
		assert_sums_up(bench->guest);
	}
}

static void only_the_balloon_gives_memory_back_to_the_host(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 300);
	let_pass(&bench, 3000);
	double before = sim_guest_rss(bench.guest);
	bench.work.points[0].need_kib = bench.work.points[0].active_kib = 100 * MIB;
	let_pass(&bench, 3000);
	assert_float_equal(sim_guest_rss(bench.guest), before, 1);
	sim_guest_order(bench.guest, 400 * MIB);
	let_pass(&bench, 3000);
	assert_float_equal(bench.guest->actual, 400 * MIB, 1);
	assert_true(sim_guest_rss(bench.guest) < before - 400 * MIB);
	end(&bench);
}

static void a_fixed_guest_obeys_and_the_host_gains_nothing(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	make.fault = FAULT_FIXED;
	begin(&bench, &make, 100);
	let_pass(&bench, 3000);
	double before = sim_guest_rss(bench.guest);
	sim_guest_order(bench.guest, 400 * MIB);
	let_pass(&bench, 3000);
	assert_float_equal(bench.guest->actual, 400 * MIB, 1);
	assert_float_equal(sim_guest_rss(bench.guest), before, 1);
	end(&bench);
}

/* A guest that had touched all it has, on its way from 1 GiB to 300 MiB. */
static void begin_to_shrink(struct bench *bench)
{
	struct guest_make make = usual();
	make.inflate_kib_per_s = 100 * MIB;
	make.boot_touch_kib = 1024 * MIB;
	begin(bench, &make, 100);
	let_pass(bench, 3000);
	sim_guest_order(bench->guest, 300 * MIB);
}

static void a_balloon_moves_at_its_pace(void **state)
{
	(void)state;
	struct bench bench;
	begin_to_shrink(&bench);
	let_pass(&bench, 2000);
	assert_float_equal(bench.guest->actual, (1024 - 200) * MIB, 5 * MIB);
	end(&bench);
}

static void qemu_tells_of_a_moving_balloon_once_a_second(void **state)
{
	(void)state;
	struct bench bench;
	begin_to_shrink(&bench);
	let_pass(&bench, 900);
	assert_true(bench.guest->told_actual > bench.guest->actual + 50 * MIB);
	let_pass(&bench, 200);
	assert_true(bench.guest->told_actual < bench.guest->actual + 50 * MIB);
	let_pass(&bench, 9000);
	assert_float_equal(bench.guest->told_actual, 300 * MIB, 1);
	end(&bench);
}

/* What it holds of the host after a squeeze to 400 MiB and back to 800, none in use. */
static double rss_after_squeeze(bool huge)
{
	struct bench bench;
	struct guest_make make = usual();
	make.huge = huge;
	begin(&bench, &make, 10);
	let_pass(&bench, 3000);
	sim_guest_order(bench.guest, 400 * MIB);
	let_pass(&bench, 3000);
	sim_guest_order(bench.guest, 800 * MIB);
	let_pass(&bench, 3000);
	double rss = sim_guest_rss(bench.guest);
	end(&bench);
	return rss;
}

static void huge_pages_are_backed_as_soon_as_the_balloon_leaves_them(void **state)
{
	(void)state;
	assert_true(rss_after_squeeze(false) < 480 * MIB);
	assert_true(rss_after_squeeze(true) > 800 * MIB);
}

/* Page touches that two guests get done, which need twice what they have. */
static double thrashing_work(uint64_t processors)
{
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 400);
	bench.world.make.processors = processors;
	world_add_guest(&bench.world, "other", &make, &bench.work, 1);
	world_add_event(&bench.world, &(struct world_event){.guest = 1});
	world_ready(&bench.world);
	bench.guest = &bench.world.guests[0];
	let_pass(&bench, 3000);
	sim_guest_order(&bench.world.guests[0], 250 * MIB);
	sim_guest_order(&bench.world.guests[1], 250 * MIB);
	let_pass(&bench, 10000);
	double before = bench.guest->tally.work_done;
	let_pass(&bench, 10000);
	double done = bench.guest->tally.work_done - before;
	end(&bench);
	return done;
}

static void guests_that_thrash_share_the_processors(void **state)
{
	(void)state;
	double plenty = thrashing_work(0);
	assert_float_equal(thrashing_work(2), plenty, 1);
	assert_true(thrashing_work(1) < 0.7 * plenty);
}

static void a_balloon_stops_where_nothing_is_left_to_take(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	make.swap_kib = 0;
	begin(&bench, &make, 500);
	let_pass(&bench, 3000);
	sim_guest_order(bench.guest, 200 * MIB);
	let_pass(&bench, 5000);
	double least = 500 * MIB + sim_guest_least(bench.guest);
	assert_float_equal(bench.guest->actual, least, MIB);
	assert_int_equal(bench.guest->tally.ooms, 0);
	end(&bench);
}

static void what_is_missing_is_swapped_and_costs_work(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 500);
	let_pass(&bench, 3000);
	assert_float_equal(bench.guest->tally.work_done, bench.guest->tally.work_wanted,
		bench.guest->tally.work_wanted * 0.01);
	sim_guest_order(bench.guest, 300 * MIB);
	let_pass(&bench, 20000);
	assert_true(bench.guest->swapped > 200 * MIB);
	assert_true(bench.guest->tally.swap_in_kib > 0);
	assert_true(bench.guest->tally.work_done < bench.guest->tally.work_wanted * 0.95);
	end(&bench);
}

static void need_beyond_memory_and_swap_ends_the_programs(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 2000);
	let_pass(&bench, 20000);
	assert_true(bench.guest->tally.ooms >= 1);
	assert_true(bench.guest->present);
	end(&bench);
}

static void a_reset_forgets_the_balloon_but_qemu_tells_the_old_size(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 100);
	let_pass(&bench, 3000);
	sim_guest_order(bench.guest, 400 * MIB);
	let_pass(&bench, 3000);
	sim_guest_boot(bench.guest, bench.world.now_ms);
	let_pass(&bench, 900);
	assert_float_equal(bench.guest->actual, 400 * MIB, 1);
	assert_true(sim_guest_rss(bench.guest) > 700 * MIB);
	let_pass(&bench, 3000);
	assert_true(sim_guest_rss(bench.guest) < 500 * MIB); /* the driver is back */
	end(&bench);
}

static void a_host_without_swap_kills_the_largest(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 900);
	bench.world.make.memory_kib = 600 * KIB_PER_MIB;
	let_pass(&bench, 3000);
	assert_true(bench.guest->killed);
	assert_int_equal(bench.world.tally.killed, 1);
	end(&bench);
}

static void a_host_with_swap_pays_in_time(void **state)
{
	(void)state;
	struct bench bench;
	struct guest_make make = usual();
	begin(&bench, &make, 900);
	bench.world.make.memory_kib = 600 * KIB_PER_MIB;
	bench.world.make.swap_kib = KIB_PER_GIB;
	let_pass(&bench, 10000);
	assert_false(bench.guest->killed);
	assert_true(bench.world.host.swapped > 200 * MIB);
	assert_true(bench.world.host.psi_full > 0.1);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_balloon_gives_memory_back_to_the_host),
		cmocka_unit_test(a_fixed_guest_obeys_and_the_host_gains_nothing),
		cmocka_unit_test(a_balloon_moves_at_its_pace),
		cmocka_unit_test(qemu_tells_of_a_moving_balloon_once_a_second),
		cmocka_unit_test(
			huge_pages_are_backed_as_soon_as_the_balloon_leaves_them),
		cmocka_unit_test(guests_that_thrash_share_the_processors),
		cmocka_unit_test(a_balloon_stops_where_nothing_is_left_to_take),
		cmocka_unit_test(what_is_missing_is_swapped_and_costs_work),
		cmocka_unit_test(need_beyond_memory_and_swap_ends_the_programs),
		cmocka_unit_test(a_reset_forgets_the_balloon_but_qemu_tells_the_old_size),
		cmocka_unit_test(a_host_without_swap_kills_the_largest),
		cmocka_unit_test(a_host_with_swap_pays_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
