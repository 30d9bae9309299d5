/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/roster.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"

static void forget(struct guest *guest)
{
	free(guest->facts.metadata);
	free(guest->resolved_from);
	free(guest->settings_trouble);
	policy_vars_free(guest->vars);
	*guest = (struct guest){0};
}

static void guest_free(struct guest *guest)
{
	forget(guest);
	free(guest);
}

static int by_uuid(const void *a, const void *b)
{
	const struct guest *left = *(struct guest *const *)a;
	const struct guest *right = *(struct guest *const *)b;
	return strcmp(left->facts.uuid, right->facts.uuid);
}

static struct guest *find_uuid(
	const struct roster *roster, size_t count, const char *uuid)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(roster->guests[middle]->facts.uuid, uuid);
		if (order == 0)
			return roster->guests[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct guest *roster_find(const struct roster *roster, const char *name_or_uuid)
{
	struct guest *guest = find_uuid(roster, roster->count, name_or_uuid);
	for (size_t i = 0; !guest && i < roster->count; i++)
		if (!strcmp(roster->guests[i]->facts.name, name_or_uuid))
			guest = roster->guests[i];
	return guest;
}

/* Of those that came with this snapshot, which aren't in order yet. */
static struct guest *find_new(const struct roster *roster, size_t known, const char *uuid)
{
	for (size_t i = known; i < roster->count; i++)
		if (!strcmp(roster->guests[i]->facts.uuid, uuid))
			return roster->guests[i];
	return NULL;
}

static struct guest *add_guest(struct roster *roster)
{
	roster->guests = mem_grow(roster->guests, roster->count, &roster->capacity,
		sizeof(*roster->guests));
	struct guest *guest = mem_alloc(sizeof(*guest));
	roster->guests[roster->count++] = guest;
	return guest;
}

/* It went and came between two looks. A number of 0 is none: a recording's first look. */
static bool is_another_run(
	const struct guest_facts *before, const struct guest_facts *now)
{
	return before->id && now->id && before->id != now->id;
}

static void drop_absent(struct roster *roster,
	void (*gone)(void *context, struct guest *guest), void *context)
{
	size_t kept = 0;
	for (size_t i = 0; i < roster->count; i++) {
		struct guest *guest = roster->guests[i];
		if (guest->present) {
			roster->guests[kept++] = guest;
			continue;
		}
		gone(context, guest);
		guest_free(guest);
	}
	roster->count = kept;
}

void roster_follow(struct roster *roster, struct snapshot *snapshot,
	void (*arrived)(void *context, struct guest *guest),
	void (*gone)(void *context, struct guest *guest), void *context)
{
	size_t known = roster->count;
	for (size_t i = 0; i < known; i++)
		roster->guests[i]->present = false;
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		struct guest_facts *facts = &snapshot->guests[i];
		struct guest *guest = find_uuid(roster, known, facts->uuid);
		if (!guest)
			guest = find_new(roster, known, facts->uuid);
		bool is_new = !guest || is_another_run(&guest->facts, facts);
		if (!guest) {
			guest = add_guest(roster);
		} else if (is_new) {
			gone(context, guest);
			forget(guest);
		}
		free(guest->facts.metadata);
		guest->facts = *facts;
		facts->metadata = NULL;
		guest->present = true;
		if (is_new)
			arrived(context, guest);
	}
	snapshot->guest_count = 0;
	drop_absent(roster, gone, context);
	if (roster->count)
		qsort(roster->guests, roster->count, sizeof(*roster->guests), by_uuid);
}

void roster_done(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		guest_free(roster->guests[i]);
	free(roster->guests);
	*roster = (struct roster){0};
}
