/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/estimate.h"
#include "mom/units.h"

/*
 * QEMU tells of a balloon's moves once a second at most, and a gigabyte can move in that
 * time. A Linux guest's own total follows its balloon page by page, and comes in the same
 * breath as what it has free: so while it moves, the guest's word is taken.
 */

#define SETTLED_MS 2000 /* nothing moved for so long: QEMU has told all there was */
#define SILENT_MS  1500 /* a guest's word is no news any more */
#define SLACK_KIB  (8 * KIB_PER_MIB) /* the figures are of different moments */

static bool take(uint64_t *kept, uint64_t value)
{
	bool changed = *kept != value;
	*kept = value;
	return changed;
}

/* Whether the guest has said anything new, whatever its time stamp's whole seconds say.
 */
static bool has_news(struct size_track *track, const struct guest_sample *sample)
{
	bool changed = take(&track->usable_kib, sample->usable_kib);
	changed |= take(&track->unused_kib, sample->unused_kib);
	changed |= sample->swap_in_kib || sample->swap_out_kib || sample->major_fault ||
		   sample->minor_fault;
	return changed;
}

static bool is_between(uint64_t kib, uint64_t a, uint64_t b)
{
	return kib + SLACK_KIB >= min_u64(a, b) && kib <= max_u64(a, b) + SLACK_KIB;
}

/* QEMU may be seconds late on a busy host: only where it tells what was ordered, and all
 * is still, do the two figures belong together. */
static void settle(struct size_track *size, const struct guest_sample *sample,
	uint64_t target_kib, int64_t now_ms)
{
	if (now_ms - size->moved_ms < SETTLED_MS ||
		!is_between(sample->actual_kib, target_kib, target_kib))
		return;
	size->settled = sample->total_kib <= sample->actual_kib;
	size->settled_actual_kib = sample->actual_kib;
	size->settled_total_kib = sample->total_kib;
}

void estimate_size(struct guest_track *track, struct guest_facts *facts,
	uint64_t target_kib, int64_t now_ms)
{
	struct size_track *size = &track->size;
	struct guest_sample *sample = &facts->sample;
	bool moved = take(&size->actual_kib, sample->actual_kib);
	bool total_moved = take(&size->total_kib, sample->total_kib);
	size->news = has_news(size, sample) || total_moved;
	if (!track->seen || track->boots != facts->boots)
		size->settled = false;
	if (size->news)
		size->news_ms = now_ms;
	if (moved || total_moved)
		size->moved_ms = now_ms;
	if (!sample->has_actual || !sample->has_total)
		return;
	settle(size, sample, target_kib, now_ms);
	bool follows = size->settled && sample->total_kib != size->settled_total_kib;
	if (!follows || now_ms - size->news_ms > SILENT_MS)
		return;
	uint64_t sum = size->settled_actual_kib + sample->total_kib;
	uint64_t told = sub_u64(sum, size->settled_total_kib);
	/* anywhere else other hands are at work, or the figures don't fit after all */
	if (is_between(told, sample->actual_kib, target_kib))
		sample->actual_kib = min_u64(told, sample->max_kib);
}
