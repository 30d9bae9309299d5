/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"

#define MIB KIB_PER_MIB

/* Within a page of the exact figure: targets are cut to whole KiB. */
static void assert_near(uint64_t got, double mib)
{
	double kib = mib * MIB;
	assert_in_range(got, (uint64_t)(kib - 4), (uint64_t)(kib + 4));
}

/* The table of the paper's example: 358 MB for two guests of 256 MB, 10 and 200 active.
 */
static void idle_tax_follows_the_paper(void **state)
{
	(void)state;
	static const struct {
		double tax, idle_mib, busy_mib;
	} rows[] = {
		{0, 158, 200},
		{0.25, 155.25, 202.75},
		{0.5, 131.5, 226.5},
		{0.75, 107.75, 250.25},
		{0.9, 102, 256},
	};
	const struct claim claims[] = {
		{.want_kib = 10 * MIB, .ceiling_kib = 256 * MIB, .shares = 1000},
		{.want_kib = 200 * MIB, .ceiling_kib = 256 * MIB, .shares = 1000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t targets[2];
		share_divide(claims, 2, 358 * MIB, rows[i].tax, targets);
		assert_near(targets[0], rows[i].idle_mib);
		assert_near(targets[1], rows[i].busy_mib);
	}
}

static void without_wants_shares_alone_decide(void **state)
{
	(void)state;
	const struct claim claims[] = {
		{.ceiling_kib = 256 * MIB, .shares = 1000},
		{.ceiling_kib = 256 * MIB, .shares = 1000},
	};
	uint64_t targets[2];
	share_divide(claims, 2, 358 * MIB, 0, targets);
	assert_near(targets[0], 179);
	assert_near(targets[1], 179);
}

static void small_guest_is_whole_before_a_large_one(void **state)
{
	(void)state;
	const struct claim claims[] = {
		{.want_kib = 100 * MIB, .ceiling_kib = 800 * MIB, .shares = 1000},
		{.want_kib = 700 * MIB, .ceiling_kib = 800 * MIB, .shares = 1000},
		{.want_kib = 600 * MIB, .ceiling_kib = 800 * MIB, .shares = 1000},
	};
	uint64_t targets[3];
	share_divide(claims, 3, 900 * MIB, 0.75, targets);
	assert_near(targets[0], 100);
	assert_near(targets[1], 400);
	assert_near(targets[2], 400);
}

static void double_shares_take_double(void **state)
{
	(void)state;
	const struct claim claims[] = {
		{.want_kib = 800 * MIB, .ceiling_kib = 800 * MIB, .shares = 2000},
		{.want_kib = 800 * MIB, .ceiling_kib = 800 * MIB, .shares = 1000},
	};
	uint64_t targets[2];
	share_divide(claims, 2, 900 * MIB, 0.75, targets);
	assert_near(targets[0], 600);
	assert_near(targets[1], 300);
}

static void floors_come_first_and_always(void **state)
{
	(void)state;
	const struct claim claims[] = {
		{.floor_kib = 300 * MIB,
			.want_kib = 10,
			.ceiling_kib = 800 * MIB,
			.shares = 1},
		{.floor_kib = 300 * MIB,
			.want_kib = 700 * MIB,
			.ceiling_kib = 200 * MIB,
			.shares = 1000},
	};
	uint64_t targets[2];
	share_divide(claims, 2, 500 * MIB, 0.75, targets);
	assert_near(targets[0], 300);
	assert_near(targets[1], 300); /* a ceiling below its floor is the floor */
}

static void everybody_is_whole_where_memory_is_plenty(void **state)
{
	(void)state;
	const struct claim claims[] = {
		{.want_kib = 100 * MIB, .ceiling_kib = 800 * MIB, .shares = 1},
		{.want_kib = 0, .ceiling_kib = 16ull * KIB_PER_GIB * 1024, .shares = 0},
	};
	uint64_t targets[2];
	share_divide(claims, 2, UINT64_MAX / 4, 0.75, targets);
	assert_int_equal(targets[0], 800 * MIB);
	assert_int_equal(targets[1], 16ull * KIB_PER_GIB * 1024);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Whatever the claims: bounds hold, the budget is kept, and nothing lies idle. */
static void any_division_is_within_its_bounds(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252ull;
	for (int round = 0; round < 2000; round++) {
		struct claim claims[12];
		uint64_t targets[12], floors = 0, ceilings = 0, sum = 0;
		size_t count = 1 + next_random(&seed) % ARRAY_SIZE(claims);
		for (size_t i = 0; i < count; i++) {
			claims[i].floor_kib = next_random(&seed) % (500 * MIB);
			claims[i].ceiling_kib =
				claims[i].floor_kib + next_random(&seed) % (900 * MIB);
			claims[i].want_kib = next_random(&seed) % (1400 * MIB);
			claims[i].shares = (double)(next_random(&seed) % 5000);
			floors += claims[i].floor_kib;
			ceilings += claims[i].ceiling_kib;
		}
		uint64_t budget = next_random(&seed) % (8000 * MIB);
		share_divide(claims, count, budget, 0.1 * (double)(round % 10), targets);
		for (size_t i = 0; i < count; i++) {
			assert_in_range(
				targets[i], claims[i].floor_kib, claims[i].ceiling_kib);
			sum += targets[i];
		}
		assert_true(sum <= max_u64(budget, floors));
		assert_true(sum + 16 >= min_u64(max_u64(budget, floors), ceilings));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_tax_follows_the_paper),
		cmocka_unit_test(without_wants_shares_alone_decide),
		cmocka_unit_test(small_guest_is_whole_before_a_large_one),
		cmocka_unit_test(double_shares_take_double),
		cmocka_unit_test(floors_come_first_and_always),
		cmocka_unit_test(everybody_is_whole_where_memory_is_plenty),
		cmocka_unit_test(any_division_is_within_its_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
