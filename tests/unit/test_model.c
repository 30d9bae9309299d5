/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/model.h"
#include "mom/units.h"

#define MIB KIB_PER_MIB

static void every_state_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < GUEST_STATE_COUNT; i++)
		assert_non_null(guest_state_name((enum guest_state)i));
	for (int i = 0; i < HOST_STATE_COUNT; i++)
		assert_non_null(host_state_name((enum host_state)i));
	for (int i = 0; i <= GUEST_RUN_UNKNOWN; i++)
		assert_non_null(guest_run_name((enum guest_run)i));
	for (int i = 0; i <= QUALITY_GOOD; i++)
		assert_non_null(guest_quality_name((enum guest_quality)i));
	assert_string_equal(guest_state_name(GUEST_STATE_FIXED), "fixed");
	assert_string_equal(host_state_name(HOST_EXHAUSTED), "exhausted");
}

static void a_reset_snapshot_is_empty_and_keeps_its_room(void **state)
{
	(void)state;
	struct snapshot snapshot = {0};
	for (int i = 0; i < 20; i++)
		snapshot_add_guest(&snapshot)->metadata = mem_dup("<guest/>");
	snapshot_add_pool(&snapshot)->limit_kib = 5;
	snapshot.host.has_psi = true;
	struct guest_facts *room = snapshot.guests;
	snapshot_reset(&snapshot);
	assert_int_equal(snapshot.guest_count, 0);
	assert_int_equal(snapshot.pool_count, 0);
	assert_false(snapshot.host.has_psi);
	assert_ptr_equal(snapshot.guests, room);
	assert_null(snapshot_add_guest(&snapshot)->metadata);
	assert_int_equal(snapshot_add_pool(&snapshot)->limit_kib, 0);
	snapshot_done(&snapshot);
	snapshot_done(&snapshot);
}

static void history_counts_back_from_the_latest(void **state)
{
	(void)state;
	struct guest_history history = {0};
	assert_null(guest_history_at(&history, 0));
	for (uint64_t i = 1; i <= HISTORY_SAMPLES + 3; i++)
		guest_history_put(
			&history, &(struct guest_sample){.actual_kib = i}, true);
	assert_int_equal(guest_history_at(&history, 0)->actual_kib, HISTORY_SAMPLES + 3);
	assert_int_equal(guest_history_at(&history, HISTORY_SAMPLES - 1)->actual_kib, 4);
	assert_null(guest_history_at(&history, HISTORY_SAMPLES));
}

static void an_early_sample_takes_the_latest_ones_place(void **state)
{
	(void)state;
	struct host_history history = {0};
	host_history_put(&history, &(struct host_sample){.mem_total_kib = 1}, true);
	host_history_put(&history, &(struct host_sample){.mem_total_kib = 2}, true);
	host_history_put(&history, &(struct host_sample){.mem_total_kib = 3}, false);
	assert_int_equal(host_history_at(&history, 0)->mem_total_kib, 3);
	assert_int_equal(host_history_at(&history, 1)->mem_total_kib, 1);
	assert_null(host_history_at(&history, 2));
}

static void a_floor_is_the_larger_of_size_and_part(void **state)
{
	(void)state;
	struct guest_settings settings = {.min = {256 * MIB, 0.25}};
	assert_int_equal(guest_floor_kib(&settings, 800 * MIB), 256 * MIB);
	assert_int_equal(guest_floor_kib(&settings, 4096 * MIB), 1024 * MIB);
}

static void a_floor_never_lies_above_the_limit(void **state)
{
	(void)state;
	struct guest_settings settings = {.min = {256 * MIB, 0.5}};
	assert_int_equal(guest_floor_kib(&settings, 128 * MIB), 128 * MIB);
	settings.max_kib = 300 * MIB;
	assert_int_equal(guest_limit_kib(&settings, 800 * MIB), 300 * MIB);
	assert_int_equal(guest_floor_kib(&settings, 800 * MIB), 300 * MIB);
	assert_int_equal(guest_limit_kib(&settings, 200 * MIB), 200 * MIB);
}

static void a_floor_of_the_guests_choice_has_a_ceiling(void **state)
{
	(void)state;
	struct guest_settings settings = {.min = {0, 1.0}, .min_ceiling_kib = 4096 * MIB};
	assert_int_equal(guest_floor_kib(&settings, 64 * 1024 * MIB), 4096 * MIB);
	assert_int_equal(guest_floor_kib(&settings, 800 * MIB), 800 * MIB);
}

static void a_reset_plan_asks_for_nothing(void **state)
{
	(void)state;
	struct plan plan = {0};
	for (int i = 0; i < 20; i++)
		plan_add_order(&plan)->to_kib = 7;
	plan.knobs[KNOB_KSM_RUN].has_value = true;
	plan_reset(&plan);
	assert_int_equal(plan.order_count, 0);
	assert_false(plan.knobs[KNOB_KSM_RUN].has_value);
	assert_int_equal(plan_add_order(&plan)->to_kib, 0);
	plan_done(&plan);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_a_name),
		cmocka_unit_test(a_reset_snapshot_is_empty_and_keeps_its_room),
		cmocka_unit_test(history_counts_back_from_the_latest),
		cmocka_unit_test(an_early_sample_takes_the_latest_ones_place),
		cmocka_unit_test(a_floor_is_the_larger_of_size_and_part),
		cmocka_unit_test(a_floor_never_lies_above_the_limit),
		cmocka_unit_test(a_floor_of_the_guests_choice_has_a_ceiling),
		cmocka_unit_test(a_reset_plan_asks_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
