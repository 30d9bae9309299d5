/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Evaluation: whatever a policy says, a run comes back within its bounds, twice the same,
 * keeps no more for a guest than it may, and leaves a well-behaved policy beside it
 * alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"
#include "mom/share.h"

#define GUESTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy_limits limits = {
	.steps = 20000, .depth = 50, .list = 1000, .string = 2000, .memory_kib = 512};

struct world {
	struct host_history host;
	struct guest_facts facts[GUESTS];
	struct guest_history histories[GUESTS];
	struct policy_vars *stores[GUESTS + 1];
	struct policy_guest guests[GUESTS];
};

/* A full guest, one at the limits of its numbers, and one of whom nothing is known. */
static void make_world(struct world *world)
{
	struct host_sample host = {.has_meminfo = true,
		.has_ksm = true,
		.mem_total_kib = 1000000,
		.mem_free_kib = 100000,
		.ksm_pages_to_scan = 100,
		.divisible_kib = 900000};
	struct guest_sample guest = {.has_actual = true,
		.has_unused = true,
		.has_demand = true,
		.actual_kib = 500000,
		.max_kib = 800000,
		.limit_kib = 800000,
		.unused_kib = 1000,
		.demand_kib = 400000,
		.shares = 1000};
	struct guest_sample large = {.has_actual = true,
		.actual_kib = UINT64_MAX,
		.max_kib = INT64_MAX,
		.shares = UINT64_MAX,
		.distress = -1};
	host_history_put(&world->host, &host, true);
	guest_history_put(&world->histories[0], &guest, true);
	guest_history_put(&world->histories[1], &large, true);
	for (size_t i = 0; i < GUESTS; i++) {
		snprintf(world->facts[i].name, GUEST_NAME_MAX, "vm%zu", i);
		world->guests[i] = (struct policy_guest){.facts = &world->facts[i],
			.history = &world->histories[i],
			.state = "managed",
			.vars = &world->stores[i]};
	}
}

static void add(struct policy_set *set, const char *name, const void *text, size_t size)
{
	struct policy_source source = {
		.name = name, .text = text, .length = size, .unchecked = true};
	policy_set_load(set, &source, NULL, NULL);
}

static void check_outcome(const struct policy_outcome *outcome)
{
	if (outcome->wish_count != GUESTS || outcome->steps > 2 * limits.steps + 4000)
		abort();
	for (size_t i = 0; i < GUESTS; i++)
		if (!outcome->wishes[i].has_target)
			abort();
	if (!outcome->knobs[KNOB_KSM_SLEEP_MILLISECS].has_value)
		abort();
	for (size_t i = 0; i < outcome->value_count; i++) {
		char text[64];
		value_format(text, sizeof(text), outcome->values[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char steady[] = "(with Guests g (g.Control \"balloon_target\" 5))"
				     "(Host.Control \"ksm_sleep_millisecs\" 20)";
	struct world *world = mem_alloc(sizeof(*world));
	make_world(world);
	struct policy_facts facts = {.host = &world->host,
		.host_vars = &world->stores[GUESTS],
		.guests = world->guests,
		.guest_count = GUESTS};
	struct policy_outcome outcome = {.keep_values = true};
	struct policy_set *set = policy_set_new(&limits);
	add(set, "a", steady, sizeof(steady) - 1);
	add(set, "b", data, size);
	for (int i = 0; i < 2; i++) {
		policy_run(set, &facts, share_divide, &outcome);
		check_outcome(&outcome);
	}
	policy_set_free(set);
	policy_outcome_done(&outcome);
	for (size_t i = 0; i <= GUESTS; i++)
		policy_vars_free(world->stores[i]);
	free(world);
	return 0;
}
