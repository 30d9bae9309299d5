/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/model.h"

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

const char *guest_run_name(enum guest_run run)
{
	static const char *const names[] = {
		[GUEST_RUNNING] = "running",
		[GUEST_PAUSED] = "paused",
		[GUEST_PMSUSPENDED] = "suspended",
		[GUEST_CRASHED] = "crashed",
		[GUEST_SHUTDOWN] = "shutting down",
		[GUEST_RUN_UNKNOWN] = "unknown",
	};
	return names[run];
}

const char *guest_quality_name(enum guest_quality quality)
{
	static const char *const names[] = {
		[QUALITY_UNKNOWN] = "unknown",
		[QUALITY_NONE] = "none",
		[QUALITY_NODRIVER] = "nodriver",
		[QUALITY_NOSERVICE] = "noservice",
		[QUALITY_STALE] = "stale",
		[QUALITY_PARTIAL] = "partial",
		[QUALITY_GOOD] = "good",
	};
	return names[quality];
}

const char *guest_state_name(enum guest_state state)
{
	static const char *const names[GUEST_STATE_COUNT] = {
		[GUEST_STATE_NEW] = "new",
		[GUEST_STATE_BOOTING] = "booting",
		[GUEST_STATE_MANAGED] = "managed",
		[GUEST_STATE_WATCHED] = "watched",
		[GUEST_STATE_NODRIVER] = "nodriver",
		[GUEST_STATE_SUSPENDED] = "suspended",
		[GUEST_STATE_BUSY] = "busy",
		[GUEST_STATE_HUNG] = "hung",
		[GUEST_STATE_HELD] = "held",
		[GUEST_STATE_PAUSED] = "paused",
		[GUEST_STATE_STUCK] = "stuck",
		[GUEST_STATE_FIXED] = "fixed",
	};
	return names[state];
}

const char *host_knob_name(enum host_knob knob)
{
	static const char *const names[HOST_KNOB_COUNT] = {
		[KNOB_KSM_RUN] = "ksm_run",
		[KNOB_KSM_PAGES_TO_SCAN] = "ksm_pages_to_scan",
		[KNOB_KSM_SLEEP_MILLISECS] = "ksm_sleep_millisecs",
		[KNOB_KSM_MERGE_ACROSS_NODES] = "ksm_merge_across_nodes",
	};
	return names[knob];
}

const char *host_state_name(enum host_state state)
{
	static const char *const names[HOST_STATE_COUNT] = {
		[HOST_ROOMY] = "roomy",
		[HOST_SNUG] = "snug",
		[HOST_TIGHT] = "tight",
		[HOST_CRITICAL] = "critical",
		[HOST_EXHAUSTED] = "exhausted",
	};
	return names[state];
}

uint64_t guest_limit_kib(const struct guest_settings *settings, uint64_t configured_kib)
{
	if (!settings->max_kib)
		return configured_kib;
	return min_u64(settings->max_kib, configured_kib);
}

uint64_t guest_floor_kib(const struct guest_settings *settings, uint64_t configured_kib)
{
	uint64_t part_kib = (uint64_t)(settings->min.ratio * (double)configured_kib);
	uint64_t floor_kib = max_u64(settings->min.kib, part_kib);
	if (settings->min_ceiling_kib)
		floor_kib = min_u64(floor_kib, settings->min_ceiling_kib);
	return min_u64(floor_kib, guest_limit_kib(settings, configured_kib));
}

uint64_t guest_touched_kib(const struct guest_sample *sample)
{
	uint64_t held = sample->rss_anon_kib + sample->rss_shmem_kib + sample->swap_kib;
	return sub_u64(held, sample->overhead_kib);
}

uint64_t guest_cost_kib(const struct guest_sample *sample, uint64_t size_kib)
{
	uint64_t takes = sub_u64(size_kib, sample->withheld_kib);
	return max_u64(takes, guest_touched_kib(sample)) + sample->overhead_kib;
}

static void forget_guests(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->guest_count; i++)
		free(snapshot->guests[i].metadata);
	snapshot->guest_count = 0;
}

void snapshot_reset(struct snapshot *snapshot)
{
	forget_guests(snapshot);
	struct snapshot kept = {
		.guests = snapshot->guests,
		.guest_capacity = snapshot->guest_capacity,
		.pools = snapshot->pools,
		.pool_capacity = snapshot->pool_capacity,
	};
	*snapshot = kept;
}

const char *snapshot_node_text(char text[NODE_TEXT_MAX], const struct snapshot *snapshot)
{
	const struct short_node *node = &snapshot->short_node;
	char left[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];
	snprintf(text, NODE_TEXT_MAX,
		"node %u has %s left of %s: guests bound to it run short, whatever the "
		"host has",
		node->number, units_format_size(left, node->left_kib),
		units_format_size(total, node->total_kib));
	return text;
}

void snapshot_done(struct snapshot *snapshot)
{
	forget_guests(snapshot);
	free(snapshot->guests);
	free(snapshot->pools);
	*snapshot = (struct snapshot){0};
}

struct guest_facts *snapshot_add_guest(struct snapshot *snapshot)
{
	snapshot->guests = mem_grow(snapshot->guests, snapshot->guest_count,
		&snapshot->guest_capacity, sizeof(*snapshot->guests));
	struct guest_facts *guest = &snapshot->guests[snapshot->guest_count++];
	*guest = (struct guest_facts){0};
	return guest;
}

struct pool_facts *snapshot_add_pool(struct snapshot *snapshot)
{
	snapshot->pools = mem_grow(snapshot->pools, snapshot->pool_count,
		&snapshot->pool_capacity, sizeof(*snapshot->pools));
	struct pool_facts *pool = &snapshot->pools[snapshot->pool_count++];
	*pool = (struct pool_facts){0};
	return pool;
}

uint64_t pool_left_kib(const struct pool_facts *facts)
{
	uint64_t left = sub_u64(facts->limit_kib, facts->use_kib);
	return min_u64(
		left + facts->inactive_file_kib + facts->split_kib, facts->limit_kib);
}

/* The slot for a sample in a ring: the next one, or the latest again. */
static size_t ring_slot(size_t *next, size_t *count, bool due)
{
	if (!due && *count)
		return (*next + HISTORY_SAMPLES - 1) % HISTORY_SAMPLES;
	size_t slot = *next;
	*next = (*next + 1) % HISTORY_SAMPLES;
	if (*count < HISTORY_SAMPLES)
		(*count)++;
	return slot;
}

void host_history_put(
	struct host_history *history, const struct host_sample *sample, bool due)
{
	history->samples[ring_slot(&history->next, &history->count, due)] = *sample;
}

void guest_history_put(
	struct guest_history *history, const struct guest_sample *sample, bool due)
{
	history->samples[ring_slot(&history->next, &history->count, due)] = *sample;
}

const struct host_sample *host_history_at(const struct host_history *history, size_t age)
{
	if (age >= history->count)
		return NULL;
	return &history->samples[(history->next + HISTORY_SAMPLES - 1 - age) %
				 HISTORY_SAMPLES];
}

const struct guest_sample *guest_history_at(
	const struct guest_history *history, size_t age)
{
	if (age >= history->count)
		return NULL;
	return &history->samples[(history->next + HISTORY_SAMPLES - 1 - age) %
				 HISTORY_SAMPLES];
}

void plan_reset(struct plan *plan)
{
	plan->order_count = 0;
	for (size_t i = 0; i < HOST_KNOB_COUNT; i++)
		plan->knobs[i] = (struct host_wish){0};
	plan->host = NULL;
	plan->state = HOST_ROOMY;
}

void plan_done(struct plan *plan)
{
	free(plan->orders);
	*plan = (struct plan){0};
}

struct order *plan_add_order(struct plan *plan)
{
	plan->orders = mem_grow(plan->orders, plan->order_count, &plan->order_capacity,
		sizeof(*plan->orders));
	struct order *order = &plan->orders[plan->order_count++];
	*order = (struct order){0};
	return order;
}
