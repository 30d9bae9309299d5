/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/estimate.h"

#include <math.h>
#include <string.h>

#include "mom/units.h"

#define FRESH_TO_PROVE     3 /* new statistics after a boot before the driver is trusted */
#define STALE_AT_LEAST_MS  3000  /* time stamps count whole seconds */
#define PARTIAL_BUFFER     2.0   /* times the buffer where `usable` is missing */
#define GROWTH_WINDOW_MS   3000  /* older growth is history */
#define GROWTH_STEP_MS     200   /* statistics that follow sooner count together */
#define GROWTH_LEAST_MS    400   /* a burst is spread over so long */
#define WORKING_SET_MS     60000 /* a fall of the working set is half believed then */
#define WORKING_SET_MARGIN 0.25
#define FETCH_DECAY_MS     2000 /* half of a swap-in rate is forgotten in this time */
#define SMALLEST_BUFFER    0.25 /* of a buffer; with less, memory goes round in bits */
#define FLOOR_MARGIN       1.05 /* of what the guest had when it ran out */
#define FLOOR_HALF_MS      (2 * 3600 * 1000.0)
#define USUAL_MS           300000.0 /* swapping is usual when it goes on for so long */
#define UNUSUAL_TIMES      4        /* this many times the usual … */
#define UNUSUAL_KIB_PER_S  2048     /* … and this, is distress */
#define BESIDE_STEP_KIB    (32 * KIB_PER_MIB) /* QEMU's own memory counts in such steps */

/* ---- statistics: time and trust ---- */

static void begin_boot(struct guest_track *track, const struct guest_facts *facts)
{
	*track = (struct guest_track){
		.seen = true,
		.boots = facts->boots,
		.last_update = facts->last_update,
		.has_last_update = facts->has_last_update,
		.last_ms = track->last_ms,
		.size = track->size,
	};
}

static bool has_values(const struct guest_sample *sample)
{
	return sample->has_usable || sample->has_unused;
}

static void follow_time(
	struct guest_track *track, const struct guest_facts *facts, int64_t now_ms)
{
	if (!track->seen || track->boots != facts->boots)
		begin_boot(track, facts);
	else if (facts->run == GUEST_RUNNING && !facts->hung && now_ms > track->last_ms)
		track->running_ms += (uint64_t)(now_ms - track->last_ms);
	track->last_ms = now_ms;
	/* who knows whether the guest went on while its QEMU didn't answer */
	track->doubted = track->doubted || facts->hung;

	track->updated =
		facts->has_last_update && has_values(&facts->sample) &&
		(!track->has_last_update || track->last_update != facts->last_update);
	bool ticked =
		facts->has_last_update &&
		(!track->has_last_update || track->last_update != facts->last_update);
	if (!ticked)
		return;
	track->has_last_update = true;
	track->doubted = facts->hung;
	track->last_update = facts->last_update;
	track->updated_at = track->running_ms;
	track->valued = track->valued || has_values(&facts->sample);
	if (track->fresh < FRESH_TO_PROVE)
		track->fresh++;
	track->proven = track->fresh >= FRESH_TO_PROVE;
}

bool estimate_is_fresh(
	const struct guest_track *track, const struct estimate_terms *terms)
{
	uint64_t limit = max_u64(3 * terms->stats_period_ms, STALE_AT_LEAST_MS);
	return track->proven && !track->doubted &&
	       track->running_ms - track->updated_at <= limit;
}

static enum guest_quality judge_quality(const struct guest_track *track,
	const struct guest_facts *facts, const struct guest_settings *settings,
	const struct estimate_terms *terms)
{
	if (!facts->has_balloon)
		return QUALITY_NONE;
	if (!track->proven)
		return track->running_ms < settings->boot_grace_ms ? QUALITY_UNKNOWN
								   : QUALITY_NODRIVER;
	if (!estimate_is_fresh(track, terms))
		return QUALITY_STALE;
	if (!has_values(&facts->sample))
		return facts->sample.has_working_set ? QUALITY_PARTIAL
						     : QUALITY_NOSERVICE;
	return facts->sample.has_usable || facts->windows ? QUALITY_GOOD
							  : QUALITY_PARTIAL;
}

static enum guest_state judge_state(const struct guest_facts *facts,
	const struct guest_settings *settings, enum guest_quality quality)
{
	if (facts->hung)
		return GUEST_STATE_HUNG;
	if (facts->run != GUEST_RUNNING)
		return GUEST_STATE_SUSPENDED;
	if (facts->busy)
		return GUEST_STATE_BUSY;
	if (!settings->manage)
		return GUEST_STATE_WATCHED;
	if (facts->has_balloon && (facts->locked || facts->hugepages))
		return GUEST_STATE_FIXED;
	if (quality == QUALITY_UNKNOWN)
		return GUEST_STATE_BOOTING;
	if (quality == QUALITY_NODRIVER)
		return GUEST_STATE_NODRIVER;
	if (quality == QUALITY_NONE || quality == QUALITY_NOSERVICE)
		return GUEST_STATE_WATCHED;
	return GUEST_STATE_MANAGED;
}

/* ---- what a guest uses, needs and may cost ---- */

/*
 * What was touched lately, and a margin for what is needed all the same. It rises at once
 * and falls slowly: a guest that rests for a moment hasn't given anything back.
 */
static void follow_working_set(
	struct guest_track *track, const struct guest_sample *sample, int64_t now_ms)
{
	double now_kib = (double)sample->working_set_kib;
	double elapsed_ms = (double)(now_ms - track->working_set_ms);
	double kept = track->has_working_set ? exp2(-elapsed_ms / WORKING_SET_MS) : 0;
	double lasting_kib = now_kib + (track->working_set_kib - now_kib) * kept;
	track->has_working_set = sample->has_working_set;
	track->working_set_kib = fmax(now_kib, lasting_kib);
	track->working_set_ms = now_ms;
}

static void estimate_used(struct guest_track *track, struct guest_sample *sample,
	bool windows, int64_t now_ms)
{
	follow_working_set(track, sample, now_ms);
	sample->has_used =
		sample->has_actual && (has_values(sample) || sample->has_working_set);
	if (!sample->has_used)
		return;
	if (!has_values(sample)) {
		double used = track->working_set_kib * (1 + WORKING_SET_MARGIN);
		sample->used_kib = min_u64((uint64_t)used, sample->actual_kib);
		return;
	}
	uint64_t free_kib;
	if (windows && sample->has_unused)
		free_kib = sample->unused_kib;
	else if (sample->has_usable)
		free_kib = sample->usable_kib;
	else
		free_kib =
			sample->unused_kib + (sample->has_cache ? sample->cache_kib : 0);
	/* a balloon that moved since has changed the one, and not yet the other */
	sample->used_kib = sub_u64(track->size.then_kib, free_kib);
}

/* The fastest rise of `used` over the last seconds, between any two new statistics. */
static void estimate_growth(
	struct guest_track *track, struct guest_sample *sample, int64_t now_ms)
{
	size_t last = (track->growth_next + GROWTH_SAMPLES - 1) % GROWTH_SAMPLES;
	bool due = !track->growth_count ||
		   now_ms - track->growth[last].at_ms >= GROWTH_STEP_MS;
	if (due && (track->updated || track->size.news)) {
		track->growth[track->growth_next].at_ms = now_ms;
		track->growth[track->growth_next].used_kib = sample->used_kib;
		track->growth_next = (track->growth_next + 1) % GROWTH_SAMPLES;
		if (track->growth_count < GROWTH_SAMPLES)
			track->growth_count++;
	}
	double fastest = 0;
	for (size_t i = 1; i < track->growth_count; i++) {
		size_t newer = (track->growth_next + GROWTH_SAMPLES - i) % GROWTH_SAMPLES;
		size_t older = (newer + GROWTH_SAMPLES - 1) % GROWTH_SAMPLES;
		if (now_ms - track->growth[newer].at_ms > GROWTH_WINDOW_MS)
			break;
		double rise = (double)track->growth[newer].used_kib -
			      (double)track->growth[older].used_kib;
		double ms =
			(double)(track->growth[newer].at_ms - track->growth[older].at_ms);
		fastest = fmax(fastest, rise * 1000 / fmax(ms, GROWTH_LEAST_MS));
	}
	sample->has_growth = track->growth_count > 1;
	sample->growth_kib_per_s = (uint64_t)fastest;
}

/* What the guest is fetching back from its swap: `used` of a starved guest hides it. */
static void follow_fetching(
	struct guest_track *track, const struct guest_sample *sample, int64_t now_ms)
{
	/* counters move between time stamps, too, which count whole seconds */
	track->fetched_kib += sample->has_swap_in ? sample->swap_in_kib : 0;
	if (!track->updated || !sample->has_swap_in)
		return;
	double elapsed_ms = fmax((double)(now_ms - track->fetched_ms), 1);
	double rate = (double)track->fetched_kib * 1000 / elapsed_ms;
	track->fetched_kib = 0;
	track->swap_in_kib_per_s *= exp2(-elapsed_ms / FETCH_DECAY_MS);
	if (track->fetched_ms) {
		track->swap_in_kib_per_s = fmax(track->swap_in_kib_per_s, rate);
		track->usual_kib_per_s +=
			(rate - track->usual_kib_per_s) * -expm1(-elapsed_ms / USUAL_MS);
	}
	track->fetched_ms = now_ms;
}

/* ---- floors learned from distress ---- */

static uint64_t learned_floor(const struct guest_track *track, int64_t now_ms)
{
	double age_ms = (double)(now_ms - track->floor_ms);
	return (uint64_t)((double)track->floor_kib * exp2(-age_ms / FLOOR_HALF_MS));
}

void estimate_learn_floor(
	struct guest_track *track, const struct guest_sample *sample, int64_t now_ms)
{
	uint64_t floor = (uint64_t)(FLOOR_MARGIN * (double)sample->actual_kib);
	track->floor_kib = max_u64(floor, learned_floor(track, now_ms));
	track->floor_ms = now_ms;
}

/*
 * Where `usable` doesn't tell, a guest that fetches far more than usual is short of
 * memory whatever its free memory says.
 */
static bool is_silently_short(
	const struct guest_track *track, const struct guest_facts *facts)
{
	bool told = facts->sample.has_usable && !facts->windows;
	return !told &&
	       track->swap_in_kib_per_s >
		       UNUSUAL_TIMES * track->usual_kib_per_s + UNUSUAL_KIB_PER_S;
}

static void estimate_demand(const struct guest_track *track, struct guest_sample *sample,
	const struct estimate_terms *terms, int64_t now_ms)
{
	sample->has_demand = sample->has_used;
	if (!sample->has_demand)
		return;
	double reaction_s = (double)terms->reaction_ms / 1000;
	double buffer = sample->buffer_ratio * (sample->has_usable ? 1 : PARTIAL_BUFFER);
	double demand =
		(double)sample->used_kib +
		fmax(buffer * (double)sample->used_kib, (double)terms->safety_kib) +
		(double)sample->growth_kib_per_s * reaction_s +
		track->swap_in_kib_per_s * reaction_s;
	demand = fmax(demand, (double)learned_floor(track, now_ms));
	sample->demand_kib =
		clamp_u64((uint64_t)demand, sample->min_kib, sample->limit_kib);
}

static void estimate_distress(const struct guest_track *track,
	struct guest_sample *sample, const struct estimate_terms *terms)
{
	sample->distress = 0;
	if (!sample->has_used)
		return;
	double left = (double)sub_u64(sample->actual_kib, sample->used_kib);
	double low = fmax((double)terms->safety_kib, 0.06 * (double)sample->actual_kib);
	double fetching =
		track->swap_in_kib_per_s * 100 / (double)max_u64(sample->actual_kib, 1);
	/* what was swapped out comes back for a while; with room for it nobody suffers */
	double cramped = fmin(fmax(1.5 - left / (2 * low), 0), 1);
	sample->distress = fmin(fmax(1 - left / low, 0) + cramped * fmin(fetching, 1), 1);
}

/*
 * Linux keeps its watermarks free, some tens of MiB, and never counts them as usable:
 * nobody in the guest gets them. What of that the host hasn't backed costs nothing, as
 * long as the guest is at ease: one that swaps churns through all that it has, so the
 * nearer it is to that, the less is left out.
 */
static void estimate_withheld(const struct guest_track *track,
	const struct guest_facts *facts, struct guest_sample *sample,
	const struct estimate_terms *terms)
{
	bool told = sample->has_usable && sample->has_unused && sample->has_rss &&
		    !facts->windows && estimate_is_fresh(track, terms);
	double ease = fmin(
		(double)sample->usable_kib / (double)max_u64(terms->safety_kib, 1), 1);
	uint64_t untouched = sub_u64(sample->actual_kib, guest_touched_kib(sample));
	uint64_t withheld =
		min_u64(sub_u64(sample->unused_kib, sample->usable_kib), untouched);
	sample->withheld_kib = told ? (uint64_t)(ease * (double)withheld) : 0;
}

/* The largest the guest can be without asking: what the host must be able to back. */
static void estimate_cost(const struct guest_track *track,
	const struct guest_facts *facts, struct guest_sample *sample,
	enum guest_state state)
{
	if (!sample->has_overhead)
		sample->overhead_kib = OVERHEAD_UNKNOWN;
	uint64_t size = max_u64(sample->target_kib, sample->actual_kib);
	bool unproven =
		!track->proven &&
		(state == GUEST_STATE_BOOTING || state == GUEST_STATE_NODRIVER ||
			state == GUEST_STATE_SUSPENDED || state == GUEST_STATE_HUNG ||
			state == GUEST_STATE_BUSY || state == GUEST_STATE_WATCHED);
	if (unproven || !sample->has_actual)
		size = sample->max_kib;
	sample->cost_kib =
		facts->hugepages ? sample->overhead_kib : guest_cost_kib(sample, size);
}

/*
 * The guest's own cgroup kills its QEMU where the two together go beyond its limit. What
 * QEMU takes goes up and down, so it is taken in large steps.
 */
static uint64_t largest_kib(
	const struct guest_facts *facts, const struct guest_settings *settings)
{
	const struct guest_sample *sample = &facts->sample;
	uint64_t limit_kib = guest_limit_kib(settings, sample->max_kib);
	uint64_t hard_kib = facts->build.hard_limit_kib;
	if (!hard_kib)
		return limit_kib;
	uint64_t beside_kib =
		sample->has_overhead ? sample->overhead_kib : OVERHEAD_UNKNOWN;
	beside_kib = (beside_kib / BESIDE_STEP_KIB + 1) * BESIDE_STEP_KIB;
	uint64_t least_kib = min_u64(hard_kib / 2, limit_kib);
	return min_u64(limit_kib, max_u64(sub_u64(hard_kib, beside_kib), least_kib));
}

void estimate_guest(struct guest_track *track, struct guest_facts *facts,
	const struct guest_settings *settings, const struct estimate_terms *terms,
	int64_t now_ms, enum guest_quality *quality, enum guest_state *state)
{
	struct guest_sample *sample = &facts->sample;
	follow_time(track, facts, now_ms);
	*quality = judge_quality(track, facts, settings, terms);
	*state = judge_state(facts, settings, *quality);

	sample->limit_kib = largest_kib(facts, settings);
	sample->min_kib =
		min_u64(guest_floor_kib(settings, sample->max_kib), sample->limit_kib);
	sample->shares = settings->shares;
	sample->buffer_ratio = settings->buffer_ratio;

	estimate_used(track, sample, facts->windows, now_ms);
	if (sample->has_used)
		estimate_growth(track, sample, now_ms);
	follow_fetching(track, sample, now_ms);
	if (is_silently_short(track, facts))
		estimate_learn_floor(track, sample, now_ms);
	estimate_demand(track, sample, terms, now_ms);
	estimate_distress(track, sample, terms);
	estimate_withheld(track, facts, sample, terms);
	estimate_cost(track, facts, sample, *state);
}

void estimate_fit_buffers(struct guest_sample **guests, size_t count,
	uint64_t divisible_kib, uint64_t safety_kib)
{
	double bare = 0, buffers = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guest_sample *guest = guests[i];
		uint64_t least = max_u64(guest->used_kib + safety_kib, guest->min_kib);
		least = min_u64(least, guest->demand_kib);
		bare += (double)least;
		buffers += (double)(guest->demand_kib - least);
	}
	double room = (double)divisible_kib - bare;
	if (room >= buffers)
		return;
	double part = fmax(room / fmax(buffers, 1), SMALLEST_BUFFER);
	for (size_t i = 0; i < count; i++) {
		struct guest_sample *guest = guests[i];
		uint64_t least = max_u64(guest->used_kib + safety_kib, guest->min_kib);
		least = min_u64(least, guest->demand_kib);
		guest->demand_kib =
			least + (uint64_t)((double)(guest->demand_kib - least) * part);
	}
}
