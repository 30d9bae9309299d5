/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hypervisors/balloon_stats.h"
#include "mom/units.h"

#define MIB KIB_PER_MIB

static void put(struct balloon_report *report, enum balloon_value which, uint64_t value)
{
	report->has[which] = true;
	report->values[which] = value;
}

/* A Linux guest of 800 MiB that feels well. */
static struct balloon_report well(void)
{
	struct balloon_report report = {0};
	put(&report, BALLOON_MAXIMUM, 800 * MIB);
	put(&report, BALLOON_CURRENT, 800 * MIB);
	put(&report, BALLOON_TOTAL, 770 * MIB);
	put(&report, BALLOON_USABLE, 600 * MIB);
	put(&report, BALLOON_UNUSED, 500 * MIB);
	put(&report, BALLOON_CACHE, 90 * MIB);
	put(&report, BALLOON_SWAP_IN, 100);
	put(&report, BALLOON_SWAP_OUT, 200);
	put(&report, BALLOON_MAJOR_FAULT, 30);
	put(&report, BALLOON_MINOR_FAULT, 40);
	put(&report, BALLOON_RSS, 300 * MIB);
	put(&report, BALLOON_LAST_UPDATE, 1700000000);
	return report;
}

static void takes_all_of_a_good_report(void **state)
{
	(void)state;
	struct guest_facts facts = {0};
	struct balloon_report report = well();
	balloon_stats_apply(&facts, &report);
	assert_int_equal(facts.sample.max_kib, 800 * MIB);
	assert_true(facts.sample.has_actual && facts.sample.has_usable);
	assert_int_equal(facts.sample.usable_kib, 600 * MIB);
	assert_int_equal(facts.sample.unused_kib, 500 * MIB);
	assert_int_equal(facts.sample.total_kib, 770 * MIB);
	assert_int_equal(facts.sample.cache_kib, 90 * MIB);
	assert_int_equal(facts.sample.rss_kib, 300 * MIB);
	assert_true(facts.has_last_update);
	assert_int_equal(facts.refused, 0);
}

/* Counters say nothing until there are two of them. */
static void counts_since_the_last_sample(void **state)
{
	(void)state;
	struct guest_facts facts = {0};
	struct balloon_report report = well();
	balloon_stats_apply(&facts, &report);
	assert_false(facts.sample.has_swap_in || facts.sample.has_major_fault);
	report.values[BALLOON_SWAP_IN] = 150;
	balloon_stats_apply(&facts, &report);
	report.values[BALLOON_SWAP_IN] = 175;
	balloon_stats_apply(&facts, &report);
	assert_true(facts.sample.has_swap_in);
	assert_int_equal(facts.sample.swap_in_kib, 75);
	balloon_stats_taken(&facts);
	balloon_stats_apply(&facts, &report);
	assert_true(facts.sample.has_swap_in);
	assert_int_equal(facts.sample.swap_in_kib, 0);
}

static void a_counter_that_starts_again_is_unknown_once(void **state)
{
	(void)state;
	struct guest_facts facts = {0};
	struct balloon_report report = well();
	balloon_stats_apply(&facts, &report);
	report.values[BALLOON_MAJOR_FAULT] = 5;
	balloon_stats_apply(&facts, &report);
	assert_false(facts.sample.has_major_fault);
	report.values[BALLOON_MAJOR_FAULT] = 9;
	balloon_stats_apply(&facts, &report);
	assert_true(facts.sample.has_major_fault);
	assert_int_equal(facts.sample.major_fault, 4);
	assert_int_equal(facts.refused, 0);
}

static struct guest_facts after_nonsense(enum balloon_value which, uint64_t value)
{
	struct guest_facts facts = {0};
	struct balloon_report report = well();
	balloon_stats_apply(&facts, &report);
	report.values[which] = value;
	balloon_stats_apply(&facts, &report);
	return facts;
}

/* One impossible value costs itself and no other. */
static void refuses_one_by_one(void **state)
{
	(void)state;
	const uint64_t minus_one_kib = UINT64_MAX >> 10;
	struct guest_facts facts = after_nonsense(BALLOON_USABLE, 771 * MIB);
	assert_false(facts.sample.has_usable);
	assert_true(facts.sample.has_unused && facts.sample.has_total);
	assert_int_equal(facts.refused, 1);
	assert_false(after_nonsense(BALLOON_USABLE, UINT64_MAX).sample.has_usable);
	assert_false(after_nonsense(BALLOON_UNUSED, minus_one_kib).sample.has_unused);
	assert_false(after_nonsense(BALLOON_CACHE, 900 * MIB).sample.has_cache);
	facts = after_nonsense(BALLOON_TOTAL, 801 * MIB);
	assert_false(facts.sample.has_total);
	assert_true(facts.sample.has_usable);
	assert_false(after_nonsense(BALLOON_TOTAL, 0).sample.has_total);
	facts = after_nonsense(BALLOON_SWAP_IN, UINT64_MAX);
	assert_false(facts.sample.has_swap_in);
	assert_true(facts.sample.has_swap_out);
	assert_int_equal(facts.refused, 1);
	assert_true(after_nonsense(BALLOON_USABLE, 0).sample.has_usable);
}

static void keeps_the_last_size_that_made_sense(void **state)
{
	(void)state;
	struct guest_facts facts = after_nonsense(BALLOON_CURRENT, 0);
	assert_true(facts.sample.has_actual);
	assert_int_equal(facts.sample.actual_kib, 800 * MIB);
	assert_int_equal(facts.refused, 1);
	assert_int_equal(after_nonsense(BALLOON_MAXIMUM, 0).sample.max_kib, 800 * MIB);
	assert_int_equal(
		after_nonsense(BALLOON_CURRENT, 801 * MIB).sample.actual_kib, 800 * MIB);
}

/* A hypervisor that didn't ask QEMU knows the sizes; the guest's own words stand. */
static void an_answer_without_qemu_takes_nothing_away(void **state)
{
	(void)state;
	struct guest_facts facts = {0};
	struct balloon_report report = well(), short_one = {0};
	balloon_stats_apply(&facts, &report);
	put(&short_one, BALLOON_CURRENT, 500 * MIB);
	assert_false(balloon_stats_asked(&short_one));
	balloon_stats_apply(&facts, &short_one);
	assert_int_equal(facts.sample.actual_kib, 500 * MIB);
	assert_true(facts.sample.has_usable);
}

/* Windows whose service was stopped: the driver answers, its values are absent. */
static void absent_values_are_unknown(void **state)
{
	(void)state;
	struct guest_facts facts = {0};
	struct balloon_report report = well(), empty = {0};
	balloon_stats_apply(&facts, &report);
	put(&empty, BALLOON_RSS, 300 * MIB);
	put(&empty, BALLOON_LAST_UPDATE, 1700000001);
	balloon_stats_apply(&facts, &empty);
	assert_false(facts.sample.has_usable || facts.sample.has_total);
	assert_false(facts.sample.has_swap_in || facts.counters.has_swap_in);
	assert_int_equal(facts.last_update, 1700000001);
	assert_int_equal(facts.refused, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_of_a_good_report),
		cmocka_unit_test(counts_since_the_last_sample),
		cmocka_unit_test(a_counter_that_starts_again_is_unknown_once),
		cmocka_unit_test(refuses_one_by_one),
		cmocka_unit_test(keeps_the_last_size_that_made_sense),
		cmocka_unit_test(an_answer_without_qemu_takes_nothing_away),
		cmocka_unit_test(absent_values_are_unknown),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
