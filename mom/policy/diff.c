/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/fields.h"
#include "mom/policy/policy.h"

struct differences {
	struct policy_difference *items;
	size_t count, capacity;
};

/* One knob as the policies in force and the shadows want it. */
struct pair {
	bool has_active, has_shadow;
	int64_t active, shadow;
	const char *active_because, *shadow_because;
};

static void add(struct differences *differences, const char *guest, const char *knob,
	const struct pair *pair)
{
	bool same = pair->has_active == pair->has_shadow &&
		    (!pair->has_active || pair->active == pair->shadow);
	if (same)
		return;
	differences->items = mem_grow(differences->items, differences->count,
		&differences->capacity, sizeof(*differences->items));
	struct policy_difference *into = &differences->items[differences->count++];
	*into = (struct policy_difference){.has_active = pair->has_active,
		.has_shadow = pair->has_shadow,
		.active = pair->active,
		.shadow = pair->shadow};
	snprintf(into->guest, sizeof(into->guest), "%s", guest);
	snprintf(into->knob, sizeof(into->knob), "%s", knob);
	snprintf(into->active_because, sizeof(into->active_because), "%s",
		pair->active_because);
	snprintf(into->shadow_because, sizeof(into->shadow_because), "%s",
		pair->shadow_because);
}

static struct pair targets_of(const struct wish *active, const struct wish *shadow)
{
	return (struct pair){.has_active = active->has_target,
		.has_shadow = shadow->has_target,
		.active = (int64_t)active->target_kib,
		.shadow = (int64_t)shadow->target_kib,
		.active_because = active->because,
		.shadow_because = shadow->because};
}

static struct pair values_of(
	const struct host_wish *active, const struct host_wish *shadow)
{
	return (struct pair){.has_active = active->has_value,
		.has_shadow = shadow->has_value,
		.active = active->value,
		.shadow = shadow->value,
		.active_because = active->because,
		.shadow_because = shadow->because};
}

struct policy_difference *policy_diff(const struct policy_facts *facts,
	const struct policy_outcome *outcome, size_t *count)
{
	struct differences differences = {0};
	for (size_t i = 0; outcome->has_shadow && i < outcome->wish_count; i++) {
		const struct guest_facts *guest = facts->guests[i].facts;
		struct pair pair =
			targets_of(&outcome->wishes[i], &outcome->shadow_wishes[i]);
		add(&differences, guest ? guest->name : "", "balloon_target", &pair);
	}
	const struct knob *knob = policy_knobs;
	for (; outcome->has_shadow && knob->name; knob++) {
		if (knob->guest)
			continue;
		struct pair pair = values_of(&outcome->knobs[knob->number],
			&outcome->shadow_knobs[knob->number]);
		add(&differences, "", knob->name, &pair);
	}
	*count = differences.count;
	return differences.items;
}
