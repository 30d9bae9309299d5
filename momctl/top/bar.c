/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/bar.h"

#include <string.h>

#include "mom/units.h"

static uint64_t sum(const struct top_slice *slices, size_t count)
{
	uint64_t whole = 0;
	for (size_t i = 0; i < count; i++)
		whole += slices[i].kib;
	return whole;
}

/* Cells that the first `kib` of the whole reach to, to the nearest. */
static size_t reach(uint64_t kib, uint64_t whole, size_t width)
{
	return (size_t)((double)kib * (double)width / (double)whole + 0.5);
}

/* Where something is there but has no cell, the largest gives one of its own. */
static void spare_a_cell(struct top_slice *slices, size_t count, struct top_slice *poor)
{
	struct top_slice *rich = &slices[0];
	for (size_t i = 1; i < count; i++)
		if (slices[i].cells > rich->cells)
			rich = &slices[i];
	if (rich->cells > 1) {
		rich->cells--;
		poor->cells++;
	}
}

void top_bar_divide(struct top_slice *slices, size_t count, size_t width)
{
	uint64_t whole = sum(slices, count), before = 0;
	for (size_t i = 0; i < count; i++) {
		size_t from = whole ? reach(before, whole, width) : 0;
		before += slices[i].kib;
		slices[i].cells = whole ? reach(before, whole, width) - from : 0;
	}
	for (size_t i = 0; i < count; i++)
		if (slices[i].kib && !slices[i].cells)
			spare_a_cell(slices, count, &slices[i]);
}

static void add(struct top_slice *slices, size_t *count, enum top_part part, uint64_t kib)
{
	slices[(*count)++] = (struct top_slice){.part = part, .kib = kib};
}

/* What isn't known inside is one slice; the whole is the maximum, whatever is said. */
size_t top_bar_guest(const struct top_guest *guest,
	struct top_slice slices[TOP_GUEST_SLICES], size_t width)
{
	size_t count = 0;
	uint64_t max = guest->max.kib;
	uint64_t actual = guest->actual.known ? min_u64(guest->actual.kib, max) : max;
	uint64_t used = guest->used.known ? min_u64(guest->used.kib, actual) : 0;
	uint64_t unused = min_u64(guest->unused.kib, actual - used);
	if (!guest->used.known) {
		add(slices, &count, TOP_PART_UNKNOWN, actual);
	} else {
		add(slices, &count, TOP_PART_USED, used);
		add(slices, &count, TOP_PART_CACHE, actual - used - unused);
		add(slices, &count, TOP_PART_UNUSED, unused);
	}
	add(slices, &count, TOP_PART_BALLOON, max - actual);
	top_bar_divide(slices, count, width);
	return count;
}

size_t top_bar_cell(const struct top_guest *guest, uint64_t kib, size_t width)
{
	uint64_t max = guest->max.kib;
	size_t cells = max ? reach(min_u64(kib, max), max, width) : 0;
	return cells ? cells - 1 : 0;
}

static uint64_t held(const struct top_guest *guest)
{
	return guest->on_host && guest->held.known ? guest->held.kib : 0;
}

static uint64_t all_held(const struct top_figures *figures)
{
	uint64_t kib = 0;
	for (size_t i = 0; i < figures->guest_count; i++)
		kib += held(&figures->guests[i]);
	return kib;
}

/* Pages that guests share are held by each and there once: all pay for them alike. */
static size_t add_guests(
	const struct top_figures *figures, struct top_slice *slices, double paid_ratio)
{
	size_t count = 0;
	for (size_t i = 0; i < figures->guest_count; i++) {
		const struct top_guest *guest = &figures->guests[i];
		uint64_t kib = (uint64_t)((double)held(guest) * paid_ratio);
		add(slices, &count, i % 2 ? TOP_PART_GUEST_NEXT : TOP_PART_GUEST, kib);
		slices[count - 1].name = guest->name;
	}
	return count;
}

/* Take up to `kib` of what is left. */
static uint64_t part_of(uint64_t *left, uint64_t kib)
{
	uint64_t part = min_u64(*left, kib);
	*left -= part;
	return part;
}

size_t top_bar_host(
	const struct top_figures *figures, struct top_slice *slices, size_t width)
{
	const struct top_host *host = &figures->host;
	if (!host->total.known || !host->usable.known)
		return 0;
	uint64_t holding = all_held(figures);
	uint64_t saving = min_u64(host->ksm_saving.kib, holding);
	double paid = holding ? (double)(holding - saving) / (double)holding : 0;
	size_t count = add_guests(figures, slices, paid);

	uint64_t left = min_u64(host->usable.kib, host->total.kib);
	uint64_t other = sub_u64(host->total.kib - left, holding - saving);
	uint64_t reserve = part_of(&left, host->reserve.kib);
	uint64_t promised = part_of(&left, host->exposure.kib);
	uint64_t cached = part_of(&left, host->cached.kib);
	add(slices, &count, TOP_PART_KSM, saving);
	add(slices, &count, TOP_PART_PROMISED, promised);
	add(slices, &count, TOP_PART_OTHER, other);
	add(slices, &count, TOP_PART_CACHED, cached);
	add(slices, &count, TOP_PART_FREE, left);
	add(slices, &count, TOP_PART_RESERVE, reserve);
	top_bar_divide(slices, count, width);
	return count;
}
