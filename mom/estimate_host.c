/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/estimate.h"

#include "mom/units.h"

#define BETTER_FOR_MS     10000 /* a better host state must hold so long */
#define BETTER_MARGIN     1.15
#define RESERVE_PART      0.015 /* of the host, where the reserve is "auto" */
#define RESERVE_LEAST_KIB (32 * KIB_PER_MIB)
#define RESERVE_MOST_KIB  (2 * KIB_PER_GIB)
#define KSM_LOAN_PART     0.1  /* of KSM's saving kept in reserve */
#define WITHHELD_PART     0.25 /* of what guests withhold; the largest one whole */
#define PSI_TIGHT         0.10
#define PSI_CRITICAL      0.40
#define SWAP_TIGHT_PAGES  1000 /* a second, in and out together */

static uint64_t least_reserve(const struct host_terms *terms)
{
	if (!terms->reserve_automatic)
		return terms->reserve_kib;
	uint64_t part = (uint64_t)((double)terms->size_kib * RESERVE_PART);
	return clamp_u64(part, RESERVE_LEAST_KIB, RESERVE_MOST_KIB);
}

/* What guests' kernels keep free and the host hasn't backed. */
struct withheld {
	uint64_t sum_kib, largest_kib, managed_kib;
};

static void count_withheld(struct withheld *withheld, const struct guest_entry *entry)
{
	const struct guest_sample *guest = entry->sample;
	uint64_t size = max_u64(guest->target_kib, guest->actual_kib);
	uint64_t whole = size + guest->overhead_kib;
	if (entry->hugepages || !guest->withheld_kib)
		return;
	uint64_t spared = sub_u64(whole, guest->cost_kib);
	withheld->sum_kib += spared;
	withheld->largest_kib = max_u64(withheld->largest_kib, spared);
	withheld->managed_kib += entry->managed ? spared : 0;
}

/* A kernel may touch its own after all, but not all kernels at once. */
static uint64_t reserve_for(const struct withheld *withheld)
{
	return max_u64((uint64_t)((double)withheld->sum_kib * WITHHELD_PART),
		withheld->largest_kib);
}

void estimate_host(struct host_sample *host, const struct host_terms *terms,
	const struct guest_entry *guests, size_t count)
{
	uint64_t held = 0, cost = 0, fixed = 0, exposure = 0;
	struct withheld withheld = {0};
	double growth = 0;
	for (size_t i = 0; i < count; i++) {
		const struct guest_sample *guest = guests[i].sample;
		cost += guest->cost_kib;
		fixed += guests[i].managed ? guest->overhead_kib : guest->cost_kib;
		count_withheld(&withheld, &guests[i]);
		if (guest->has_rss)
			held += guests[i].hugepages
					? guest->overhead_kib
					: guest->rss_anon_kib + guest->rss_shmem_kib;
		uint64_t touched = guest_touched_kib(guest);
		exposure += guests[i].hugepages ? 0 : sub_u64(guest->actual_kib, touched);
		growth += (double)guest->growth_kib_per_s;
	}
	uint64_t saving =
		host->has_ksm && host->ksm_pages_sharing > 0
			? kib_from_pages((uint64_t)host->ksm_pages_sharing, 4096)
			: 0;
	saving = min_u64(saving,
		held); /* the figure is the host's, a pool's guests have no more */
	/* growth into what is backed already needs no reserve of its own */
	uint64_t unbacked = sub_u64(cost, terms->available_kib + held);
	uint64_t growing = (uint64_t)(growth * (double)terms->reaction_ms / 1000);
	host->reserve_kib = max_u64(least_reserve(terms), min_u64(growing, unbacked)) +
			    (uint64_t)((double)saving * KSM_LOAN_PART) +
			    reserve_for(&withheld);
	host->available_kib = terms->available_kib;
	uint64_t whole = sub_u64(terms->available_kib + held, host->reserve_kib);
	host->claimed_kib = min_u64(terms->claim_kib, whole);
	host->budget_kib = whole - host->claimed_kib;
	host->divisible_kib = sub_u64(host->budget_kib + withheld.managed_kib, fixed);
	host->exposure_kib = exposure;
	host->cost_kib = cost;
}

enum host_state estimate_state_by_memory(uint64_t available_kib, uint64_t reserve_kib)
{
	if (available_kib < reserve_kib / 5)
		return HOST_CRITICAL;
	if (available_kib < reserve_kib / 2)
		return HOST_TIGHT;
	return available_kib < 2 * reserve_kib ? HOST_SNUG : HOST_ROOMY;
}

static enum host_state worse(enum host_state a, enum host_state b)
{
	return a > b ? a : b;
}

/* The state that the figures alone call for; `margin` makes every mark harder to reach.
 */
static enum host_state state_by_marks(const struct host_sample *host, double margin)
{
	enum host_state state = estimate_state_by_memory(
		host->available_kib, (uint64_t)((double)host->reserve_kib * margin));
	double psi = host->has_psi ? host->psi_full * margin : 0;
	double swapping =
		(host->swap_in_pages_per_s + host->swap_out_pages_per_s) * margin;
	if (psi > PSI_CRITICAL)
		return HOST_CRITICAL;
	if (psi > PSI_TIGHT || swapping > SWAP_TIGHT_PAGES)
		return worse(state, HOST_TIGHT);
	/* what is promised must be covered before memory is anybody's for the asking */
	bool covered = (double)host->cost_kib * margin <= (double)host->budget_kib;
	return covered ? state : worse(state, HOST_SNUG);
}

enum host_state estimate_host_state(
	struct host_track *track, const struct host_sample *host, int64_t now_ms)
{
	enum host_state now = state_by_marks(host, 1);
	if (!track->seen || now >= track->state) {
		*track = (struct host_track){.seen = true, .state = now};
		return now;
	}
	enum host_state better = state_by_marks(host, BETTER_MARGIN);
	if (better >= track->state) {
		track->better_since_ms = 0;
		return track->state;
	}
	if (!track->better_since_ms) {
		track->better_since_ms = now_ms;
		track->better = better;
	} else if (better > track->better) {
		track->better = better; /* the worst that was seen all the while counts */
	}
	if (now_ms - track->better_since_ms >= BETTER_FOR_MS)
		*track = (struct host_track){.seen = true, .state = track->better};
	return track->state;
}
