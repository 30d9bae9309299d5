/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/* Memory kept for guests that are to come, under the whole engine. */

#define MAX (800 * MIB)

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, 1500 * MIB);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_done(*state);
	free(*state);
	return 0;
}

static void add(struct rig *rig, const char *name, uint64_t used_kib)
{
	fake_add(&rig->fake, name, MAX, used_kib);
	fake_tell(&rig->fake, EVENT_GUEST_ARRIVED, &rig->fake.guests[rig->fake.count - 1],
		0);
}

/* Three guests of 800 MiB that use 200 each share 1,500 MiB. */
static void share_it(struct rig *rig, const char *config)
{
	add(rig, "vm0", 200 * MIB);
	add(rig, "vm1", 200 * MIB);
	rig_open(rig, config);
	rig_run(rig, 30000);
	add(rig, "vm2", 200 * MIB);
	rig->fake.guests[2].touched_kib = 200 * MIB;
	rig_run(rig, 60000);
}

/* As asked for by somebody; the number, 0 impossible, or an error. */
static int ask(struct rig *rig, const char *name, uint64_t size_kib, uint64_t for_ms)
{
	struct reservation wanted = {
		.size_kib = size_kib,
		.expires_ms = rig->fake.now_ms + (int64_t)for_ms,
	};
	struct reserve_look look;
	struct err err;
	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	return engine_reserve(&rig->engine, &wanted, NULL, &look, &err);
}

static struct reserve_look look_at(const struct rig *rig, size_t index)
{
	struct reserve_look look;
	engine_reserve_look(
		&rig->engine, &rig->engine.live.reservations.items[index], &look);
	return look;
}

static uint64_t held_kib(const struct rig *rig, size_t index)
{
	struct reserve_look look = look_at(rig, index);
	return reserve_held_kib(&rig->engine.live.reservations.items[index], &look);
}

static size_t count(const struct rig *rig)
{
	return rig->engine.live.reservations.count;
}

static void memory_is_made_free_by_shrinking_guests(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	assert_true(ask(rig, "vm9", 400 * MIB, 300000) > 0);
	assert_true(held_kib(rig, 0) < 100 * MIB);
	rig_run(rig, 20000);
	assert_int_equal(held_kib(rig, 0), 400 * MIB);
	assert_true(fake_available(&rig->fake) > 400 * MIB);
	for (size_t i = 0; i < 3; i++) {
		assert_true(rig->fake.guests[i].lowest_kib >= 200 * MIB);
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
	}
	assert_true(rig_said(rig, "400 MiB is reserved for vm9") > 0);
}

static void it_stays_free_though_a_guest_wants_it(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "vm9", 300 * MIB, 600000);
	rig_run(rig, 20000);
	rig->fake.guests[0].used_kib = 330 * MIB;
	rig_run(rig, 60000);
	assert_int_equal(held_kib(rig, 0), 300 * MIB);
	assert_true(rig->fake.guests[0].actual_kib >= 330 * MIB); /* from the others */
}

static void what_cannot_be_is_refused_at_once_and_not_kept(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	assert_int_equal(ask(rig, "vm9", 900 * MIB, 300000), 0);
	assert_int_equal(count(rig), 0);
	unsigned before = rig->fake.orders;
	rig_run(rig, 10000);
	assert_int_equal(rig->fake.orders, before);
}

/* The last MiB that the guests can give can be had, and one more is refused. */
static void the_least_that_guests_can_be_brought_to_is_reached(void **state)
{
	struct rig *rig = *state;
	struct reservation wanted = {.size_kib = 1};
	struct reserve_look look;
	share_it(rig, "");
	engine_reserve_look(&rig->engine, &wanted, &look);
	assert_true(look.most_kib > (int64_t)(500 * MIB));
	uint64_t most_kib = (uint64_t)look.most_kib;
	assert_int_equal(ask(rig, "vm9", most_kib + MIB, 300000), 0);
	assert_true(ask(rig, "vm9", most_kib - 20 * MIB, 300000) > 0);
	rig_run(rig, 60000);
	assert_int_equal(held_kib(rig, 0), most_kib - 20 * MIB);
}

/* A part of it from each guest would be too little for an order. */
static void little_can_be_had_too(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	struct reservation wanted = {.size_kib = 1};
	struct reserve_look look;
	engine_reserve_look(&rig->engine, &wanted, &look);
	uint64_t free_kib = look.free_kib > 0 ? (uint64_t)look.free_kib : 0;
	ask(rig, "vm9", free_kib + 4 * MIB, 300000);
	rig_run(rig, 10000);
	assert_int_equal(held_kib(rig, 0), free_kib + 4 * MIB);
}

static void guests_that_cannot_be_moved_are_not_counted_on(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	struct reserve_look before, after;
	struct reservation wanted = {.size_kib = 1};
	engine_reserve_look(&rig->engine, &wanted, &before);
	live_pause(&rig->engine.live, rig->fake.guests[0].uuid, true);
	rig_run(rig, 3000);
	engine_reserve_look(&rig->engine, &wanted, &after);
	assert_int_equal(before.unmovable, 0);
	assert_int_equal(after.unmovable, 1);
	assert_true(after.most_kib < before.most_kib);
	char why[REASON_MAX];
	reserve_why(&after, false, why);
	assert_non_null(strstr(why, "1 can't be moved"));
}

static void minimums_bound_what_is_possible(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "guests = ({ match = \"*\"; min = \"400MiB\"; });");
	assert_int_equal(ask(rig, "vm9", 300 * MIB, 300000), 0);
	assert_true(ask(rig, "vm9", 10 * MIB, 300000) > 0);
}

static void a_dry_run_counts_on_what_is_free_alone(void **state)
{
	struct rig *rig = *state;
	rig->dry_run = true;
	add(rig, "vm0", 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 10000);
	assert_int_equal(ask(rig, "vm9", 700 * MIB, 300000), 0);
	assert_true(ask(rig, "vm9", 400 * MIB, 300000) > 0);
	assert_int_equal(held_kib(rig, 0), 400 * MIB);
}

static void it_ends_when_its_guest_comes(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "vm9", 400 * MIB, 300000);
	rig_run(rig, 20000);
	add(rig, "other", 50 * MIB);
	rig->fake.guests[3].max_kib = 64 * MIB;
	rig_run(rig, 3000);
	assert_int_equal(count(rig), 1);
	add(rig, "vm9", 50 * MIB);
	rig_run(rig, 3000);
	assert_int_equal(count(rig), 0);
	assert_int_equal(
		rig_said(rig, "any more: guest \"vm9\" is there"), 1);
	assert_int_equal(rig->engine.pools.items[0].sample.claimed_kib, 0);
}

static void without_a_name_it_ends_with_the_next_guest(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "", 100 * MIB, 300000);
	ask(rig, "", 100 * MIB, 300000);
	rig_run(rig, 10000);
	assert_int_equal(count(rig), 2);
	add(rig, "new", 50 * MIB);
	rig_run(rig, 5000);
	assert_int_equal(count(rig), 1);
	add(rig, "newer", 50 * MIB);
	rig_run(rig, 5000);
	assert_int_equal(count(rig), 0);
}

static void a_guest_with_one_of_its_own_leaves_the_others(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "", 100 * MIB, 300000);
	ask(rig, "vm9", 100 * MIB, 300000);
	rig_run(rig, 10000);
	add(rig, "vm9", 50 * MIB);
	rig_run(rig, 5000);
	assert_int_equal(count(rig), 1);
	assert_string_equal(rig->engine.live.reservations.items[0].name, "");
}

static void it_expires_and_the_guests_get_it_back(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "vm9", 400 * MIB, 30000);
	rig_run(rig, 28000);
	uint64_t squeezed_kib = rig->fake.guests[0].actual_kib;
	assert_int_equal(count(rig), 1);
	rig_run(rig, 32000);
	assert_int_equal(count(rig), 0);
	assert_int_equal(rig_said(rig, "nobody came in time"), 1);
	assert_true(rig->fake.guests[0].actual_kib > squeezed_kib + 50 * MIB);
}

static void a_restart_keeps_it(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "vm 9", 300 * MIB, 300000);
	ask(rig, "", 50 * MIB, 300000);
	live_save(&rig->engine.live, NULL);
	rig_restart(rig, "");
	rig_run(rig, 30000);
	assert_int_equal(count(rig), 2); /* the guests there were aren't new */
	assert_int_equal(held_kib(rig, 0), 300 * MIB);
	assert_int_equal(held_kib(rig, 1), 50 * MIB);
	add(rig, "vm 9", 50 * MIB);
	rig_run(rig, 3000);
	fake_stop(&rig->fake, &rig->fake.guests[3]);
	rig_run(rig, 3000);
	rig_restart(rig, "");
	rig_run(rig, 3000);
	assert_int_equal(count(rig), 1); /* its end was written down, too */
}

static void the_first_is_served_first_and_one_for_the_same_guest_replaces_it(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	ask(rig, "vm8", 300 * MIB, 300000);
	assert_int_equal(ask(rig, "vm9", 400 * MIB, 300000), 0); /* not beside it */
	assert_true(ask(rig, "vm8", 400 * MIB, 300000) > 0);
	assert_int_equal(count(rig), 1);
	assert_true(ask(rig, "vm9", 100 * MIB, 300000) > 0);
	rig_run(rig, 30000);
	assert_int_equal(held_kib(rig, 0), 400 * MIB);
	assert_int_equal(held_kib(rig, 1), 100 * MIB);
}

static void who_is_there_already_gets_none(void **state)
{
	struct rig *rig = *state;
	share_it(rig, "");
	assert_int_equal(ask(rig, "vm1", MIB, 300000), -EEXIST);
	fake_disconnect(&rig->fake, true);
	rig_run(rig, 3000);
	assert_int_equal(ask(rig, "vm9", MIB, 300000), -EAGAIN);
}

static void a_roomy_host_squeezes_nobody_for_it(void **state)
{
	struct rig *rig = *state;
	rig->fake.memory_kib = 4000 * MIB;
	add(rig, "vm0", 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 20000);
	ask(rig, "vm9", 400 * MIB, 300000);
	assert_int_equal(held_kib(rig, 0), 400 * MIB);
	rig_run(rig, 20000);
	assert_int_equal(rig->fake.orders, 0);
	assert_int_equal(pools_state(&rig->engine.pools), HOST_ROOMY);
}

static void a_cgroup_is_reserved_in_and_others_are_left_alone(void **state)
{
	struct rig *rig = *state;
	rig->fake.memory_kib = 8000 * MIB;
	rig->fake.cgroups[0] =
		(struct fake_cgroup){.path = "/a", .limit_kib = 1000 * MIB};
	rig->fake.cgroups[1] =
		(struct fake_cgroup){.path = "/b", .limit_kib = 1000 * MIB};
	rig->fake.cgroup_count = 2;
	for (size_t i = 0; i < 4; i++) {
		add(rig, (const char *[]){"a0", "a1", "b0", "b1"}[i], 200 * MIB);
		struct fake_guest *guest = &rig->fake.guests[i];
		guest->touched_kib = 200 * MIB;
		snprintf(guest->cgroup, sizeof(guest->cgroup), i < 2 ? "/a/vm" : "/b/vm");
	}
	rig_open(rig, "");
	rig_run(rig, 60000);
	uint64_t before_kib = rig->fake.guests[2].actual_kib;
	struct reservation wanted = {.name = "a2",
		.size_kib = 200 * MIB,
		.expires_ms = rig->fake.now_ms + 300000};
	struct reserve_look look;
	struct err err;
	assert_int_equal(
		engine_reserve(&rig->engine, &wanted, "/c", &look, &err), -ENOENT);
	assert_true(engine_reserve(&rig->engine, &wanted, "/a", &look, &err) > 0);
	rig_run(rig, 30000);
	assert_int_equal(held_kib(rig, 0), 200 * MIB);
	assert_int_equal(rig->fake.guests[2].actual_kib, before_kib);
	assert_true(rig->fake.guests[0].actual_kib < before_kib - 50 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(memory_is_made_free_by_shrinking_guests),
		CASE(it_stays_free_though_a_guest_wants_it),
		CASE(what_cannot_be_is_refused_at_once_and_not_kept),
		CASE(the_least_that_guests_can_be_brought_to_is_reached),
		CASE(little_can_be_had_too),
		CASE(guests_that_cannot_be_moved_are_not_counted_on),
		CASE(minimums_bound_what_is_possible),
		CASE(a_dry_run_counts_on_what_is_free_alone),
		CASE(it_ends_when_its_guest_comes),
		CASE(without_a_name_it_ends_with_the_next_guest),
		CASE(a_guest_with_one_of_its_own_leaves_the_others),
		CASE(it_expires_and_the_guests_get_it_back),
		CASE(a_restart_keeps_it),
		CASE(the_first_is_served_first_and_one_for_the_same_guest_replaces_it),
		CASE(who_is_there_already_gets_none),
		CASE(a_roomy_host_squeezes_nobody_for_it),
		CASE(a_cgroup_is_reserved_in_and_others_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
