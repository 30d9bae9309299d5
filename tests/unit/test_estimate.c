/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/estimate.h"
#include "mom/mem.h"
#include "mom/units.h"

#define MIB      KIB_PER_MIB
#define OVERHEAD (64 * MIB)

static const struct estimate_terms terms = {
	.stats_period_ms = 1000,
	.reaction_ms = 1000,
	.safety_kib = 32 * MIB,
};

static const struct guest_settings settings = {
	.manage = true,
	.shares = 1000,
	.buffer_ratio = 0.2,
	.boot_grace_ms = 120000,
};

/* One guest of 800 MiB that answers once a second, and what is made of it. */
struct bench {
	struct guest_track track;
	struct guest_facts facts;
	int64_t now_ms;
	enum guest_quality quality;
	enum guest_state state;
};

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	bench->now_ms = 1000000;
	bench->facts = (struct guest_facts){
		.has_balloon = true,
		.run = GUEST_RUNNING,
		.has_last_update = true,
		.last_update = 1700000000,
		.sample =
			{
				.max_kib = 800 * MIB,
				.has_actual = true,
				.actual_kib = 800 * MIB,
				.target_kib = 800 * MIB,
				.has_usable = true,
				.usable_kib = 600 * MIB,
				.has_unused = true,
				.unused_kib = 500 * MIB,
				.has_rss = true,
				.rss_kib = 300 * MIB,
				.rss_anon_kib = 290 * MIB,
			},
	};
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void look(struct bench *bench, uint64_t after_ms, bool updated)
{
	bench->now_ms += (int64_t)after_ms;
	bench->facts.last_update += updated;
	estimate_size(&bench->track, &bench->facts, bench->facts.sample.target_kib,
		bench->now_ms);
	estimate_guest(&bench->track, &bench->facts, &settings, &terms, bench->now_ms,
		&bench->quality, &bench->state);
}

static void prove(struct bench *bench)
{
	for (int i = 0; i < 4; i++)
		look(bench, 1000, true);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
}

static void grace_ends_with_the_third_new_sample(void **state)
{
	struct bench *bench = *state;
	look(bench, 0, false);
	assert_int_equal(bench->state, GUEST_STATE_BOOTING);
	assert_int_equal(bench->facts.sample.cost_kib, 800 * MIB + OVERHEAD);
	look(bench, 1000, true);
	look(bench, 1000, true);
	assert_int_equal(bench->state, GUEST_STATE_BOOTING);
	look(bench, 1000, true);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
	assert_int_equal(bench->quality, QUALITY_GOOD);
}

static void silence_through_the_grace_means_no_driver(void **state)
{
	struct bench *bench = *state;
	look(bench, 0, false);
	look(bench, 119000, false);
	assert_int_equal(bench->state, GUEST_STATE_BOOTING);
	look(bench, 2000, false);
	assert_int_equal(bench->state, GUEST_STATE_NODRIVER);
	assert_int_equal(bench->facts.sample.cost_kib, 800 * MIB + OVERHEAD);
	for (int i = 0; i < 3; i++) /* a driver that is loaded late */
		look(bench, 1000, true);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
}

static void a_reboot_is_counted_at_the_maximum_again(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	bench->facts.sample.actual_kib = bench->facts.sample.target_kib = 300 * MIB;
	look(bench, 1000, true);
	assert_int_equal(bench->facts.sample.cost_kib, 300 * MIB + OVERHEAD);
	bench->facts.boots++;
	look(bench, 1000, false);
	assert_int_equal(bench->state, GUEST_STATE_BOOTING);
	assert_int_equal(bench->facts.sample.cost_kib, 800 * MIB + OVERHEAD);
}

static void statistics_that_stop_are_stale_after_three_periods(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	look(bench, 3000, false);
	assert_true(estimate_is_fresh(&bench->track, &terms));
	look(bench, 100, false);
	assert_false(estimate_is_fresh(&bench->track, &terms));
	assert_int_equal(bench->quality, QUALITY_STALE);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
}

static void a_pause_is_not_the_guests_time(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	bench->facts.run = GUEST_PAUSED;
	look(bench, 600000, false);
	assert_int_equal(bench->state, GUEST_STATE_SUSPENDED);
	assert_int_equal(bench->quality, QUALITY_GOOD);
	bench->facts.run = GUEST_RUNNING;
	look(bench, 500, false);
	assert_int_equal(bench->quality, QUALITY_GOOD);
}

/* A QEMU may be deaf while its guest runs on: what it said before says nothing now. */
static void silence_makes_old_figures_doubtful(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	assert_true(estimate_is_fresh(&bench->track, &terms));
	bench->facts.hung = true;
	look(bench, 60000, false);
	bench->facts.hung = false;
	look(bench, 100, false);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
	assert_false(estimate_is_fresh(&bench->track, &terms));
	look(bench, 1000, true);
	assert_true(estimate_is_fresh(&bench->track, &terms));
}

static void ticks_without_values_name_the_missing_service(void **state)
{
	struct bench *bench = *state;
	bench->facts.sample.has_usable = bench->facts.sample.has_unused = false;
	for (int i = 0; i < 4; i++)
		look(bench, 1000, true);
	assert_int_equal(bench->quality, QUALITY_NOSERVICE);
	assert_int_equal(bench->state, GUEST_STATE_WATCHED);
}

/* Windows without its service: the driver answers, with nothing in it. */
static void without_statistics_the_working_set_counts(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	prove(bench);
	sample->has_usable = sample->has_unused = false;
	sample->has_working_set = true;
	sample->working_set_kib = 200 * MIB;
	look(bench, 1000, true);
	assert_int_equal(bench->quality, QUALITY_PARTIAL);
	assert_int_equal(bench->state, GUEST_STATE_MANAGED);
	assert_int_equal(sample->used_kib, 250 * MIB);
	assert_true(sample->demand_kib > 300 * MIB);

	sample->working_set_kib = 300 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->used_kib, 375 * MIB);
	sample->working_set_kib = 100 * MIB;
	look(bench, 1000, true);
	assert_true(sample->used_kib > 365 * MIB);
	for (int second = 0; second < 300; second++)
		look(bench, 1000, true);
	assert_in_range(sample->used_kib, 125 * MIB, 135 * MIB);

	sample->working_set_kib = 790 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->used_kib, 800 * MIB);
	sample->has_working_set = false;
	look(bench, 1000, true);
	assert_int_equal(bench->quality, QUALITY_NOSERVICE);
	assert_false(sample->has_used);
}

static void statistics_go_before_the_working_set(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	bench->facts.sample.has_working_set = true;
	bench->facts.sample.working_set_kib = 20 * MIB;
	look(bench, 1000, true);
	assert_int_equal(bench->facts.sample.used_kib, 200 * MIB);
	assert_int_equal(bench->quality, QUALITY_GOOD);
}

static void used_is_what_is_not_usable(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	look(bench, 0, true);
	assert_int_equal(sample->used_kib, 200 * MIB);
	assert_int_equal(sample->demand_kib, 240 * MIB);

	bench->facts.windows = true; /* there `usable` is optimistic */
	look(bench, 1000, true);
	assert_int_equal(sample->used_kib, 300 * MIB);

	bench->facts.windows = false;
	sample->has_usable = false;
	sample->has_cache = true;
	sample->cache_kib = 50 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->used_kib, 250 * MIB);
}

static void a_guest_without_usable_keeps_a_larger_buffer(void **state)
{
	struct bench *bench = *state;
	bench->facts.sample.has_usable = false;
	look(bench, 0, true);
	assert_int_equal(bench->facts.sample.used_kib, 300 * MIB);
	assert_int_equal(bench->facts.sample.demand_kib, 420 * MIB);
	for (int i = 0; i < 3; i++)
		look(bench, 1000, true);
	assert_int_equal(bench->quality, QUALITY_PARTIAL);
}

static void demand_runs_ahead_of_growth(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	prove(bench);
	sample->usable_kib = 500 * MIB; /* 100 MiB more within a second */
	look(bench, 1000, true);
	assert_int_equal(sample->growth_kib_per_s, 100 * MIB);
	assert_int_equal(sample->demand_kib, (300 + 60 + 100) * MIB);
	look(bench, 4000, true);
	assert_int_equal(sample->growth_kib_per_s, 0);
}

static void demand_counts_what_comes_back_from_swap(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_swap_in = true;
	sample->actual_kib = sample->target_kib = 400 * MIB;
	sample->usable_kib = 60 * MIB;
	prove(bench);
	uint64_t before = sample->demand_kib;
	sample->swap_in_kib = 50 * MIB;
	look(bench, 1000, true);
	assert_in_range(sample->demand_kib, before + 49 * MIB, before + 51 * MIB);
	assert_true(sample->distress > 0.5);
	sample->usable_kib = 200 * MIB; /* with room for all that comes back */
	look(bench, 1000, true);
	assert_true(sample->distress == 0);
}

/* QEMU tells late where the balloon is; a Linux guest's total moves with it. */
static void a_moving_balloon_is_where_the_guest_says(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_total = true;
	sample->total_kib = 760 * MIB;
	prove(bench);
	assert_int_equal(sample->used_kib, 200 * MIB);

	sample->target_kib = 500 * MIB; /* on its way: 150 MiB are gone, none is told */
	sample->total_kib = 610 * MIB;
	sample->usable_kib = 450 * MIB;
	look(bench, 250, true);
	assert_int_equal(sample->actual_kib, 650 * MIB);
	assert_int_equal(sample->used_kib, 200 * MIB);
	assert_int_equal(sample->growth_kib_per_s, 0);

	sample->actual_kib = 800 * MIB; /* the guest fell silent: QEMU's word counts */
	estimate_size(&bench->track, &bench->facts, 500 * MIB, bench->now_ms + 1600);
	assert_int_equal(sample->actual_kib, 800 * MIB);
}

/* A balloon that began to move since the statistics were made changed QEMU's size alone.
 */
static void a_balloon_that_begins_to_move_is_no_use_until_the_guest_says_so(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	const uint64_t sizes[] = {400, 700, 500}; /* taken, given, taken */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		prove(bench);
		sample->target_kib = sample->actual_kib = sizes[i] * MIB;
		look(bench, 250, false);
		assert_int_equal(sample->used_kib, 200 * MIB);
		sample->usable_kib = (sizes[i] - 200) * MIB;
		look(bench, 250, true);
		assert_int_equal(sample->used_kib, 200 * MIB);
		assert_int_equal(sample->growth_kib_per_s, 0);
	}
	sample->usable_kib -= 100 * MIB; /* and what is used counts at once */
	look(bench, 1000, true);
	assert_int_equal(sample->used_kib, 300 * MIB);
}

/* Statistics may be new and older than QEMU's word all the same: their total tells. */
static void old_statistics_are_of_the_size_of_then(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_total = true;
	sample->total_kib = 760 * MIB;
	prove(bench);
	sample->target_kib = sample->actual_kib = 500 * MIB;
	sample->total_kib = 610 * MIB; /* as it was at 650 MiB */
	sample->usable_kib = 450 * MIB;
	look(bench, 250, true);
	assert_int_equal(sample->actual_kib, 500 * MIB);
	assert_int_equal(sample->used_kib, 200 * MIB);
}

/* A host so busy that QEMU tells of a move long after it was made must not make the next
 * one begin from the wrong size. */
static void a_late_word_from_qemu_is_no_settled_size(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_total = true;
	sample->actual_kib = 430 * MIB; /* ordered up to 800, and there; not yet told */
	sample->total_kib = 750 * MIB;
	for (int i = 0; i < 5; i++) {
		bench->now_ms += 1000;
		estimate_size(&bench->track, &bench->facts, 800 * MIB, bench->now_ms);
	}
	assert_int_equal(sample->actual_kib, 430 * MIB);
	sample->actual_kib = 800 * MIB;
	bench->now_ms += 250;
	estimate_size(&bench->track, &bench->facts, 800 * MIB, bench->now_ms);
	sample->total_kib = 380 * MIB;
	bench->now_ms += 250;
	estimate_size(&bench->track, &bench->facts, 430 * MIB, bench->now_ms);
	assert_int_equal(sample->actual_kib, 800 * MIB);
}

/* Windows' total never shrinks: nothing can be told from it. */
static void a_total_that_stands_still_tells_nothing(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_total = true;
	sample->total_kib = 800 * MIB;
	for (int i = 1; i < 5; i++)
		estimate_size(&bench->track, &bench->facts, 800 * MIB,
			bench->now_ms + i * 1000);
	sample->actual_kib = 600 * MIB;
	sample->unused_kib = 300 * MIB;
	estimate_size(&bench->track, &bench->facts, 600 * MIB, bench->now_ms + 5000);
	assert_int_equal(sample->actual_kib, 600 * MIB);
}

/* Opted out is opted out, from the first sample after a reboot on. */
static void a_guest_left_alone_is_watched_while_it_boots(void **state)
{
	struct bench *bench = *state;
	struct guest_settings alone = settings;
	alone.manage = false;
	estimate_guest(&bench->track, &bench->facts, &alone, &terms, bench->now_ms,
		&bench->quality, &bench->state);
	assert_int_equal(bench->state, GUEST_STATE_WATCHED);
	assert_int_equal(bench->facts.sample.cost_kib, 800 * MIB + OVERHEAD);
}

/* A kernel's watermarks are free and nobody's. */
static void what_a_kernel_withholds_costs_nothing_until_it_is_touched(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_overhead = true;
	sample->overhead_kib = 40 * MIB;
	sample->unused_kib = 650 * MIB;
	prove(bench);
	assert_int_equal(sample->cost_kib, (800 - 50 + 40) * MIB);
	sample->rss_anon_kib = (780 + 40) * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->cost_kib, (780 + 40) * MIB);
	assert_int_equal(guest_cost_kib(sample, 810 * MIB), (790 + 40) * MIB);
	sample->rss_anon_kib = 290 * MIB; /* old statistics are worth nothing */
	look(bench, 10000, false);
	assert_int_equal(sample->cost_kib, (800 + 40) * MIB);
}

/* The nearer to need, the more of them is touched after all. */
static void what_a_kernel_withholds_counts_as_need_comes_near(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	prove(bench);
	uint64_t margins[][2] = {
		{terms.safety_kib, 40 * MIB}, {terms.safety_kib / 2, 20 * MIB}, {0, 0}};
	for (size_t i = 0; i < sizeof(margins) / sizeof(*margins); i++) {
		sample->usable_kib = margins[i][0];
		sample->unused_kib = margins[i][0] + 40 * MIB;
		look(bench, 1000, true);
		assert_int_equal(sample->withheld_kib, margins[i][1]);
	}
}

/* Asked ahead of time, a guest's counters move while its time stamp stands still. */
static void no_fetching_is_lost_between_time_stamps(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	sample->has_swap_in = true;
	prove(bench);
	uint64_t before = sample->demand_kib;
	for (int i = 0; i < 4; i++) {
		sample->swap_in_kib = 10 * MIB;
		look(bench, 250, i == 3);
	}
	assert_in_range(sample->demand_kib, before + 39 * MIB, before + 41 * MIB);
}

static void what_a_guest_took_back_is_remembered_for_hours(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	prove(bench);
	sample->actual_kib = 500 * MIB;
	sample->usable_kib = 300 * MIB;
	estimate_learn_floor(&bench->track, sample, bench->now_ms);
	look(bench, 0, true);
	assert_int_equal(sample->demand_kib, 525 * MIB);
	look(bench, 2 * 3600 * 1000, true);
	assert_int_equal(sample->demand_kib, 525 * MIB / 2);
}

static void unusual_fetching_betrays_a_silent_guest(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	bench->facts.windows = sample->has_swap_in = true;
	sample->swap_in_kib = 1 * MIB; /* mapped files: noise of a healthy guest */
	for (int i = 0; i < 600; i++)
		look(bench, 1000, true);
	uint64_t usual = sample->demand_kib;
	assert_true(usual < 400 * MIB);
	sample->swap_in_kib = 10 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->demand_kib, 800 * MIB);
}

static void a_full_guest_is_in_distress(void **state)
{
	struct bench *bench = *state;
	prove(bench);
	assert_true(bench->facts.sample.distress == 0);
	bench->facts.sample.usable_kib = 5 * MIB;
	look(bench, 1000, true);
	assert_true(bench->facts.sample.distress > 0.5);
}

static void cost_is_what_the_guest_may_take_unasked(void **state)
{
	struct bench *bench = *state;
	struct guest_sample *sample = &bench->facts.sample;
	prove(bench);
	sample->actual_kib = 400 * MIB;
	sample->target_kib = 300 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->cost_kib, 400 * MIB + OVERHEAD); /* not there yet */
	sample->target_kib = 500 * MIB;
	look(bench, 1000, true);
	assert_int_equal(sample->cost_kib, 500 * MIB + OVERHEAD); /* promised */
	sample->rss_anon_kib = 650 * MIB;
	sample->swap_kib = 20 * MIB;
	look(bench, 1000, true);
	assert_int_equal(
		sample->cost_kib, 670 * MIB); /* moved, but the host gained nothing */
	bench->facts.hugepages = true;
	look(bench, 1000, true);
	assert_int_equal(sample->cost_kib, OVERHEAD);
}

static void buffers_shrink_alike_where_demands_do_not_fit(void **state)
{
	(void)state;
	struct guest_sample small = {
		.used_kib = 100 * MIB, .demand_kib = 200 * MIB, .min_kib = 50 * MIB};
	struct guest_sample large = {
		.used_kib = 400 * MIB, .demand_kib = 600 * MIB, .min_kib = 50 * MIB};
	struct guest_sample *guests[] = {&small, &large};
	estimate_fit_buffers(guests, 2, 800 * MIB, 0);
	assert_int_equal(small.demand_kib, 200 * MIB);
	estimate_fit_buffers(guests, 2, 650 * MIB, 0);
	assert_int_equal(small.demand_kib, 150 * MIB);
	assert_int_equal(large.demand_kib, 500 * MIB);
	/* what is used is never cut, nor all of the rest */
	estimate_fit_buffers(guests, 2, 100 * MIB, 10 * MIB);
	assert_int_equal(small.demand_kib, 120 * MIB);
	assert_in_range(large.demand_kib, 432 * MIB, 433 * MIB);
}

static struct host_sample host_with(uint64_t available_mib, struct guest_sample *guest)
{
	struct host_sample host = {0};
	struct host_terms host_terms = {
		.reserve_kib = 100 * MIB,
		.reaction_ms = 1000,
		.size_kib = 4000 * MIB,
		.available_kib = available_mib * MIB,
	};
	struct guest_entry entry = {.sample = guest, .managed = true};
	estimate_host(&host, &host_terms, &entry, 1);
	return host;
}

static void the_budget_is_what_there_is_and_what_guests_hold(void **state)
{
	(void)state;
	struct guest_sample guest = {
		.max_kib = 800 * MIB,
		.actual_kib = 800 * MIB,
		.has_rss = true,
		.rss_kib = 364 * MIB,
		.rss_anon_kib = 364 * MIB,
		.overhead_kib = OVERHEAD,
		.cost_kib = 864 * MIB,
	};
	struct host_sample host = host_with(1000, &guest);
	assert_int_equal(host.reserve_kib, 100 * MIB);
	assert_int_equal(host.budget_kib, 1264 * MIB);
	assert_int_equal(host.divisible_kib, 1264 * MIB - OVERHEAD);
	assert_int_equal(host.exposure_kib, 500 * MIB);
	assert_int_equal(host.cost_kib, 864 * MIB);
}

static void the_reserve_follows_growth_that_nothing_backs(void **state)
{
	(void)state;
	struct guest_sample guest = {
		.has_rss = true,
		.rss_kib = 364 * MIB,
		.rss_anon_kib = 364 * MIB,
		.overhead_kib = OVERHEAD,
		.cost_kib = 864 * MIB,
		.growth_kib_per_s = 300 * MIB,
	};
	assert_int_equal(host_with(1000, &guest).reserve_kib, 100 * MIB);
	guest.cost_kib = 1564 * MIB; /* 200 more than there is */
	assert_int_equal(host_with(1000, &guest).reserve_kib, 200 * MIB);
	guest.cost_kib = 5000 * MIB;
	assert_int_equal(host_with(1000, &guest).reserve_kib, 300 * MIB);
}

/* What merging saves is called back as guests write. */
static void a_part_of_what_merging_saves_is_reserved(void **state)
{
	(void)state;
	struct guest_sample guest = {
		.has_rss = true,
		.rss_kib = 864 * MIB,
		.rss_anon_kib = 864 * MIB,
		.overhead_kib = OVERHEAD,
		.cost_kib = 864 * MIB,
	};
	struct host_sample host = {
		.has_ksm = true,
		.ksm_pages_sharing = 400 * MIB / 4,
	};
	struct host_terms host_terms = {
		.reserve_kib = 100 * MIB,
		.size_kib = 4000 * MIB,
		.available_kib = 1000 * MIB,
	};
	struct guest_entry entry = {.sample = &guest, .managed = true};
	estimate_host(&host, &host_terms, &entry, 1);
	assert_int_equal(host.reserve_kib, 140 * MIB);
	assert_int_equal(host.budget_kib, 1864 * MIB - 140 * MIB);
}

/* One kernel may need all that it keeps free, many a part of it at once. */
static void a_part_of_what_kernels_withhold_is_reserved(void **state)
{
	(void)state;
	struct guest_sample guest = {
		.actual_kib = 400 * MIB,
		.target_kib = 400 * MIB,
		.overhead_kib = OVERHEAD,
		.withheld_kib = 40 * MIB,
		.cost_kib = 400 * MIB + OVERHEAD - 40 * MIB,
	};
	struct guest_entry entries[8];
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct guest_entry){.sample = &guest, .managed = true};
	struct host_terms host_terms = {
		.reserve_kib = 100 * MIB,
		.size_kib = 8000 * MIB,
		.available_kib = 8000 * MIB,
	};
	struct host_sample host = {0};
	estimate_host(&host, &host_terms, entries, 1);
	assert_int_equal(host.reserve_kib, 140 * MIB);
	estimate_host(&host, &host_terms, entries, ARRAY_SIZE(entries));
	assert_int_equal(host.reserve_kib, 180 * MIB);
}

static enum host_state judge(
	struct host_track *track, uint64_t available_mib, int64_t now_ms)
{
	struct guest_sample guest = {.overhead_kib = OVERHEAD, .cost_kib = OVERHEAD};
	struct host_sample host = host_with(available_mib, &guest);
	return estimate_host_state(track, &host, now_ms);
}

static void a_host_falls_at_once_and_rises_after_a_while(void **state)
{
	(void)state;
	struct host_track track = {0};
	assert_int_equal(judge(&track, 1000, 0), HOST_ROOMY);
	assert_int_equal(judge(&track, 150, 1000), HOST_SNUG);
	assert_int_equal(judge(&track, 40, 2000), HOST_TIGHT);
	assert_int_equal(judge(&track, 10, 3000), HOST_CRITICAL);
	assert_int_equal(judge(&track, 1000, 4000), HOST_CRITICAL);
	assert_int_equal(judge(&track, 70, 13000), HOST_CRITICAL); /* not long enough */
	assert_int_equal(
		judge(&track, 1000, 15000), HOST_SNUG); /* the worst of the while */
	assert_int_equal(judge(&track, 1000, 16000), HOST_SNUG);
	assert_int_equal(judge(&track, 1000, 26000), HOST_ROOMY);
}

static void promises_beyond_the_budget_leave_no_host_roomy(void **state)
{
	(void)state;
	struct host_track track = {0};
	struct guest_sample guest = {.overhead_kib = OVERHEAD, .cost_kib = 5000 * MIB};
	struct host_sample host = host_with(1000, &guest);
	assert_int_equal(estimate_host_state(&track, &host, 0), HOST_SNUG);
}

static void swapping_is_pressure_and_full_swap_is_not(void **state)
{
	(void)state;
	struct host_track track = {0};
	struct guest_sample guest = {.overhead_kib = OVERHEAD, .cost_kib = OVERHEAD};
	struct host_sample host = host_with(1000, &guest);
	host.swap_total_kib = 1000;
	host.swap_free_kib = 0;
	assert_int_equal(estimate_host_state(&track, &host, 0), HOST_ROOMY);
	host.swap_in_pages_per_s = 5000;
	assert_int_equal(estimate_host_state(&track, &host, 1000), HOST_TIGHT);
}

/* Memory seems left, but all that works waits for it. */
static void a_host_that_stalls_is_short_whatever_seems_left(void **state)
{
	(void)state;
	struct host_track track = {0};
	struct guest_sample guest = {.overhead_kib = OVERHEAD, .cost_kib = OVERHEAD};
	struct host_sample host = host_with(1000, &guest);
	host.has_psi = true;
	host.psi_some = 0.9; /* some wait, others work */
	assert_int_equal(estimate_host_state(&track, &host, 0), HOST_ROOMY);
	host.psi_full = 0.2;
	assert_int_equal(estimate_host_state(&track, &host, 1000), HOST_TIGHT);
	host.psi_full = 0.5;
	assert_int_equal(estimate_host_state(&track, &host, 2000), HOST_CRITICAL);
	host.has_psi = false; /* a kernel that doesn't tell any more */
	assert_int_equal(estimate_host_state(&track, &host, 3000), HOST_CRITICAL);
	assert_int_equal(estimate_host_state(&track, &host, 14000), HOST_ROOMY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(grace_ends_with_the_third_new_sample),
		TEST(silence_through_the_grace_means_no_driver),
		TEST(a_reboot_is_counted_at_the_maximum_again),
		TEST(statistics_that_stop_are_stale_after_three_periods),
		TEST(a_pause_is_not_the_guests_time),
		TEST(silence_makes_old_figures_doubtful),
		TEST(ticks_without_values_name_the_missing_service),
		TEST(without_statistics_the_working_set_counts),
		TEST(statistics_go_before_the_working_set),
		TEST(used_is_what_is_not_usable),
		TEST(a_guest_without_usable_keeps_a_larger_buffer),
		TEST(demand_runs_ahead_of_growth),
		TEST(demand_counts_what_comes_back_from_swap),
		TEST(a_moving_balloon_is_where_the_guest_says),
		TEST(a_balloon_that_begins_to_move_is_no_use_until_the_guest_says_so),
		TEST(old_statistics_are_of_the_size_of_then),
		TEST(a_late_word_from_qemu_is_no_settled_size),
		TEST(a_guest_left_alone_is_watched_while_it_boots),
		TEST(a_total_that_stands_still_tells_nothing),
		TEST(what_a_kernel_withholds_costs_nothing_until_it_is_touched),
		TEST(what_a_kernel_withholds_counts_as_need_comes_near),
		TEST(no_fetching_is_lost_between_time_stamps),
		TEST(what_a_guest_took_back_is_remembered_for_hours),
		TEST(unusual_fetching_betrays_a_silent_guest),
		TEST(a_full_guest_is_in_distress),

		TEST(cost_is_what_the_guest_may_take_unasked),
		cmocka_unit_test(buffers_shrink_alike_where_demands_do_not_fit),
		cmocka_unit_test(the_budget_is_what_there_is_and_what_guests_hold),
		cmocka_unit_test(the_reserve_follows_growth_that_nothing_backs),
		cmocka_unit_test(a_part_of_what_merging_saves_is_reserved),
		cmocka_unit_test(a_part_of_what_kernels_withhold_is_reserved),
		cmocka_unit_test(a_host_falls_at_once_and_rises_after_a_while),
		cmocka_unit_test(promises_beyond_the_budget_leave_no_host_roomy),
		cmocka_unit_test(swapping_is_pressure_and_full_swap_is_not),
		cmocka_unit_test(a_host_that_stalls_is_short_whatever_seems_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
