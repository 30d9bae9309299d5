/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/* How soon the engine looks again, whom it asks, and how far it plans ahead. */

#define MAX (800 * MIB)

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, 0);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_done(*state);
	free(*state);
	return 0;
}

/* So many guests that use 200 MiB each, on a host of so much memory; all are managed. */
static void begin(struct rig *rig, size_t count, uint64_t memory_kib)
{
	rig->fake.memory_kib = memory_kib;
	for (size_t i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof(name), "vm%zu", i);
		fake_add(&rig->fake, name, MAX, 200 * MIB);
	}
	rig_open(rig, "");
	rig_run(rig, 20000);
}

static unsigned asked_of_all(const struct rig *rig)
{
	unsigned asked = 0;
	for (size_t i = 0; i < rig->fake.count; i++)
		asked += rig->fake.guests[i].asked;
	return asked;
}

static void a_roomy_host_is_looked_at_at_ease(void **state)
{
	struct rig *rig = *state;
	begin(rig, 3, 8000 * MIB);
	const struct config *config = rig->engine.config;
	assert_int_equal(engine_period_ms(&rig->engine), config->sampling.period_ms);
	assert_int_equal(asked_of_all(rig), 0);
}

static void a_tight_host_is_looked_at_quickly_and_asks(void **state)
{
	struct rig *rig = *state;
	begin(rig, 3, 8000 * MIB);
	rig->fake.base_kib = 7000 * MIB;
	rig_run(rig, 5000);
	assert_true(pools_state(&rig->engine.pools) > HOST_ROOMY);
	const struct config *config = rig->engine.config;
	assert_int_equal(
		engine_period_ms(&rig->engine), config->sampling.tight_period_ms);
	for (size_t i = 0; i < rig->fake.count; i++)
		assert_true(rig->fake.guests[i].asked > 10);
}

/* The host is snug and nothing moves: the quick pace ends some seconds later. */
static void a_snug_host_where_nothing_moves_is_looked_at_at_ease(void **state)
{
	struct rig *rig = *state;
	begin(rig, 3, 2400 * MIB);
	rig_run(rig, 120000);
	assert_int_equal(pools_state(&rig->engine.pools), HOST_SNUG);
	const struct config *config = rig->engine.config;
	assert_int_equal(engine_period_ms(&rig->engine), config->sampling.period_ms);
}

/* Forty guests, more than are asked in one round: nobody is left out, and who is short is
 * asked every time. */
static void of_many_guests_the_needy_are_asked_first_and_all_in_turn(void **state)
{
	struct rig *rig = *state;
	begin(rig, 40, 40 * 850 * MIB);
	rig->fake.base_kib = 40 * 400 * MIB;
	rig_run(rig, 5000);
	const struct engine *engine = &rig->engine;
	assert_true(pools_state(&engine->pools) > HOST_ROOMY);

	struct fake_guest *needy = &rig->fake.guests[39];
	needy->used_kib = needy->actual_kib; /* every round finds it short */
	needy->pace_kib_per_s = 1;
	for (size_t i = 0; i < rig->fake.count; i++)
		rig->fake.guests[i].asked = 0;
	unsigned ticks = rig->ticks;
	rig_run(rig, 4000);
	unsigned rounds = rig->ticks - ticks;
	assert_true(rounds > 10);
	for (size_t i = 0; i < rig->fake.count; i++)
		assert_true(rig->fake.guests[i].asked > 0);
	assert_true(needy->asked + 2 >= rounds); /* the first rounds don't know yet */
	assert_true(asked_of_all(rig) <= (rounds + 1) * 16);
}

/* What a guest may need until memory can reach it, where balloons answer so late. */
static uint64_t demand_with(struct rig *rig, uint64_t answer_ms)
{
	for (size_t i = 0; i < rig->engine.roster.count; i++)
		rig->engine.roster.guests[i]->balloon.answer_ms = answer_ms;
	engine_look(&rig->engine, rig->fake.now_ms);
	return rig_guest(rig, 0)->facts.sample.demand_kib;
}

static void slow_balloons_are_reckoned_with(void **state)
{
	struct rig *rig = *state;
	begin(rig, 2, 8000 * MIB);
	for (int i = 0; i < 20; i++) { /* 50 MiB a second */
		rig->fake.guests[0].used_kib += 5 * MIB;
		rig_run(rig, 100);
	}
	uint64_t quick = demand_with(rig, 100), slow = demand_with(rig, 2100);
	const struct guest_sample *sample = &rig_guest(rig, 0)->facts.sample;
	assert_true(sample->growth_kib_per_s >= 20 * MIB);
	assert_in_range(slow - quick, 2 * sample->growth_kib_per_s - MIB,
		2 * sample->growth_kib_per_s + MIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_roomy_host_is_looked_at_at_ease),
		TEST(a_tight_host_is_looked_at_quickly_and_asks),
		TEST(a_snug_host_where_nothing_moves_is_looked_at_at_ease),
		TEST(of_many_guests_the_needy_are_asked_first_and_all_in_turn),
		TEST(slow_balloons_are_reckoned_with),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
