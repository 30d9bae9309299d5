/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/occurrence.h"

#include "mom/mem.h"

const char *occurrence_kind_name(enum occurrence_kind kind)
{
	static const char *const names[OCCURRENCE_KIND_COUNT] = {
		[OCCURRENCE_STARTED] = "started",
		[OCCURRENCE_ENDING] = "ending",
		[OCCURRENCE_CONTROL] = "control",
		[OCCURRENCE_CONNECTED] = "connected",
		[OCCURRENCE_DISCONNECTED] = "disconnected",
		[OCCURRENCE_NOTE] = "note",
		[OCCURRENCE_PART] = "part",
		[OCCURRENCE_POLICY] = "policy",
		[OCCURRENCE_POOL] = "pool",
		[OCCURRENCE_RESERVED] = "reserved",
		[OCCURRENCE_UNRESERVED] = "unreserved",
		[OCCURRENCE_KNOB] = "knob",
		[OCCURRENCE_FOUND] = "found",
		[OCCURRENCE_GONE] = "gone",
		[OCCURRENCE_REBOOTED] = "rebooted",
		[OCCURRENCE_STATE] = "state",
		[OCCURRENCE_SETTINGS] = "settings",
		[OCCURRENCE_RESTLESS] = "restless",
		[OCCURRENCE_ORDER] = "order",
		[OCCURRENCE_REFUSED] = "refused",
		[OCCURRENCE_ADOPTED] = "adopted",
		[OCCURRENCE_STUCK] = "stuck",
		[OCCURRENCE_FIXED] = "fixed",
		[OCCURRENCE_RELEASED] = "released",
		[OCCURRENCE_HISTORY] = "history",
	};
	return names[kind];
}

static void let_go(struct occurrence *occurrence)
{
	const char *owned[] = {occurrence->guest, occurrence->uuid, occurrence->pool,
		occurrence->text, occurrence->why};
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free((char *)owned[i]);
}

const struct occurrence *occurrences_put(
	struct occurrences *occurrences, const struct occurrence *occurrence)
{
	struct occurrence *place = &occurrences->items[occurrences->next];
	let_go(place);
	*place = *occurrence;
	place->guest = mem_dup(occurrence->guest);
	place->uuid = mem_dup(occurrence->uuid);
	place->pool = mem_dup(occurrence->pool);
	place->text = mem_dup(occurrence->text);
	place->why = mem_dup(occurrence->why);
	occurrences->next = (occurrences->next + 1) % OCCURRENCES_KEPT;
	if (occurrences->count < OCCURRENCES_KEPT)
		occurrences->count++;
	return place;
}

const struct occurrence *occurrences_at(const struct occurrences *occurrences, size_t age)
{
	size_t index =
		(occurrences->next + OCCURRENCES_KEPT - 1 - age) % OCCURRENCES_KEPT;
	return age < occurrences->count ? &occurrences->items[index] : NULL;
}

void occurrences_done(struct occurrences *occurrences)
{
	for (size_t i = 0; i < OCCURRENCES_KEPT; i++)
		let_go(&occurrences->items[i]);
	*occurrences = (struct occurrences){0};
}
