/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/reserve.h"

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

/* ---- the list ---- */

void reservations_done(struct reservations *list)
{
	free(list->items);
	*list = (struct reservations){0};
}

static void end_at(struct reservations *list, size_t i)
{
	list->count--;
	memmove(&list->items[i], &list->items[i + 1],
		(list->count - i) * sizeof(*list->items));
}

size_t reservations_cancel(struct reservations *list, const char *name)
{
	size_t before = list->count;
	for (size_t i = before; i-- > 0;)
		if (!strcmp(list->items[i].name, name))
			end_at(list, i);
	return before - list->count;
}

unsigned reservations_put(struct reservations *list, const struct reservation *wanted)
{
	if (wanted->name[0])
		reservations_cancel(list, wanted->name);
	list->items =
		mem_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
	struct reservation *kept = &list->items[list->count++];
	*kept = *wanted;
	kept->number = ++list->last_number;
	return kept->number;
}

const struct reservation *reservations_find(
	const struct reservations *list, unsigned number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

int reserve_known_id(const struct roster *roster)
{
	int id = 0;
	for (size_t i = 0; i < roster->count; i++)
		if (roster->guests[i]->facts.id > id)
			id = roster->guests[i]->facts.id;
	return id;
}

/* The first that came since the reservation was made. */
static const struct guest *first_new(const struct roster *roster, int known_id)
{
	const struct guest *first = NULL;
	for (size_t i = 0; i < roster->count; i++) {
		const struct guest *guest = roster->guests[i];
		if (guest->facts.id > known_id &&
			(!first || guest->facts.id < first->facts.id))
			first = guest;
	}
	return first;
}

/* One guest is what one reservation was for: the others wait on. */
static void know(struct reservations *list, int id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].known_id < id)
			list->items[i].known_id = id;
}

static size_t end_arrived(struct reservations *list, const struct roster *roster,
	bool named, reservation_ended ended, void *context)
{
	size_t before = list->count;
	for (size_t i = 0; i < list->count;) {
		const struct reservation *reservation = &list->items[i];
		const struct guest *guest = NULL;
		if (named && reservation->name[0])
			guest = roster_find(roster, reservation->name);
		else if (!named && !reservation->name[0])
			guest = first_new(roster, reservation->known_id);
		if (!guest) {
			i++;
			continue;
		}
		ended(context, reservation, guest);
		end_at(list, i);
		know(list, guest->facts.id);
	}
	return before - list->count;
}

static size_t end_expired(
	struct reservations *list, int64_t now_ms, reservation_ended ended, void *context)
{
	size_t before = list->count;
	for (size_t i = before; i-- > 0;) {
		if (now_ms < list->items[i].expires_ms)
			continue;
		ended(context, &list->items[i], NULL);
		end_at(list, i);
	}
	return before - list->count;
}

size_t reservations_follow(struct reservations *list, const struct roster *roster,
	int64_t now_ms, reservation_ended ended, void *context)
{
	size_t arrived = end_arrived(list, roster, true, ended, context) +
			 end_arrived(list, roster, false, ended, context);
	/* a hypervisor that starts anew counts on from those that are left */
	int newest_id = reserve_known_id(roster);
	for (size_t i = 0; i < list->count; i++)
		if (roster->count && list->items[i].known_id > newest_id)
			list->items[i].known_id = newest_id;
	return arrived + end_expired(list, now_ms, ended, context);
}

/* ---- claims ---- */

/* A pool whose last guest has gone isn't known any more: the host's budget remains. */
static size_t pool_index(const struct pools *pools, const char *path)
{
	for (size_t i = 1; i < pools->count; i++)
		if (!strcmp(pools->items[i].path, path))
			return i;
	return 0;
}

static uint64_t small_change(
	const struct roster *roster, size_t pool, const struct follow_terms *terms)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < roster->count; i++) {
		const struct guest *guest = roster->guests[i];
		if (guest->pool == pool && guest->state == GUEST_STATE_MANAGED)
			sum += follow_step_kib(terms, guest->facts.sample.actual_kib);
	}
	return sum;
}

/* What the first so many of the list claim from a pool; one for the same guest as
 * `replacing` is (or will be) the same. */
static uint64_t claimed_kib(const struct reservations *list, size_t first_ones,
	const struct reservation *replacing, const struct pools *pools, size_t pool)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < first_ones; i++) {
		const struct reservation *reservation = &list->items[i];
		bool same = replacing && replacing->name[0] &&
			    !strcmp(reservation->name, replacing->name);
		if (!same && (!pool || pool_index(pools, reservation->pool) == pool))
			sum += reservation->size_kib;
	}
	return sum;
}

void reserve_claim(const struct reservations *list, const struct roster *roster,
	const struct follow_terms *terms, struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++) {
		uint64_t claim = claimed_kib(list, list->count, NULL, pools, i);
		pools->items[i].claim_kib =
			claim ? claim + small_change(roster, i, terms) : 0;
	}
}

/* ---- what can be had ---- */

/* Whether it gives memory, now or when it has booted or its job is done. */
static bool may_give(const struct guest *guest)
{
	switch (guest->state) {
	case GUEST_STATE_MANAGED:
	case GUEST_STATE_NEW:
	case GUEST_STATE_BOOTING:
	case GUEST_STATE_BUSY:
	case GUEST_STATE_HELD:
		return !guest->facts.hugepages;
	default:
		return false;
	}
}

/* What it costs less what it can be brought to. */
static uint64_t gives_kib(const struct guest *guest, uint64_t safety_kib)
{
	const struct guest_sample *sample = &guest->facts.sample;
	uint64_t least = sample->min_kib;
	if (sample->has_used)
		least = max_u64(least, sample->used_kib + safety_kib);
	return sub_u64(sample->cost_kib, least + sample->overhead_kib);
}

/* One of the two books that a reservation is written in: the pool's and the host's. */
static void look_into(const struct reserve_terms *terms, size_t book, size_t pool,
	uint64_t others_kib, struct reserve_look *look)
{
	const struct host_sample *host = &terms->pools->items[book].sample;
	int64_t free_kib = (int64_t)(host->budget_kib + host->claimed_kib) -
			   (int64_t)(host->cost_kib + others_kib);
	int64_t giving_kib = 0;
	for (size_t i = 0; i < terms->roster->count; i++) {
		const struct guest *guest = terms->roster->guests[i];
		bool divided = guest->pool == pool || guest->pool == book;
		if (divided && may_give(guest) && !terms->dry_run)
			giving_kib += (int64_t)gives_kib(guest, terms->safety_kib);
	}
	look->others_kib = max_u64(look->others_kib, others_kib);
	if (free_kib < look->free_kib)
		look->free_kib = free_kib;
	if (free_kib + giving_kib < look->most_kib)
		look->most_kib = free_kib + giving_kib;
}

static void count_guests(
	const struct reserve_terms *terms, size_t pool, struct reserve_look *look)
{
	for (size_t i = 0; i < terms->roster->count; i++) {
		const struct guest *guest = terms->roster->guests[i];
		bool gives = may_give(guest) && gives_kib(guest, terms->safety_kib);
		look->giving += guest->pool == pool && gives;
		look->unmovable += guest->pool == pool && !may_give(guest);
	}
}

void reserve_look(const struct reservations *list, const struct reservation *reservation,
	const struct reserve_terms *terms, struct reserve_look *look)
{
	const struct pools *pools = terms->pools;
	size_t pool = pools->count ? pool_index(pools, reservation->pool) : 0;
	size_t before = 0;
	while (before < list->count && list->items[before].number != reservation->number)
		before++;
	*look = (struct reserve_look){.free_kib = INT64_MAX, .most_kib = INT64_MAX};
	look->known = pools->count && !pools->items[pool].blind;
	if (!look->known)
		return;
	look_into(terms, pool, pool, claimed_kib(list, before, reservation, pools, pool),
		look);
	if (pool && !pools->items[0].blind)
		look_into(terms, 0, pool,
			claimed_kib(list, before, reservation, pools, 0), look);
	count_guests(terms, pool, look);
}

uint64_t reserve_held_kib(
	const struct reservation *reservation, const struct reserve_look *look)
{
	uint64_t free_kib = look->free_kib > 0 ? (uint64_t)look->free_kib : 0;
	return look->known ? min_u64(free_kib, reservation->size_kib) : 0;
}

/* ---- in words ---- */

void reserve_why(const struct reserve_look *look, bool dry_run, char text[REASON_MAX])
{
	char sum[SIZE_TEXT_MAX], claimed[SIZE_TEXT_MAX];
	char given[64] = "no guest can give more", unmoved[48] = "", others[64] = "";
	int64_t more = look->most_kib - (look->free_kib > 0 ? look->free_kib : 0);
	if (look->giving && more > 0)
		snprintf(given, sizeof(given), "%zu guest%s can give %s more",
			look->giving, look->giving == 1 ? "" : "s",
			units_format_size(sum, (uint64_t)more));
	if (look->unmovable)
		snprintf(unmoved, sizeof(unmoved), ", %zu can't be moved",
			look->unmovable);
	if (look->others_kib)
		snprintf(others, sizeof(others), "; %s is reserved already",
			units_format_size(claimed, look->others_kib));
	if (!look->known)
		snprintf(text, REASON_MAX, "what memory is left isn't known");
	else if (dry_run)
		snprintf(text, REASON_MAX, "nothing is taken in a dry run%s", others);
	else
		snprintf(text, REASON_MAX, "%s%s%s", given, unmoved, others);
}

void reserve_mention(const struct reservations *list, const struct pools *pools,
	size_t pool, char text[REASON_MAX])
{
	const struct reservation *only = NULL;
	char size[SIZE_TEXT_MAX];
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct reservation *reservation = &list->items[i];
		if (pool && pool_index(pools, reservation->pool) != pool)
			continue;
		only = reservation;
		count++;
	}
	units_format_size(size, claimed_kib(list, list->count, NULL, pools, pool));
	text[0] = '\0';
	if (count > 1)
		snprintf(text, REASON_MAX, "%s is reserved for %zu guests", size, count);
	else if (count)
		snprintf(text, REASON_MAX, "%s is reserved for %.80s", size,
			only->name[0] ? only->name : "the next guest");
}
