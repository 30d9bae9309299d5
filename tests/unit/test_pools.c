/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/* Budgets: the host's own, one set as a size, and one of each limited cgroup. */

#define MAX   (800 * MIB)
#define EACH  3 /* guests a cgroup */
#define LARGE (20000 * MIB)

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, LARGE);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_done(*state);
	free(*state);
	return 0;
}

static void add_guests(struct rig *rig, const char *cgroup)
{
	for (int i = 0; i < EACH; i++) {
		auto_free char *name = mem_printf("vm%zu", rig->fake.count);
		struct fake_guest *guest = fake_add(&rig->fake, name, MAX, 200 * MIB);
		snprintf(guest->cgroup, sizeof(guest->cgroup), "%s/%s", cgroup, name);
	}
}

static void add_cgroup(struct rig *rig, const char *path, uint64_t limit_kib)
{
	rig->fake.cgroups[rig->fake.cgroup_count++] =
		(struct fake_cgroup){.path = path, .limit_kib = limit_kib};
}

static uint64_t actual_of(const struct rig *rig, size_t first)
{
	uint64_t sum = 0;
	for (size_t i = first; i < first + EACH; i++)
		sum += rig->fake.guests[i].actual_kib;
	return sum;
}

static const struct pool *pool_at(const struct rig *rig, const char *path)
{
	for (size_t i = 0; i < rig->engine.pools.count; i++)
		if (!strcmp(rig->engine.pools.items[i].path, path))
			return &rig->engine.pools.items[i];
	fail_msg("there is no pool \"%s\"", path);
	return NULL;
}

static void add_small_and_large(struct rig *rig, uint64_t small_mib, uint64_t large_mib)
{
	add_guests(rig, "/small");
	add_guests(rig, "/large");
	add_cgroup(rig, "/small", small_mib * MIB);
	add_cgroup(rig, "/large", large_mib * MIB);
}

static void e64_guests_of_two_limited_cgroups_have_a_budget_each(void **state)
{
	struct rig *rig = *state;
	add_small_and_large(rig, 2500, 6000);
	rig_open(rig, "");
	rig_run(rig, 10000);
	rig->fake.cgroups[0].limit_kib = 1500 * MIB;
	rig_run(rig, 60000);
	assert_in_range(actual_of(rig, 0), 1250 * MIB, 1450 * MIB);
	assert_int_equal(actual_of(rig, EACH), EACH * MAX);
	assert_int_equal(pool_at(rig, "/small")->guest_count, EACH);
	assert_int_equal(pool_at(rig, "/large")->sample.state, HOST_ROOMY);
	assert_int_equal(pool_at(rig, "")->guest_count, 0);
	/* where it has room again, all is given back */
	rig->fake.cgroups[0].limit_kib = 6000 * MIB;
	rig_run(rig, 60000);
	assert_int_equal(actual_of(rig, 0), EACH * MAX);
}

static void the_nearest_limit_is_a_guests_own(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/outer/inner");
	add_guests(rig, "/outerwards"); /* not below "/outer" */
	add_cgroup(rig, "/outer", 8000 * MIB);
	add_cgroup(rig, "/outer/inner", 8000 * MIB);
	rig_open(rig, "");
	rig_run(rig, 5000);
	assert_int_equal(pool_at(rig, "/outer/inner")->guest_count, EACH);
	assert_int_equal(pool_at(rig, "/outer")->guest_count, 0);
	assert_int_equal(pool_at(rig, "")->guest_count, EACH);
}

/* Its own limit has room for all, the one above it hasn't. */
static void e64_a_limit_above_binds_as_well(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/above/own");
	add_cgroup(rig, "/above", 2700 * MIB);
	add_cgroup(rig, "/above/own", 6000 * MIB);
	rig_open(rig, "");
	rig_run(rig, 10000);
	rig->fake.cgroups[0].limit_kib = 1500 * MIB;
	rig_run(rig, 60000);
	assert_int_equal(pool_at(rig, "/above/own")->guest_count, EACH);
	assert_in_range(actual_of(rig, 0), 600 * MIB, 1450 * MIB);
}

static void a_budget_set_as_a_size_holds_on_a_large_host(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "");
	rig_open(rig, "host = { budget = \"1800MiB\"; };");
	rig_run(rig, 60000);
	uint64_t held = actual_of(rig, 0) + EACH * FAKE_OVERHEAD_KIB;
	assert_in_range(held, 900 * MIB, 1800 * MIB);
	for (size_t i = 0; i < EACH; i++)
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
}

/* Each of the two has room within its limit; the host hasn't room for both. */
static void what_pools_promise_together_the_hosts_books_dont_pay_twice(void **state)
{
	struct rig *rig = *state;
	rig->fake.memory_kib = 6000 * MIB;
	add_guests(rig, "/one");
	add_guests(rig, "/two");
	add_cgroup(rig, "/one", 4000 * MIB);
	add_cgroup(rig, "/two", 4000 * MIB);
	for (size_t i = 0; i < 2 * EACH; i++) {
		struct fake_guest *guest = &rig->fake.guests[i];
		guest->actual_kib = guest->target_kib = guest->touched_kib = 300 * MIB;
	}
	rig->fake.base_kib = 3500 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	for (size_t i = 0; i < 2 * EACH; i++)
		rig->fake.guests[i].used_kib = 280 * MIB; /* all of them want more */
	rig_run(rig, 60000);
	const struct host_sample *host = &pool_at(rig, "")->sample;
	assert_true(host->cost_kib <= host->budget_kib + host->reserve_kib);
	assert_true(rig->fake.least_kib > 0);
}

static void e64_a_cgroup_whose_use_is_unknown_moves_nobody(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/one");
	add_cgroup(rig, "/one", 2000 * MIB);
	rig_open(rig, "");
	rig_run(rig, 60000);
	uint64_t before = actual_of(rig, 0);
	assert_true(before < 2000 * MIB);
	rig->fake.cgroups[0].blind = true;
	unsigned orders = rig->fake.orders;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.orders, orders);
	assert_true(pool_at(rig, "/one")->blind);
}

/* The host's figures are gone; the cgroup's own limit stands. */
static void a_limit_holds_without_the_hosts_figures(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/one");
	add_cgroup(rig, "/one", 2700 * MIB);
	rig->fake.unavailable[SOURCE_MEMORY] = true;
	rig_open(rig, "");
	rig_run(rig, 20000);
	rig->fake.cgroups[0].limit_kib = 1500 * MIB;
	rig_run(rig, 60000);
	assert_in_range(actual_of(rig, 0), 768 * MIB, 1450 * MIB);
	rig->fake.cgroups[0].limit_kib = 6000 * MIB;
	rig_run(rig, 60000);
	assert_int_equal(actual_of(rig, 0), EACH * MAX);
}

static void a_cgroup_that_goes_takes_its_pool_along(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/one");
	add_cgroup(rig, "/one", 4000 * MIB);
	rig_open(rig, "");
	rig_run(rig, 5000);
	assert_int_equal(rig->engine.pools.count, 2);
	for (size_t i = 0; i < EACH; i++)
		fake_stop(&rig->fake, &rig->fake.guests[i]);
	rig->fake.cgroup_count = 0;
	rig_run(rig, 5000);
	assert_int_equal(rig->engine.pools.count, 1);
	assert_int_equal(pools_state(&rig->engine.pools), HOST_ROOMY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* One that nothing can be taken from any more doesn't hide another's fall. */
static void an_exhausted_pool_does_not_hush_the_others(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, "/first");
	add_guests(rig, "/second");
	add_cgroup(rig, "/first", 6000 * MIB);
	add_cgroup(rig, "/second", 6000 * MIB);
	rig_open(rig, "");
	rig_run(rig, 10000);
	rig->fake.cgroups[0].limit_kib = 700 * MIB; /* less than their least */
	rig_run(rig, 30000);
	assert_int_equal(pool_at(rig, "/first")->sample.state, HOST_EXHAUSTED);
	assert_false(engine_glance(&rig->engine));
	rig->fake.cgroups[1].others_kib = 6000 * MIB;
	assert_true(engine_glance(&rig->engine));
}

/* A reserve that is meant for the host leaves a small cgroup's guests a budget. */
static void e64_a_reserve_beyond_a_small_limit_is_bounded_and_told(void **state)
{
	struct rig *rig = *state;
	add_small_and_large(rig, 2700, 16000);
	rig_open(rig, "host = { reserve = \"3GiB\"; };");
	rig_run(rig, 60000);
	const struct host_sample *small = &pool_at(rig, "/small")->sample;
	assert_in_range(small->reserve_kib, 2700 * MIB / 4, 2700 * MIB / 2);
	assert_true(small->budget_kib > 1500 * MIB);
	assert_true(pool_at(rig, "/large")->sample.reserve_kib >= 3000 * MIB);
	assert_int_equal(rig_said(rig, "host.reserve is"), 1);
	assert_int_equal(
		rig_said(rig, "cgroup /small: host.reserve is 3.00 GiB, and its limit "
			      "2.64 GiB"),
		1);
	for (size_t i = 0; i < EACH; i++)
		assert_true(rig->fake.guests[i].actual_kib >= 256 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(e64_guests_of_two_limited_cgroups_have_a_budget_each),
		TEST(the_nearest_limit_is_a_guests_own),
		TEST(e64_a_limit_above_binds_as_well),
		TEST(a_budget_set_as_a_size_holds_on_a_large_host),
		TEST(what_pools_promise_together_the_hosts_books_dont_pay_twice),
		TEST(e64_a_cgroup_whose_use_is_unknown_moves_nobody),
		TEST(a_limit_holds_without_the_hosts_figures),
		TEST(a_cgroup_that_goes_takes_its_pool_along),
		TEST(an_exhausted_pool_does_not_hush_the_others),
		TEST(e64_a_reserve_beyond_a_small_limit_is_bounded_and_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
