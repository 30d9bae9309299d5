/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/rates.h"

static struct rates rates;
static struct guest_counters counters;

static int begin(void **state)
{
	(void)state;
	rates = (struct rates){0};
	counters = (struct guest_counters){.has_swap_in = true, .swap_in_kib = 5000};
	return 0;
}

/* Reports come once a second, ticks four times. */
static void quarters(int64_t *now_ms, int count, uint64_t kib_per_s)
{
	for (int i = 0; i < count; i++, *now_ms += 250) {
		counters.swap_in_kib += *now_ms % 1000 ? 0 : kib_per_s;
		rates_follow(&rates, &counters, *now_ms);
	}
}

static void reports_between_ticks_are_a_steady_rate(void **state)
{
	(void)state;
	int64_t now_ms = 10250;
	quarters(&now_ms, 9, 800);
	for (int i = 0; i < 40; i++) {
		assert_true(rates.swap_in_kib.known);
		assert_int_equal(800, (int)rates.swap_in_kib.per_s);
		quarters(&now_ms, 1, 800);
	}
}

static void one_who_rests_has_a_rate_of_nothing(void **state)
{
	(void)state;
	int64_t now_ms = 10250;
	quarters(&now_ms, 12, 800);
	quarters(&now_ms, 16, 0);
	assert_true(rates.swap_in_kib.known);
	assert_int_equal(0, (int)rates.swap_in_kib.per_s);
}

static void what_is_not_counted_is_not_known(void **state)
{
	(void)state;
	rates_follow(&rates, &counters, 1000);
	assert_false(rates.swap_in_kib.known);
	rates_follow(&rates, &counters, 4000);
	assert_true(rates.swap_in_kib.known);
	assert_false(rates.swap_out_kib.known);
	assert_false(rates.major_faults.known);
}

static void a_guest_that_began_anew_fetched_nothing(void **state)
{
	(void)state;
	rates_follow(&rates, &counters, 1000);
	counters.swap_in_kib = 0;
	rates_follow(&rates, &counters, 3000);
	assert_int_equal(0, (int)rates.swap_in_kib.per_s);
}

#define FRESH(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(reports_between_ticks_are_a_steady_rate),
		FRESH(one_who_rests_has_a_rate_of_nothing),
		FRESH(what_is_not_counted_is_not_known),
		FRESH(a_guest_that_began_anew_fetched_nothing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
