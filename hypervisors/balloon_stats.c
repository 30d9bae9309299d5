/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/balloon_stats.h"

#include "mom/mem.h"

/* Nothing is larger than 2^53 KiB; "unknown" is -1 in QEMU, and less a few digits after
 * libvirt has turned it into KiB. */
#define IMPOSSIBLE (1ull << 53)

static bool believable(
	const struct balloon_report *report, enum balloon_value which, uint64_t limit)
{
	return report->values[which] < IMPOSSIBLE && report->values[which] <= limit;
}

/* One size: known, absent, or refused. */
static void take_size(struct guest_facts *facts, const struct balloon_report *report,
	enum balloon_value which, uint64_t limit, bool *has, uint64_t *value)
{
	*has = report->has[which] && believable(report, which, limit);
	if (*has)
		*value = report->values[which];
	else if (report->has[which])
		facts->refused++;
}

/*
 * One counter. A smaller number than before is a driver that started again: what it
 * counted in between isn't known.
 */
static void take_counter(struct guest_facts *facts, const struct balloon_report *report,
	enum balloon_value which, bool *had, uint64_t *before, bool *has, uint64_t *since)
{
	if (!report->has[which] || !believable(report, which, IMPOSSIBLE)) {
		facts->refused += report->has[which];
		*had = *has = false;
		return;
	}
	uint64_t now = report->values[which];
	if (*had && now >= *before) {
		*since = (*has ? *since : 0) + (now - *before);
		*has = true;
	} else {
		*has = false;
	}
	*had = true;
	*before = now;
}

static void take_sizes(struct guest_facts *facts, const struct balloon_report *report)
{
	struct guest_sample *sample = &facts->sample;
	uint64_t limit = sample->max_kib ? sample->max_kib : IMPOSSIBLE;
	take_size(facts, report, BALLOON_TOTAL, limit, &sample->has_total,
		&sample->total_kib);
	if (sample->has_total && !sample->total_kib) {
		sample->has_total = false;
		facts->refused++;
	}
	if (sample->has_total)
		limit = sample->total_kib;
	take_size(facts, report, BALLOON_USABLE, limit, &sample->has_usable,
		&sample->usable_kib);
	take_size(facts, report, BALLOON_UNUSED, limit, &sample->has_unused,
		&sample->unused_kib);
	take_size(facts, report, BALLOON_CACHE, limit, &sample->has_cache,
		&sample->cache_kib);
}

static void take_counters(struct guest_facts *facts, const struct balloon_report *report)
{
	struct guest_sample *sample = &facts->sample;
	struct guest_counters *raw = &facts->counters;
	take_counter(facts, report, BALLOON_SWAP_IN, &raw->has_swap_in, &raw->swap_in_kib,
		&sample->has_swap_in, &sample->swap_in_kib);
	take_counter(facts, report, BALLOON_SWAP_OUT, &raw->has_swap_out,
		&raw->swap_out_kib, &sample->has_swap_out, &sample->swap_out_kib);
	take_counter(facts, report, BALLOON_MAJOR_FAULT, &raw->has_major_fault,
		&raw->major_fault, &sample->has_major_fault, &sample->major_fault);
	take_counter(facts, report, BALLOON_MINOR_FAULT, &raw->has_minor_fault,
		&raw->minor_fault, &sample->has_minor_fault, &sample->minor_fault);
}

/* The configured memory and the balloon's size, which libvirt knows without QEMU. */
static void take_domain(struct guest_facts *facts, const struct balloon_report *report)
{
	bool has_max;
	uint64_t max = 0;
	take_size(facts, report, BALLOON_MAXIMUM, IMPOSSIBLE, &has_max, &max);
	if (has_max && max)
		facts->sample.max_kib = max;
	if (!report->has[BALLOON_CURRENT])
		return;
	uint64_t actual = report->values[BALLOON_CURRENT];
	uint64_t limit = facts->sample.max_kib ? facts->sample.max_kib : IMPOSSIBLE;
	if (actual && believable(report, BALLOON_CURRENT, limit)) {
		facts->sample.actual_kib = actual;
		facts->sample.has_actual = true;
	} else {
		facts->refused++;
	}
}

bool balloon_stats_asked(const struct balloon_report *report)
{
	for (enum balloon_value i = BALLOON_SWAP_IN; i < BALLOON_VALUE_COUNT; i++)
		if (report->has[i])
			return true;
	return false;
}

void balloon_stats_apply(struct guest_facts *facts, const struct balloon_report *report)
{
	take_domain(facts, report);
	if (!balloon_stats_asked(report))
		return;
	take_sizes(facts, report);
	take_counters(facts, report);
	if (report->has[BALLOON_LAST_UPDATE]) {
		facts->has_last_update = true;
		facts->last_update = report->values[BALLOON_LAST_UPDATE];
	}
	if (report->has[BALLOON_RSS] && !facts->pid &&
		believable(report, BALLOON_RSS, IMPOSSIBLE)) {
		facts->sample.has_rss = true;
		facts->sample.rss_kib = report->values[BALLOON_RSS];
	}
}

void balloon_stats_taken(struct guest_facts *facts)
{
	struct guest_sample *sample = &facts->sample;
	sample->swap_in_kib = sample->swap_out_kib = 0;
	sample->major_fault = sample->minor_fault = 0;
}
