/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/* A tick from facts to orders, and how the engine is told what to do: on a made-up
 * hypervisor. */

#define GUESTS 3

/* Three idle guests of 800 MiB, all touched, on a host that can't hold them. */
static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, 2600 * MIB);
	for (int i = 0; i < GUESTS; i++) {
		char name[8];
		snprintf(name, sizeof(name), "vm%d", i);
		fake_add(&rig->fake, name, 800 * MIB, 200 * MIB);
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

/* Something else on the host wants so much of it. */
static void crowd(struct rig *rig, uint64_t mib)
{
	rig->fake.base_kib = mib * MIB;
}

static uint64_t actual_of_all(const struct rig *rig)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < rig->fake.count; i++)
		sum += rig->fake.guests[i].actual_kib;
	return sum;
}

static void facts_become_orders(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "");
	rig_run(rig, 10000);
	crowd(rig, 800);
	rig_run(rig, 30000);
	assert_true(actual_of_all(rig) < 1800 * MIB);
	assert_true(fake_available(&rig->fake) > 0);
	for (size_t i = 0; i < GUESTS; i++) {
		const struct fake_guest *guest = &rig->fake.guests[i];
		assert_true(guest->lowest_kib >= 256 * MIB);
		assert_int_equal(guest->starved_ms, 0);
		assert_int_equal(guest->wrong, 0);
	}
	assert_true(rig_said(rig, "guest \"vm0\": target 800 MiB → ") > 0);
}

static void memory_goes_back_when_the_host_has_it(void **state)
{
	struct rig *rig = *state;
	crowd(rig, 800);
	rig_open(rig, "");
	rig_run(rig, 30000);
	assert_true(actual_of_all(rig) < 1800 * MIB);
	crowd(rig, 0);
	rig->fake.memory_kib = 8000 * MIB;
	rig_run(rig, 60000);
	assert_int_equal(actual_of_all(rig), GUESTS * 800 * MIB);
}

/* It has its configured memory while it boots, as after a reboot, and then its max. */
static void a_guest_with_a_smaller_max_never_keeps_more(void **state)
{
	struct rig *rig = *state;
	rig->fake.memory_kib = 8000 * MIB;
	rig_open(rig, "guests = ( { match = \"vm1\"; max = \"500MiB\"; } );");
	rig_run(rig, 20000);
	assert_int_equal(rig->fake.guests[0].actual_kib, 800 * MIB);
	assert_int_equal(rig->fake.guests[1].actual_kib, 500 * MIB);
	fake_reboot(&rig->fake, &rig->fake.guests[1]);
	rig_run(rig, 30000);
	assert_int_equal(rig->fake.guests[1].actual_kib, 500 * MIB);
	unsigned before = rig->fake.orders;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.orders, before);
	engine_release(&rig->engine);
	fake_step(&rig->fake, 5000);
	assert_int_equal(rig->fake.guests[1].actual_kib, 500 * MIB);
}

static void every_decision_is_written_down(void **state)
{
	struct rig *rig = *state;
	crowd(rig, 800);
	rig_open(rig, "");
	rig_run(rig, 10000);
	bool found = false;
	const struct decision *decision;
	for (size_t age = 0; (decision = journal_at(&rig_guest(rig, 0)->journal, age));
		age++) {
		if (!decision->has_order)
			continue;
		found = true;
		assert_string_equal(decision->policy, "fair-share");
		assert_string_not_equal(decision->because, "");
		assert_string_equal(decision->outcome, "taken by the hypervisor");
		assert_true(decision->has_used && decision->used_kib == 200 * MIB);
	}
	assert_true(found);
}

/* ---- dry run ---- */

/* The first decision that orders something. */
static const struct decision *first_order(struct rig *rig)
{
	made_up_file(&rig->folder, "sys/kernel/mm/ksm/run", "0\n");
	made_up_file(&rig->folder, "merge.policy", "(Host.Control \"ksm_run\" 1)\n");
	auto_free char *config = mem_printf(
		"policies = [ \"fair-share\", \"%s/merge.policy\" ];", rig->folder.root);
	crowd(rig, 800);
	rig_open(rig, config);
	for (int i = 0; i < 200; i++) {
		rig_run(rig, 50);
		if (rig->engine.roster.count && rig_decision(rig, 0)->has_order)
			return rig_decision(rig, 0);
	}
	return NULL;
}

static void e82_a_dry_run_decides_alike_and_orders_nothing(void **state)
{
	struct rig *dry = *state, *wet;
	dry->dry_run = true;
	const struct decision *would = first_order(dry);
	assert_non_null(would);
	assert_string_equal(would->outcome, "dry run: not sent");
	assert_int_equal(dry->fake.orders, 0);
	assert_int_equal(made_up_number(&dry->folder, "sys/kernel/mm/ksm/run"), 0);

	set_up((void **)&wet);
	const struct decision *did = first_order(wet);
	bool alike = did && did->target_kib == would->target_kib &&
		     did->tick == would->tick && !strcmp(did->because, would->because);
	unsigned sent = wet->fake.orders;
	long merging = made_up_number(&wet->folder, "sys/kernel/mm/ksm/run");
	tear_down((void **)&wet);
	assert_true(alike);
	assert_true(sent > 0);
	assert_int_equal(merging, 1);
}

static void e53_who_may_only_look_orders_nothing(void **state)
{
	struct rig *rig = *state;
	rig->fake.read_only = true;
	assert_non_null(first_order(rig));
	rig_run(rig, 10000);
	assert_int_equal(rig->fake.orders, 0);
	assert_int_equal(made_up_number(&rig->folder, "sys/kernel/mm/ksm/run"), 0);
}

static void a_dry_run_tells_an_order_once(void **state)
{
	struct rig *rig = *state;
	rig->dry_run = true;
	crowd(rig, 800);
	rig_open(rig, "");
	rig_run(rig, 60000);
	assert_in_range(rig_said(rig, "guest \"vm0\": would go"), 1, 3);
}

/* ---- what is missing ---- */

static void e63_a_missing_source_is_said_once_and_missed_by_its_part_alone(void **state)
{
	struct rig *rig = *state;
	rig->fake.unavailable[SOURCE_PRESSURE] = true;
	rig->fake.unavailable[SOURCE_CGROUPS] = true;
	crowd(rig, 800);
	rig_open(rig, "");
	rig_run(rig, 30000);
	assert_int_equal(rig_said(rig, "pressure: "), 1);
	assert_int_equal(rig_said(rig, "cgroups: "), 1);
	assert_true(actual_of_all(rig) < 1800 * MIB);
}

static void a_source_that_fails_and_recovers_is_two_lines(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "");
	rig_run(rig, 5000);
	rig->fake.failing[SOURCE_PRESSURE] = true;
	rig_run(rig, 20000);
	assert_int_equal(
		rig_said(rig, "pressure: the source is broken; going on without"), 1);
	rig->fake.failing[SOURCE_PRESSURE] = false;
	rig_run(rig, 20000);
	assert_int_equal(rig_said(rig, "pressure: works again"), 1);
}

/* Without the host's figures nothing is known of what is left: nobody is moved by it. */
static void without_the_hosts_memory_nobody_is_squeezed(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "");
	rig_run(rig, 5000);
	unsigned before = rig->fake.orders;
	uint64_t size = actual_of_all(rig);
	rig->fake.failing[SOURCE_MEMORY] = true;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.orders, before);
	assert_int_equal(actual_of_all(rig), size);
}

/* ---- policies ---- */

static void a_policys_error_keeps_the_last_targets(void **state)
{
	struct rig *rig = *state;
	crowd(rig, 800);
	made_up_file(&rig->folder, "half.policy",
		"(with Guests guest (guest.Control \"balloon_target\"\n"
		"  (/ 524288 Host.psi_full)))\n");
	auto_free char *config =
		mem_printf("policies = [ \"%s/half.policy\" ];", rig->folder.root);
	rig->fake.psi_full = 1;
	rig_open(rig, config);
	rig_run(rig, 20000);
	assert_int_equal(rig->fake.guests[0].actual_kib, 512 * MIB);
	unsigned before = rig->fake.orders;
	rig->fake.psi_full = 0;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.orders, before);
	assert_int_equal(rig->fake.guests[0].actual_kib, 512 * MIB);
	assert_int_equal(rig_said(rig, "half.policy:2:"), 1);
}

static void e77_a_bad_configuration_leaves_the_old_one(void **state)
{
	struct rig *rig = *state;
	struct err err = {0};
	rig_open(rig, "guests = ( { match = \"*\"; shares = 77; } );");
	rig_run(rig, 5000);
	assert_true(rig_reconfigure(
			    rig, "policies = [ \"nowhere/none.policy\" ];", &err) < 0);
	assert_non_null(strstr(err.text, "none.policy"));
	assert_true(rig_reconfigure(rig, "host = { budget = true; };", &err) < 0);
	rig_run(rig, 5000);
	assert_int_equal(rig_guest(rig, 0)->settings.shares, 77);
	assert_int_equal(rig_reconfigure(rig,
				 "guests = ( { match = \"*\"; shares = 88; } );", &err),
		0);
	rig_run(rig, 5000);
	assert_int_equal(rig_guest(rig, 0)->settings.shares, 88);
	assert_int_equal(rig_guest(rig, 0)->state, GUEST_STATE_MANAGED);
}

/* ---- an administrator ---- */

static void a_paused_guest_is_left_alone(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "");
	live_pause(&rig->engine.live, rig->fake.guests[1].uuid, true);
	crowd(rig, 800);
	rig_run(rig, 30000);
	assert_int_equal(rig_guest(rig, 1)->state, GUEST_STATE_PAUSED);
	assert_int_equal(rig->fake.guests[1].orders, 0);
	assert_true(rig->fake.guests[0].orders > 0);
	live_pause(&rig->engine.live, rig->fake.guests[1].uuid, false);
	rig_run(rig, 30000);
	assert_true(rig->fake.guests[1].orders > 0);
}

static void pausing_all_stops_every_order(void **state)
{
	struct rig *rig = *state;
	rig_open(rig, "");
	live_pause(&rig->engine.live, NULL, true);
	crowd(rig, 800);
	rig_run(rig, 30000);
	assert_int_equal(rig->fake.orders, 0);
}

static void live_settings_outlive_a_restart(void **state)
{
	struct rig *rig = *state;
	const char *uuid = rig->fake.guests[2].uuid;
	rig_open(rig, "");
	live_set(&rig->engine.live, uuid, "min", "600MiB");
	live_pause(&rig->engine.live, rig->fake.guests[0].uuid, true);
	assert_int_equal(live_save(&rig->engine.live, NULL), 0);
	rig_restart(rig, "");
	crowd(rig, 800);
	rig_run(rig, 60000);
	assert_int_equal(rig_guest(rig, 2)->facts.sample.min_kib, 600 * MIB);
	assert_true(rig->fake.guests[2].lowest_kib >= 600 * MIB);
	assert_int_equal(rig->fake.guests[0].orders, 0);
}

/* ---- the end ---- */

static void e76_at_the_end_memory_goes_back_only_where_there_is_room(void **state)
{
	struct rig *rig = *state;
	crowd(rig, 800);
	rig_open(rig, "");
	rig_run(rig, 30000);
	unsigned before = rig->fake.orders;
	assert_int_equal(engine_release(&rig->engine), 0);
	assert_int_equal(rig->fake.orders, before);

	rig->fake.memory_kib = 8000 * MIB;
	crowd(rig, 0);
	engine_sample(&rig->engine);
	engine_tick(&rig->engine, rig->fake.now_ms + 1); /* sees the room */
	size_t sent = engine_release(&rig->engine);
	fake_step(&rig->fake, 5000);
	assert_true(sent <= GUESTS);
	assert_int_equal(actual_of_all(rig), GUESTS * 800 * MIB);
}

static void a_hypervisor_that_cannot_be_opened_is_told(void **state)
{
	struct rig *rig = *state;
	struct err err = {0};
	rig->uri = "other:";
	assert_true(rig_try(rig, "", &err) < 0);
	assert_non_null(strstr(err.text, "other:"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(facts_become_orders),
		TEST(memory_goes_back_when_the_host_has_it),
		TEST(a_guest_with_a_smaller_max_never_keeps_more),
		TEST(every_decision_is_written_down),
		TEST(e82_a_dry_run_decides_alike_and_orders_nothing),
		TEST(e53_who_may_only_look_orders_nothing),
		TEST(a_dry_run_tells_an_order_once),
		TEST(e63_a_missing_source_is_said_once_and_missed_by_its_part_alone),
		TEST(a_source_that_fails_and_recovers_is_two_lines),
		TEST(without_the_hosts_memory_nobody_is_squeezed),
		TEST(a_policys_error_keeps_the_last_targets),
		TEST(e77_a_bad_configuration_leaves_the_old_one),
		TEST(a_paused_guest_is_left_alone),
		TEST(pausing_all_stops_every_order),
		TEST(live_settings_outlive_a_restart),
		TEST(e76_at_the_end_memory_goes_back_only_where_there_is_room),
		TEST(a_hypervisor_that_cannot_be_opened_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
