/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/merge.h"

#include <math.h>

#define PAGE_KIB     4.0
#define MS_PER_PAGE  0.002  /* of a processor, to look at one */
#define BROKEN_PER_S 0.0005 /* merged pages that are written to, and part again */
#define RUN_STOP     0
#define RUN_MERGE    1
#define RUN_UNMERGE  2

/* What of this guest can be kept once: everybody's like part, but one copy. */
static double most_merged(const struct sim_guest *guest, size_t sharers)
{
	if (sharers < 2)
		return 0;
	double like = guest->make.same_ratio * sim_guest_touched(guest);
	return like * (1 - 1 / (double)sharers);
}

static size_t count_sharers(const struct sim_world *world)
{
	size_t sharers = 0;
	for (size_t i = 0; i < world->count; i++)
		if (world->guests[i].present && world->guests[i].make.same_ratio > 0)
			sharers++;
	return sharers;
}

static double scanned_kib(struct sim_host *host, double ms)
{
	host->ksmd_ratio = 0;
	if (host->ksm_run != RUN_MERGE)
		return 0;
	double pages_per_ms = (double)host->ksm_pages_to_scan /
			      ((double)host->ksm_sleep_ms +
				      (double)host->ksm_pages_to_scan * MS_PER_PAGE);
	host->ksmd_ratio = pages_per_ms * MS_PER_PAGE;
	return pages_per_ms * PAGE_KIB * ms;
}

void merge_step(struct sim_world *world, double ms)
{
	size_t sharers = count_sharers(world);
	if (!world->make.ksm || !sharers)
		return;
	double scanned = scanned_kib(&world->host, ms);
	double all = 1;
	for (size_t i = 0; i < world->count; i++)
		all += sim_guest_touched(&world->guests[i]);
	for (size_t i = 0; i < world->count; i++) {
		struct sim_guest *guest = &world->guests[i];
		double most = most_merged(guest, sharers);
		guest->merged *= 1 - fmin(BROKEN_PER_S * ms / 1000, 1);
		double merging = (most - guest->merged) * fmin(scanned / all, 1);
		guest->merged += fmax(merging, 0);
		guest->merged = fmin(guest->merged, most);
		if (world->host.ksm_run == RUN_UNMERGE)
			guest->merged = 0;
	}
}

void merge_set(struct sim_world *world, enum host_knob knob, int64_t value)
{
	struct sim_host *host = &world->host;
	if (knob == KNOB_KSM_RUN && value >= RUN_STOP && value <= RUN_UNMERGE)
		host->ksm_run = value;
	else if (knob == KNOB_KSM_PAGES_TO_SCAN && value > 0)
		host->ksm_pages_to_scan = value;
	else if (knob == KNOB_KSM_SLEEP_MILLISECS && value >= 0)
		host->ksm_sleep_ms = value;
}
