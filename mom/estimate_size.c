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
 * is still, do its figure and the guest's belong together. */
static bool is_still(const struct size_track *size, const struct guest_sample *sample,
	uint64_t target_kib, int64_t now_ms)
{
	return now_ms - size->moved_ms >= SETTLED_MS &&
	       is_between(sample->actual_kib, target_kib, target_kib);
}

static void settle(struct size_track *size, const struct guest_sample *sample)
{
	size->settled = sample->total_kib <= sample->actual_kib;
	size->settled_actual_kib = sample->actual_kib;
	size->settled_total_kib = sample->total_kib;
}

/* Where the guest says that its balloon is, in QEMU's sizes. */
static uint64_t told_by_total(
	const struct size_track *size, const struct guest_sample *sample)
{
	uint64_t sum = size->settled_actual_kib + sample->total_kib;
	return min_u64(sub_u64(sum, size->settled_total_kib), sample->max_kib);
}

void estimate_size(struct guest_track *track, struct guest_facts *facts,
	uint64_t target_kib, int64_t now_ms)
{
	struct size_track *size = &track->size;
	struct guest_sample *sample = &facts->sample;
	uint64_t actual = sample->actual_kib, told = actual;
	bool moved = take(&size->actual_kib, actual);
	bool total_moved = take(&size->total_kib, sample->total_kib);
	size->news = has_news(size, sample) || total_moved;
	if (!track->seen || track->boots != facts->boots)
		size->settled = size->still = false;
	if (size->news)
		size->news_ms = now_ms;
	if (moved || total_moved)
		size->moved_ms = now_ms;
	if (!sample->has_actual)
		return;
	bool still = is_still(size, sample, target_kib, now_ms);
	if (sample->has_total && still)
		settle(size, sample);
	if (sample->has_total && size->settled &&
		sample->total_kib != size->settled_total_kib)
		told = told_by_total(size, sample);
	/* anywhere else other hands are at work, or the figures don't fit after all */
	bool ahead = is_between(told, actual, target_kib);
	bool behind = is_between(told, actual, size->settled_actual_kib);
	if (!ahead && !behind)
		told = actual;
	/* a balloon that moves after a rest did so after statistics that aren't new */
	if (size->news || still || !size->still) {
		size->then_kib = told;
		size->still = still;
	}
	if (ahead && now_ms - size->news_ms <= SILENT_MS)
		sample->actual_kib = told;
}
