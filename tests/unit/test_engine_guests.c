/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/*
 * Guests that misbehave, under the whole engine. Guest 0 is the odd one; guests 1 and 2
 * are as they should be. The host begins with room for all and is then crowded.
 */

#define GUESTS    3
#define MAX       (800 * MIB)
#define CONFIG    "guests = ( { match = \"*\"; boot_grace = \"10s\"; } );"
#define STUCK_MS  10000 /* the default of balloon.stuck */
#define REMAINDER (2 * MIB)

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, 3000 * MIB);
	for (int i = 0; i < GUESTS; i++) {
		char name[8];
		snprintf(name, sizeof(name), "vm%d", i);
		fake_add(&rig->fake, name, MAX, 200 * MIB);
	}
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_done(*state);
	free(*state);
	return 0;
}

/* The odd one. */
static struct fake_guest *odd(struct rig *rig)
{
	return &rig->fake.guests[0];
}

static const struct guest_sample *seen(struct rig *rig)
{
	return &rig_guest(rig, 0)->facts.sample;
}

static enum guest_state state_of(struct rig *rig)
{
	return rig_guest(rig, 0)->state;
}

/* All is known and quiet; then the host's own need rises by 1,200 MiB in a minute. */
static void settle(struct rig *rig)
{
	rig_open(rig, CONFIG);
	rig_run(rig, 20000);
}

static void crowd(struct rig *rig)
{
	for (int i = 0; i < 60; i++) {
		rig->fake.base_kib += 20 * MIB;
		rig_run(rig, 1000);
	}
	rig_run(rig, 60000);
}

/* Somebody needs memory now: it comes from whoever has most to give. */
static void crowd_more(struct rig *rig)
{
	rig->fake.base_kib += 200 * MIB;
	rig_run(rig, 20000);
}

static void relieve(struct rig *rig)
{
	rig->fake.base_kib = 0;
	rig_run(rig, 60000);
}

/* Whatever the odd one does, the others are fed, and what is ordered makes sense. */
static void assert_others_live(const struct rig *rig)
{
	for (size_t i = 0; i < rig->fake.count; i++) {
		assert_int_equal(rig->fake.guests[i].wrong, 0);
		if (i)
			assert_int_equal(rig->fake.guests[i].starved_ms, 0);
	}
}

/* ---- A. guest and driver ---- */

static void e01_a_guest_without_a_driver_is_left_alone(void **state)
{
	struct rig *rig = *state;
	odd(rig)->tell = TELL_NOTHING;
	settle(rig);
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_NODRIVER);
	assert_true(seen(rig)->cost_kib >= MAX);
	assert_true(odd(rig)->orders <= 1);
	assert_int_equal(odd(rig)->target_kib, MAX);
	assert_int_equal(rig_said(rig, "guest \"vm0\": no driver") +
				 rig_said(rig, "guest \"vm0\": nodriver"),
		1);
	assert_true(rig->fake.guests[1].shrinks > 0);
	assert_others_live(rig);
}

static void e02_a_driver_that_loads_late_is_taken_up(void **state)
{
	struct rig *rig = *state;
	odd(rig)->tell = TELL_NOTHING;
	settle(rig);
	rig_run(rig, 60000);
	assert_int_equal(state_of(rig), GUEST_STATE_NODRIVER);
	odd(rig)->tell = TELL_ALL;
	rig_run(rig, 10000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(odd(rig)->shrinks, 0);
	crowd(rig);
	assert_true(odd(rig)->shrinks > 0);
}

static void e03_a_guest_without_a_balloon_gets_no_order(void **state)
{
	struct rig *rig = *state;
	odd(rig)->no_device = true;
	odd(rig)->tell = TELL_NOTHING;
	settle(rig);
	crowd(rig);
	assert_int_equal(rig_guest(rig, 0)->quality, QUALITY_NONE);
	assert_int_equal(odd(rig)->orders, 0);
	assert_true(seen(rig)->cost_kib >= MAX);
	assert_others_live(rig);
}

static void e05_frozen_statistics_end_every_shrink(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->tell = TELL_FROZEN;
	rig_run(rig, 5000);
	unsigned before = odd(rig)->shrinks;
	crowd(rig);
	assert_int_equal(rig_guest(rig, 0)->quality, QUALITY_STALE);
	assert_int_equal(odd(rig)->shrinks, before);
	assert_true(rig->fake.guests[1].shrinks > 0);
	assert_others_live(rig);
}

static void e06_a_driver_without_its_service_is_not_shrunk(void **state)
{
	struct rig *rig = *state;
	odd(rig)->tell = TELL_EMPTY;
	odd(rig)->windows = true;
	settle(rig);
	crowd(rig);
	assert_int_equal(rig_guest(rig, 0)->quality, QUALITY_NOSERVICE);
	assert_int_equal(odd(rig)->shrinks, 0);
	assert_others_live(rig);
}

static void e07_values_that_cannot_be_shrink_nobody(void **state)
{
	struct rig *rig = *state;
	odd(rig)->tell = TELL_WRONG;
	settle(rig);
	crowd(rig);
	assert_int_equal(odd(rig)->shrinks, 0);
	assert_true(rig_guest(rig, 0)->facts.refused > 0);
	odd(rig)->tell = TELL_ALL;
	rig_run(rig, 20000);
	crowd_more(rig);
	assert_true(odd(rig)->shrinks > 0);
	assert_others_live(rig);
}

/* A value that the reader believes and that is wrong all the same. */
static void e07_a_counter_that_wraps_is_no_distress(void **state)
{
	struct rig *rig = *state;
	odd(rig)->swap_in_kib = odd(rig)->told_swap_in_kib = UINT64_MAX - 10;
	settle(rig);
	odd(rig)->swap_in_kib = 5;
	rig_run(rig, 5000);
	assert_true(seen(rig)->distress < 0.5);
	assert_true(seen(rig)->demand_kib < 400 * MIB);
}

static void e08_without_usable_the_buffer_is_bigger(void **state)
{
	struct rig *rig = *state;
	odd(rig)->tell = TELL_PARTIAL;
	settle(rig);
	assert_int_equal(rig_guest(rig, 0)->quality, QUALITY_PARTIAL);
	assert_true(seen(rig)->demand_kib > rig_guest(rig, 1)->facts.sample.demand_kib);
	crowd(rig);
	assert_true(odd(rig)->lowest_kib > rig->fake.guests[1].lowest_kib);
	assert_others_live(rig);
}

static void e09_a_balloon_that_stops_half_way_is_pulled_back(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->obey = OBEY_HALF;
	crowd(rig);
	assert_true(rig_said(rig, "guest \"vm0\": its balloon stopped") > 0);
	/* no target stands that the balloon doesn't reach: that would burn its CPU */
	assert_true(odd(rig)->target_kib + REMAINDER >= odd(rig)->actual_kib);
	assert_true(odd(rig)->target_kib <= odd(rig)->actual_kib + 16 * MIB);
	/* the others give what it keeps, once */
	assert_true(fake_available(&rig->fake) > 0);
	for (size_t i = 1; i < GUESTS; i++)
		assert_true(rig->fake.guests[i].turns <= 1);
	assert_others_live(rig);
}

/* What one can't give the others give: all of it, and not anew with each try. */
static void e09_what_a_stuck_guest_keeps_is_shared_once(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->obey = OBEY_NEVER;
	crowd(rig);
	const struct host_sample *host = &rig->engine.pools.items[0].sample;
	assert_true(host->available_kib >= host->reserve_kib / 2);
	unsigned before = rig->fake.guests[1].orders + rig->fake.guests[2].orders;
	for (int i = 0; i < 600; i++) {
		rig_run(rig, 1000);
		assert_true(host->available_kib >= host->reserve_kib / 2);
	}
	assert_true(
		rig->fake.guests[1].orders + rig->fake.guests[2].orders <= before + 4);
	assert_others_live(rig);
}

static void e10_a_stuck_balloon_is_tried_less_and_less(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->obey = OBEY_NEVER;
	crowd(rig);
	unsigned before = odd(rig)->shrinks;
	rig_run(rig, 3600000);
	assert_true(odd(rig)->shrinks - before < 12);
	assert_true(odd(rig)->target_kib + REMAINDER >= odd(rig)->actual_kib);
	assert_others_live(rig);
}

/* rmmod: the driver gives everything back and is gone. */
static void e11_memory_taken_back_by_a_driver_that_leaves_is_not_chased(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	relieve(rig);
	crowd(rig);
	unsigned before = odd(rig)->orders;
	odd(rig)->tell = TELL_FROZEN;
	odd(rig)->obey = OBEY_NEVER;
	odd(rig)->actual_kib = MAX;
	rig_run(rig, 600000);
	assert_true(odd(rig)->orders <= before + 1);
	assert_true(seen(rig)->cost_kib >= MAX);
	assert_others_live(rig);
}

static void e12_a_guest_that_takes_memory_back_in_need_is_given_more(void **state)
{
	struct rig *rig = *state;
	odd(rig)->autodeflate = true;
	settle(rig);
	crowd(rig);
	uint64_t before = odd(rig)->actual_kib;
	assert_true(before < 600 * MIB);
	odd(rig)->used_kib = before + 20 * MIB;
	odd(rig)->actual_kib = odd(rig)->target_kib = before + 30 * MIB;
	rig_run(rig, 10000);
	assert_int_equal(rig_said(rig, "guest \"vm0\": took memory back by itself"), 1);
	assert_true(odd(rig)->target_kib > before + 30 * MIB);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	/* what it lacked once isn't taken again soon, though it rests now */
	odd(rig)->used_kib = 200 * MIB;
	rig_run(rig, 120000);
	assert_true(odd(rig)->target_kib > before);
}

/* A guest of 800 MiB that was brought down, on a host that has room for one whole guest
 * by now, and not for all. */
static uint64_t squeeze_and_relieve(struct rig *rig)
{
	odd(rig)->autodeflate = true;
	settle(rig);
	crowd(rig);
	uint64_t before = odd(rig)->actual_kib;
	assert_true(before < 600 * MIB);
	rig->fake.base_kib -= 350 * MIB;
	return before;
}

static void e12_it_is_given_all_it_may_have_by_the_next_plan(void **state)
{
	struct rig *rig = *state;
	uint64_t before = squeeze_and_relieve(rig);
	unsigned orders = odd(rig)->orders;
	/* whatever ran it short is over before anybody looks: its figures show no need */
	odd(rig)->actual_kib = odd(rig)->target_kib = before + 20 * MIB;
	rig_run(rig, 2500); /* a look, and one order */
	assert_int_equal(rig_said(rig, "guest \"vm0\": took memory back by itself"), 1);
	assert_int_equal(odd(rig)->orders, orders + 1);
	assert_int_equal(rig_said(rig, "→ 800 MiB: ran out and took memory back"), 1);
	assert_others_live(rig);

	/* what it doesn't need is taken again, but not what it ran out with */
	crowd_more(rig);
	crowd_more(rig);
	assert_in_range(odd(rig)->target_kib, before, MAX - 50 * MIB);
}

/* rmmod gives all back in one step, which nobody was in need of. */
static void e12_a_driver_that_leaves_has_not_run_out(void **state)
{
	struct rig *rig = *state;
	uint64_t before = squeeze_and_relieve(rig);
	odd(rig)->tell = TELL_FROZEN;
	odd(rig)->obey = OBEY_NEVER;
	odd(rig)->actual_kib = MAX;
	rig_run(rig, 60000);
	assert_int_equal(rig_said(rig, "took memory back by itself"), 0);
	assert_true(seen(rig)->cost_kib >= MAX);
	/* once it is back it is as it was: squeezed where others need the memory */
	odd(rig)->tell = TELL_ALL;
	odd(rig)->obey = OBEY;
	odd(rig)->target_kib = MAX;
	rig_run(rig, 60000);
	rig->fake.base_kib += 350 * MIB;
	rig_run(rig, 60000);
	assert_true(odd(rig)->target_kib < before + 100 * MIB);
	assert_others_live(rig);
}

static void e13_autodeflate_doesnt_change_what_is_used(void **state)
{
	struct rig *rig = *state;
	odd(rig)->autodeflate = true;
	settle(rig);
	crowd(rig);
	assert_true(odd(rig)->actual_kib < MAX);
	assert_int_equal(seen(rig)->used_kib, 200 * MIB);
	assert_int_equal(rig_guest(rig, 1)->facts.sample.used_kib, 200 * MIB);
}

/* A squeezed guest that grows by 100 MiB/s is fed in time. */
static void e14_growth_is_met_before_the_guest_runs_out(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	rig->fake.base_kib = 600 * MIB;
	for (int i = 0; i < 60; i++) {
		odd(rig)->used_kib += 5 * MIB;
		rig_run(rig, 50);
	}
	rig_run(rig, 5000);
	assert_in_range(odd(rig)->starved_ms, 0, 500);
	assert_true(odd(rig)->target_kib > 500 * MIB);
}

/* From one look to the next it wants 200 MiB more: two rounds and it has them. */
static void e15_a_leap_is_met_within_two_rounds(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	rig->fake.base_kib = 600 * MIB;
	odd(rig)->used_kib = odd(rig)->actual_kib + 50 * MIB;
	uint64_t shrinks = odd(rig)->shrinks;
	rig_run(rig, 20000);
	assert_in_range(odd(rig)->starved_ms, 0, 2500);
	assert_int_equal(odd(rig)->shrinks, shrinks);
}

static void e16_slow_is_not_stuck(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->pace_kib_per_s = MIB;
	crowd(rig);
	rig_run(rig, 300000);
	assert_int_equal(rig_said(rig, "guest \"vm0\": its balloon stopped"), 0);
	assert_others_live(rig);
}

static void e17_a_remainder_is_not_ordered_for_ever(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->obey = OBEY_CHUNKS;
	crowd(rig);
	rig_run(rig, 60000);
	unsigned before = odd(rig)->orders;
	rig_run(rig, 1800000);
	assert_true(odd(rig)->orders <= before + 3);
	assert_int_equal(rig_said(rig, "guest \"vm0\": its balloon stopped"), 0);
}

static void e18_a_guest_below_its_minimum_is_raised_where_there_is_room(void **state)
{
	struct rig *rig = *state;
	odd(rig)->actual_kib = odd(rig)->target_kib = odd(rig)->touched_kib = 210 * MIB;
	settle(rig);
	assert_true(odd(rig)->actual_kib >= 256 * MIB);
	assert_true(odd(rig)->lowest_kib >= 256 * MIB);
}

static void e19_a_minimum_above_the_maximum_is_the_maximum(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "guests = ( { match = \"vm0\"; min = \"4GiB\"; } );");
	rig_run(rig, 20000);
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(seen(rig)->min_kib, MAX);
	assert_int_equal(odd(rig)->shrinks, 0);
	assert_others_live(rig);
}

/* The guest says it of itself: it is told once, and not at every round. */
static void e19_a_guests_own_minimum_above_its_maximum_is_told_once(void **state)
{
	struct rig *rig = *state;
	odd(rig)->metadata = "<g:guest xmlns:g='https://mom-project.org/xmlns/guest/1' "
			     "min='700MiB' max='500MiB'/>";
	settle(rig);
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(seen(rig)->min_kib, 500 * MIB);
	assert_int_equal(odd(rig)->actual_kib, 500 * MIB);
	assert_int_equal(rig_said(rig, "warning: guest \"vm0\""), 1);
	assert_others_live(rig);
}

static void e20_a_guest_beyond_its_balloon_is_counted_as_it_is(void **state)
{
	struct rig *rig = *state;
	odd(rig)->obey = OBEY_LIES;
	odd(rig)->actual_kib = odd(rig)->target_kib = 300 * MIB;
	settle(rig);
	assert_true(seen(rig)->cost_kib >= MAX);
	crowd(rig);
	assert_true(seen(rig)->cost_kib >= MAX);
	/* what it seems to give is nobody's: two tries at most, and it is let be */
	assert_int_equal(state_of(rig), GUEST_STATE_FIXED);
	unsigned before = odd(rig)->shrinks;
	crowd_more(rig);
	assert_int_equal(odd(rig)->shrinks, before);
	assert_others_live(rig);
}

static void e21_an_idle_guest_gives_its_cache_and_keeps_its_use(void **state)
{
	struct rig *rig = *state;
	odd(rig)->cache_kib = 500 * MIB;
	settle(rig);
	crowd(rig);
	assert_true(odd(rig)->shrinks > 0);
	assert_true(odd(rig)->lowest_kib >= odd(rig)->used_kib);
	assert_others_live(rig);
}

static void e22_memory_never_touched_is_not_spent(void **state)
{
	struct rig *rig = *state;
	odd(rig)->touched_kib = 210 * MIB;
	settle(rig);
	crowd(rig);
	assert_false(rig_guest(rig, 0)->balloon.fixed);
	/* what its balloon took was never the host's: the others can't have it */
	rig->fake.guests[1].used_kib = 700 * MIB;
	rig_run(rig, 30000);
	assert_true(rig->fake.least_kib > 0);
}

static void e23_a_panicked_guest_is_held(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->tell = TELL_FROZEN;
	odd(rig)->obey = OBEY_NEVER;
	rig_run(rig, 5000);
	unsigned before = odd(rig)->shrinks;
	crowd(rig);
	assert_int_equal(odd(rig)->shrinks, before);
	assert_true(seen(rig)->cost_kib >= odd(rig)->touched_kib);
	assert_others_live(rig);
}

/* ---- B. life cycle ---- */

static void e24_a_rebooted_guest_is_counted_and_raised_to_its_maximum(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	assert_true(odd(rig)->actual_kib < MAX);
	odd(rig)->tell = TELL_FROZEN; /* until its driver is back */
	fake_reboot(&rig->fake, odd(rig));
	rig_run(rig, 1000);
	assert_int_equal(state_of(rig), GUEST_STATE_BOOTING);
	assert_true(seen(rig)->cost_kib >= MAX);
	assert_int_equal(odd(rig)->ordered_kib, MAX);
	unsigned before = odd(rig)->shrinks;
	rig_run(rig, 5000);
	assert_int_equal(odd(rig)->shrinks, before);
	odd(rig)->tell = TELL_ALL;
	rig_run(rig, 60000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	crowd_more(rig);
	assert_true(odd(rig)->shrinks > before);
	assert_others_live(rig);
}

static void e24_a_rise_that_is_refused_after_a_reboot_is_tried_again(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	odd(rig)->tell = TELL_FROZEN;
	odd(rig)->call = CALL_BUSY;
	fake_reboot(&rig->fake, odd(rig));
	rig_run(rig, 2000);
	assert_true(odd(rig)->target_kib < MAX);
	odd(rig)->call = CALL_TAKEN;
	rig_run(rig, 5000);
	assert_int_equal(odd(rig)->target_kib, MAX);
}

/* The event was lost; the round's look at the guest tells all the same. */
static void e57_a_lost_reboot_is_seen_by_the_next_round(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	rig->fake.lose_events = true;
	fake_reboot(&rig->fake, odd(rig));
	rig_run(rig, 2000);
	assert_int_equal(odd(rig)->ordered_kib, MAX);
	fake_stop(&rig->fake, &rig->fake.guests[1]);
	rig_run(rig, 2000);
	assert_int_equal(rig->engine.roster.count, GUESTS - 1);
}

static void e57_an_event_told_twice_is_told_once(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	rig->fake.double_events = true;
	fake_reboot(&rig->fake, odd(rig));
	fake_stop(&rig->fake, &rig->fake.guests[1]);
	rig_run(rig, 60000);
	assert_int_equal(rig->engine.roster.count, GUESTS - 1);
	assert_int_equal(rig_said(rig, "guest \"vm1\": gone"), 1);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
}

static void e25_a_guest_that_boots_small_is_not_made_smaller(void **state)
{
	struct rig *rig = *state;
	odd(rig)->actual_kib = odd(rig)->target_kib = odd(rig)->touched_kib = 300 * MIB;
	odd(rig)->tell = TELL_FROZEN;
	rig_open(rig, CONFIG);
	rig_run(rig, 8000);
	assert_int_equal(state_of(rig), GUEST_STATE_BOOTING);
	assert_int_equal(odd(rig)->shrinks, 0);
	odd(rig)->tell = TELL_ALL;
	rig_run(rig, 60000);
	assert_int_equal(odd(rig)->actual_kib, MAX);
}

static void e27_a_paused_guest_is_neither_ordered_nor_stuck_nor_stale(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->run = GUEST_PAUSED;
	rig_run(rig, 2000);
	unsigned before = odd(rig)->orders;
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_SUSPENDED);
	assert_int_equal(odd(rig)->orders, before);
	assert_true(seen(rig)->cost_kib >= odd(rig)->touched_kib);
	odd(rig)->run = GUEST_RUNNING;
	rig_run(rig, 30000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(rig_said(rig, "stale"), 0);
	assert_int_equal(rig_said(rig, "its balloon stopped"), 0);
	assert_others_live(rig);
}

static void e29_a_guest_asleep_is_left_alone_and_read_again(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	odd(rig)->run = GUEST_PMSUSPENDED;
	odd(rig)->actual_kib = MAX; /* the driver gives all back before it sleeps */
	rig_run(rig, 2000);
	unsigned before = odd(rig)->orders;
	rig_run(rig, 60000);
	assert_int_equal(odd(rig)->orders, before);
	assert_true(seen(rig)->cost_kib >= MAX);
	odd(rig)->run = GUEST_RUNNING;
	rig_run(rig, 180000);
	assert_true(odd(rig)->shrinks > 0);
	assert_others_live(rig);
}

static void e30_hands_off_a_guest_that_is_being_saved(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->busy = true;
	odd(rig)->call = CALL_BUSY;
	rig_run(rig, 2000);
	unsigned before = odd(rig)->orders;
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_BUSY);
	assert_int_equal(odd(rig)->orders, before);
	assert_others_live(rig);
}

/* The job began between the look and the order. */
static void e31_an_order_refused_by_a_job_is_no_fault_of_the_guest(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->call = CALL_BUSY;
	crowd(rig);
	assert_true(odd(rig)->orders > 0);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(rig_said(rig, "guest \"vm0\": its balloon stopped"), 0);
	assert_int_equal(rig_said(rig, "warning: guest \"vm0\""), 0);
	odd(rig)->call = CALL_TAKEN;
	rig_run(rig, 10000);
	assert_true(odd(rig)->actual_kib < MAX);
}

/* Saved, and started again from what was saved: small, and nothing is proved. */
static void e32_a_restored_guest_is_learned_anew(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	rig_guest(rig, 0)->balloon.fixed = true;
	fake_stop(&rig->fake, odd(rig));
	rig_run(rig, 5000);
	odd(rig)->present = true;
	odd(rig)->id += 100;
	odd(rig)->tell = TELL_FROZEN;
	fake_tell(&rig->fake, EVENT_GUEST_ARRIVED, odd(rig), 0);
	unsigned before = odd(rig)->shrinks;
	rig_run(rig, 2000);
	assert_int_equal(state_of(rig), GUEST_STATE_BOOTING);
	assert_true(seen(rig)->cost_kib >= MAX);
	assert_int_equal(odd(rig)->shrinks, before);
	odd(rig)->tell = TELL_ALL;
	rig_run(rig, 20000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_others_live(rig);
}

/* Made smaller, and on its way down still, it is reverted to other sizes; what was known
 * of it is of no use. */
static void revert(struct rig *rig, uint64_t max_kib, uint64_t actual_kib)
{
	crowd(rig);
	crowd_more(rig);
	assert_true(odd(rig)->target_kib < 500 * MIB);
	odd(rig)->max_kib = max_kib;
	odd(rig)->actual_kib = odd(rig)->target_kib = odd(rig)->touched_kib = actual_kib;
	odd(rig)->boots++;
	odd(rig)->tell = TELL_FROZEN; /* until its driver has said something new */
	unsigned shrinks = odd(rig)->shrinks;
	fake_tell(&rig->fake, EVENT_GUEST_CHANGED, odd(rig), 0);
	rig_run(rig, 2000);
	assert_int_equal(seen(rig)->max_kib, max_kib);
	assert_int_equal(seen(rig)->limit_kib, max_kib);
	assert_int_equal(state_of(rig), GUEST_STATE_BOOTING);
	assert_true(seen(rig)->cost_kib >= max_kib);
	assert_int_equal(odd(rig)->ordered_kib, max_kib); /* the new one */
	assert_int_equal(odd(rig)->shrinks, shrinks);
	odd(rig)->tell = TELL_ALL;
	relieve(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(odd(rig)->actual_kib, max_kib);
	assert_int_equal(rig_said(rig, "was set elsewhere"), 0);
	assert_others_live(rig);
}

static void e33_a_revert_to_another_size_is_read_anew(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	revert(rig, 600 * MIB, 550 * MIB);
	revert(rig, 1000 * MIB, 700 * MIB);
}

static void e38_shared_memory_is_counted_and_proved(void **state)
{
	struct rig *rig = *state;
	odd(rig)->shared = true;
	settle(rig);
	assert_true(seen(rig)->cost_kib >= MAX);
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_true(odd(rig)->shrinks > 0);
	assert_int_equal(rig_guest(rig, 0)->balloon.fruitless, 0);
	assert_others_live(rig);
}

static void e34_a_killed_guest_frees_its_memory_once(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	fake_stop(&rig->fake, odd(rig));
	rig_run(rig, 1000);
	assert_int_equal(rig->engine.roster.count, GUESTS - 1);
	uint64_t cost = rig->engine.pools.items[0].sample.cost_kib;
	assert_true(cost <= 2 * (MAX + FAKE_OVERHEAD_KIB));
	rig_run(rig, 60000);
	assert_true(rig->fake.least_kib > 0);
	assert_others_live(rig);
}

static void e36_memory_on_huge_pages_is_fixed(void **state)
{
	struct rig *rig = *state;
	odd(rig)->hugepages = true;
	settle(rig);
	crowd(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_FIXED);
	assert_int_equal(odd(rig)->shrinks, 0);
	assert_others_live(rig);
}

static void e37_locked_memory_is_left_at_the_maximum(void **state)
{
	struct rig *rig = *state;
	odd(rig)->locked = true;
	odd(rig)->actual_kib = odd(rig)->target_kib = 500 * MIB;
	settle(rig);
	assert_int_equal(state_of(rig), GUEST_STATE_FIXED);
	assert_int_equal(odd(rig)->target_kib, MAX);
	unsigned before = odd(rig)->orders;
	crowd(rig);
	assert_int_equal(odd(rig)->orders, before);
	assert_others_live(rig);
}

/* Nothing in its XML says so: obedient, and the host gains nothing. */
static void e37_memory_that_yields_nothing_is_found_out(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->obey = OBEY_LIES;
	crowd(rig);
	rig_run(rig, 60000);
	assert_int_equal(state_of(rig), GUEST_STATE_FIXED);
	assert_true(odd(rig)->shrinks <= 16); /* small ones are proved together */
	relieve(rig);
	assert_int_equal(odd(rig)->target_kib, MAX);
	assert_int_equal(rig_said(rig, "guest \"vm0\": obeys, but the host gains"), 1);
}

/* A DIMM plugged in moves `max` and `actual` at once. */
static void e39_a_maximum_that_grows_is_no_distress(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->max_kib = odd(rig)->actual_kib = odd(rig)->target_kib = 1000 * MIB;
	odd(rig)->autodeflate = true;
	rig_run(rig, 5000);
	assert_int_equal(seen(rig)->limit_kib, 1000 * MIB);
	assert_true(seen(rig)->distress < 0.5);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(rig_said(rig, "took memory back by itself"), 0);
	assert_int_equal(rig_said(rig, "was set elsewhere"), 0);
	unsigned before = odd(rig)->shrinks;
	crowd(rig);
	assert_true(odd(rig)->shrinks > before);
	/* unplugged: what is left is all there is */
	relieve(rig);
	odd(rig)->max_kib = odd(rig)->actual_kib = odd(rig)->target_kib = 700 * MIB;
	odd(rig)->touched_kib = 700 * MIB;
	rig_run(rig, 20000);
	assert_int_equal(seen(rig)->limit_kib, 700 * MIB);
	assert_int_equal(odd(rig)->actual_kib, 700 * MIB);
	assert_int_equal(odd(rig)->wrong, 0);
	assert_int_equal(rig_said(rig, "was set elsewhere"), 0);
	assert_others_live(rig);
}

static void e41_a_balloon_that_is_unplugged_gets_no_more_orders(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	crowd(rig);
	odd(rig)->no_device = true;
	odd(rig)->tell = TELL_NOTHING;
	fake_tell(&rig->fake, EVENT_GUEST_CHANGED, odd(rig), 0);
	rig_run(rig, 1000);
	unsigned before = odd(rig)->orders;
	relieve(rig);
	assert_int_equal(odd(rig)->orders, before);
	assert_int_equal(rig_guest(rig, 0)->quality, QUALITY_NONE);
}

static void e42_a_size_set_by_hand_is_adopted_and_held(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	unsigned before = odd(rig)->orders;
	odd(rig)->actual_kib = odd(rig)->target_kib = 600 * MIB;
	rig_run(rig, 30000);
	assert_int_equal(state_of(rig), GUEST_STATE_HELD);
	assert_int_equal(odd(rig)->orders, before);
	assert_int_equal(odd(rig)->actual_kib, 600 * MIB);
	assert_int_equal(
		rig_said(rig, "guest \"vm0\": its balloon was set elsewhere"), 1);
	rig_run(rig, 60000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	assert_int_equal(odd(rig)->actual_kib, MAX);
}

/* The same where a balloon may give way by itself. */
static void e42_a_rise_by_hand_is_no_need(void **state)
{
	struct rig *rig = *state;
	uint64_t before = squeeze_and_relieve(rig);
	unsigned orders = odd(rig)->orders;
	odd(rig)->actual_kib = odd(rig)->target_kib = before + 200 * MIB;
	rig_run(rig, 30000);
	assert_int_equal(state_of(rig), GUEST_STATE_HELD);
	assert_int_equal(odd(rig)->orders, orders);
	assert_int_equal(
		rig_said(rig, "guest \"vm0\": its balloon was set elsewhere"), 1);
	assert_int_equal(rig_said(rig, "took memory back by itself"), 0);
}

static void e45_a_thousand_guests_that_come_and_go_leave_nothing(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	for (int i = 0; i < 1000; i++) {
		odd(rig)->present = true;
		snprintf(odd(rig)->uuid, sizeof(odd(rig)->uuid),
			"00000000-0000-4000-8000-%012d", i);
		fake_tell(&rig->fake, EVENT_GUEST_ARRIVED, odd(rig), 0);
		rig_run(rig, 1000);
		fake_stop(&rig->fake, odd(rig));
		rig_run(rig, 100);
	}
	assert_int_equal(rig->engine.roster.count, GUESTS - 1);
	assert_true(rig->engine.roster.capacity < 16);
	assert_int_equal(rig->engine.live.paused_count, 0);
}

static void e49_a_hung_guest_is_left_out_and_comes_back(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	fake_hang(&rig->fake, odd(rig));
	rig_run(rig, 6000);
	assert_int_equal(state_of(rig), GUEST_STATE_HUNG);
	unsigned before = odd(rig)->orders;
	crowd(rig);
	assert_int_equal(odd(rig)->orders, before);
	assert_true(seen(rig)->cost_kib >= odd(rig)->touched_kib);
	assert_true(rig->fake.guests[1].shrinks > 0);
	odd(rig)->call = CALL_TAKEN;
	rig_run(rig, 20000);
	assert_int_equal(state_of(rig), GUEST_STATE_MANAGED);
	crowd_more(rig);
	assert_true(odd(rig)->shrinks > 0);
	assert_others_live(rig);
}

static void e52_a_guest_that_goes_before_its_order_is_no_error(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	odd(rig)->call = CALL_GONE;
	crowd(rig);
	assert_int_equal(rig_said(rig, "warning: "), 0);
	assert_int_equal(rig_said(rig, "error: "), 0);
	assert_true(rig->fake.guests[1].shrinks > 0);
}

static void e53_a_hypervisor_that_refuses_orders_is_said_once(void **state)
{
	struct rig *rig = *state;
	settle(rig);
	for (size_t i = 0; i < GUESTS; i++)
		rig->fake.guests[i].call = CALL_REFUSED;
	crowd(rig);
	assert_in_range(rig_said(rig, "warning: "), 1, GUESTS + 1);
	assert_true(odd(rig)->orders < 20); /* in two minutes */
	assert_int_equal(rig_guest(rig, 1)->state, GUEST_STATE_MANAGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(e01_a_guest_without_a_driver_is_left_alone),
		TEST(e02_a_driver_that_loads_late_is_taken_up),
		TEST(e03_a_guest_without_a_balloon_gets_no_order),
		TEST(e05_frozen_statistics_end_every_shrink),
		TEST(e06_a_driver_without_its_service_is_not_shrunk),
		TEST(e07_values_that_cannot_be_shrink_nobody),
		TEST(e07_a_counter_that_wraps_is_no_distress),
		TEST(e08_without_usable_the_buffer_is_bigger),
		TEST(e09_a_balloon_that_stops_half_way_is_pulled_back),
		TEST(e09_what_a_stuck_guest_keeps_is_shared_once),
		TEST(e10_a_stuck_balloon_is_tried_less_and_less),
		TEST(e11_memory_taken_back_by_a_driver_that_leaves_is_not_chased),
		TEST(e12_a_guest_that_takes_memory_back_in_need_is_given_more),
		TEST(e12_it_is_given_all_it_may_have_by_the_next_plan),
		TEST(e12_a_driver_that_leaves_has_not_run_out),
		TEST(e13_autodeflate_doesnt_change_what_is_used),
		TEST(e14_growth_is_met_before_the_guest_runs_out),
		TEST(e15_a_leap_is_met_within_two_rounds),
		TEST(e16_slow_is_not_stuck),
		TEST(e17_a_remainder_is_not_ordered_for_ever),
		TEST(e18_a_guest_below_its_minimum_is_raised_where_there_is_room),
		TEST(e19_a_minimum_above_the_maximum_is_the_maximum),
		TEST(e19_a_guests_own_minimum_above_its_maximum_is_told_once),
		TEST(e20_a_guest_beyond_its_balloon_is_counted_as_it_is),
		TEST(e21_an_idle_guest_gives_its_cache_and_keeps_its_use),
		TEST(e22_memory_never_touched_is_not_spent),
		TEST(e23_a_panicked_guest_is_held),
		TEST(e24_a_rebooted_guest_is_counted_and_raised_to_its_maximum),
		TEST(e24_a_rise_that_is_refused_after_a_reboot_is_tried_again),
		TEST(e57_a_lost_reboot_is_seen_by_the_next_round),
		TEST(e57_an_event_told_twice_is_told_once),
		TEST(e25_a_guest_that_boots_small_is_not_made_smaller),
		TEST(e27_a_paused_guest_is_neither_ordered_nor_stuck_nor_stale),
		TEST(e29_a_guest_asleep_is_left_alone_and_read_again),
		TEST(e30_hands_off_a_guest_that_is_being_saved),
		TEST(e31_an_order_refused_by_a_job_is_no_fault_of_the_guest),
		TEST(e32_a_restored_guest_is_learned_anew),
		TEST(e33_a_revert_to_another_size_is_read_anew),
		TEST(e38_shared_memory_is_counted_and_proved),
		TEST(e34_a_killed_guest_frees_its_memory_once),
		TEST(e36_memory_on_huge_pages_is_fixed),
		TEST(e37_locked_memory_is_left_at_the_maximum),
		TEST(e37_memory_that_yields_nothing_is_found_out),
		TEST(e39_a_maximum_that_grows_is_no_distress),
		TEST(e41_a_balloon_that_is_unplugged_gets_no_more_orders),
		TEST(e42_a_size_set_by_hand_is_adopted_and_held),
		TEST(e42_a_rise_by_hand_is_no_need),
		TEST(e45_a_thousand_guests_that_come_and_go_leave_nothing),
		TEST(e49_a_hung_guest_is_left_out_and_comes_back),
		TEST(e52_a_guest_that_goes_before_its_order_is_no_error),
		TEST(e53_a_hypervisor_that_refuses_orders_is_said_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
