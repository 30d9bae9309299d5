/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/merge.h"

#define UUID_FORMAT "00000000-0000-4000-8000-%012zx"
#define UUID_HEAD   24   /* characters before the number */
#define CACHE_FLOOR 0.01 /* of the host: files in use */
#define PSI_MS      10000.0

/* ---- making one ---- */

void world_init(struct sim_world *world, const struct host_make *make)
{
	*world = (struct sim_world){.make = *make, .report_period_ms = 1000};
	world->host.ksm_pages_to_scan = 100;
	world->host.ksm_sleep_ms = 20;
}

void world_done(struct sim_world *world)
{
	for (size_t i = 0; i < world->count; i++)
		free(world->guests[i].metadata);
	free(world->guests);
	free(world->events);
	free(world->news);
	*world = (struct sim_world){0};
}

struct sim_guest *world_add_guest(struct sim_world *world, const char *name,
	const struct guest_make *make, const struct work *work, uint64_t seed)
{
	size_t number = world->count;
	world->guests = mem_grow(
		world->guests, world->count, &world->capacity, sizeof(*world->guests));
	struct sim_guest *guest = &world->guests[world->count++];
	*guest = (struct sim_guest){
		.make = *make, .work = work, .random = random_of(seed, number)};
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	snprintf(guest->uuid, sizeof(guest->uuid), UUID_FORMAT, number);
	guest->untouched = (double)make->max_kib;
	return guest;
}

void world_add_event(struct sim_world *world, const struct world_event *event)
{
	world->events = mem_grow(world->events, world->event_count,
		&world->event_capacity, sizeof(*world->events));
	world->events[world->event_count++] = *event;
}

static int by_time(const void *a, const void *b)
{
	const struct world_event *left = a, *right = b;
	if (left->at_ms != right->at_ms)
		return left->at_ms < right->at_ms ? -1 : 1;
	return left->guest < right->guest ? -1 : left->guest > right->guest;
}

void world_ready(struct sim_world *world)
{
	if (world->event_count)
		qsort(world->events, world->event_count, sizeof(*world->events), by_time);
}

struct sim_guest *world_find(struct sim_world *world, const char *uuid)
{
	size_t number = strtoul(uuid + UUID_HEAD, NULL, 16);
	return number < world->count ? &world->guests[number] : NULL;
}

void world_tell(struct sim_world *world, enum hypervisor_event_kind kind,
	const struct sim_guest *guest, uint64_t value_kib, int result)
{
	if (world->news_told == world->news_count)
		world->news_told = world->news_count = 0;
	world->news = mem_grow(world->news, world->news_count, &world->news_capacity,
		sizeof(*world->news));
	struct hypervisor_event *event = &world->news[world->news_count++];
	*event = (struct hypervisor_event){
		.kind = kind, .value_kib = value_kib, .result = result};
	if (guest)
		memcpy(event->uuid, guest->uuid, sizeof(event->uuid));
}

/* ---- what happens ---- */

static void start(struct sim_world *world, struct sim_guest *guest)
{
	bool was_there = guest->present;
	guest->killed = guest->lost = false;
	sim_guest_boot(guest, world->now_ms);
	/* guests that start together don't report at the same instant */
	guest->report_due_ms +=
		(int64_t)(random_ratio(&guest->random) * (double)world->report_period_ms);
	world_tell(world, was_there ? EVENT_GUEST_REBOOTED : EVENT_GUEST_ARRIVED, guest,
		0, 0);
}

static void end(struct sim_world *world, struct sim_guest *guest)
{
	sim_guest_end(guest);
	world_tell(world, EVENT_GUEST_GONE, guest, 0, 0);
}

static void happen(struct sim_world *world, const struct world_event *event)
{
	struct sim_guest *guest = &world->guests[event->guest];
	if (event->deed == DEED_HOST_USE) {
		world->make.base_kib = event->value_kib;
		return;
	}
	if (event->deed == DEED_START) {
		start(world, guest);
		return;
	}
	if (event->deed == DEED_STOP)
		guest->lost = false;
	if (!guest->present)
		return;
	switch (event->deed) {
	case DEED_REBOOT:
		start(world, guest);
		break;
	case DEED_STOP:
		end(world, guest);
		break;
	case DEED_PAUSE:
	case DEED_RESUME:
		guest->paused = event->deed == DEED_PAUSE;
		world_tell(world, EVENT_GUEST_CHANGED, guest, 0, 0);
		break;
	case DEED_SILENCE:
		guest->silent = true;
		break;
	case DEED_SET_BALLOON:
		sim_guest_order(guest, (double)event->value_kib);
		break;
	default:
		break;
	}
}

/* ---- the host's memory ---- */

static double low_mark(const struct sim_world *world)
{
	return 5 * sqrt((double)world->make.memory_kib);
}

static void sum_up(struct sim_world *world)
{
	struct sim_host *host = &world->host;
	double used = (double)world->make.base_kib, swapped = 0, merged = 0;
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present)
			continue;
		used += sim_guest_rss(guest) - guest->merged;
		swapped += guest->host_swapped;
		merged += guest->merged;
	}
	host->used = used;
	host->swapped = swapped;
	host->merged = merged;
}

static double cache_floor(const struct sim_world *world)
{
	return fmin((double)world->make.cache_kib,
		CACHE_FLOOR * (double)world->make.memory_kib);
}

/* Use that the host has no memory for. */
static double excess(const struct sim_world *world)
{
	return world->host.used + cache_floor(world) - (double)world->make.memory_kib;
}

/* Every guest gives by its size: the host knows no better. */
static void swap_out(struct sim_world *world, double kib)
{
	double all = 0;
	for (size_t i = 0; i < world->count; i++)
		if (world->guests[i].present)
			all += sim_guest_rss(&world->guests[i]);
	for (size_t i = 0; i < world->count && all > 0; i++) {
		struct sim_guest *guest = &world->guests[i];
		if (guest->present)
			guest->host_swapped += kib * sim_guest_rss(guest) / all;
	}
	world->host.swap_out_kib += kib;
	world->tally.swap_out_kib += kib;
	world->host.debt_ms += kib * 1000 / world->make.swap_kib_per_s;
	sum_up(world);
	world->tally.most_swapped_kib =
		fmax(world->tally.most_swapped_kib, world->host.swapped);
}

static void kill_largest(struct sim_world *world)
{
	struct sim_guest *largest = NULL;
	for (size_t i = 0; i < world->count; i++) {
		struct sim_guest *guest = &world->guests[i];
		if (guest->present &&
			(!largest || sim_guest_rss(guest) > sim_guest_rss(largest)))
			largest = guest;
	}
	if (!largest)
		return;
	largest->killed = largest->lost = true;
	world->tally.killed++;
	end(world, largest);
	sum_up(world);
}

static void reclaim(struct sim_world *world)
{
	struct sim_host *host = &world->host;
	double over = excess(world);
	double room = (double)world->make.swap_kib - host->swapped;
	if (over > 0 && room > 0)
		swap_out(world, fmin(over, room));
	for (size_t i = 0; i < world->count && excess(world) > 1; i++)
		kill_largest(world);
	double left = (double)world->make.memory_kib - host->used - low_mark(world);
	host->cache = fmin((double)world->make.cache_kib, fmax(left, cache_floor(world)));
	world->tally.most_kib = fmax(world->tally.most_kib, host->used);
}

double world_for_guests(const struct sim_world *world)
{
	double all = (double)world->make.memory_kib - (double)world->make.base_kib;
	return all - cache_floor(world) - low_mark(world);
}

double world_available(const struct sim_world *world)
{
	double guests = world->host.used - (double)world->make.base_kib;
	return fmax(world_for_guests(world) - guests, 0);
}

/* ---- time ---- */

static void follow_pressure(struct sim_world *world, double waiting, double ms)
{
	struct sim_host *host = &world->host;
	double part = 1 - exp(-ms / PSI_MS);
	double full = host->stall + (1 - host->stall) * waiting;
	double some = fmin(2 * full, 1);
	host->psi_full += (full - host->psi_full) * part;
	host->psi_some += (some - host->psi_some) * part;
	world->tally.stalled_ms += host->stall * ms;
}

/* Of a processor, the most that each guest gets: who wants less has it, and the others
 * share the rest. */
static double processor_part(const struct sim_world *world)
{
	double part = 0, before = -1;
	while (world->make.processors && part > before) {
		double rest = (double)world->make.processors;
		size_t wanting = 0;
		for (size_t i = 0; i < world->count; i++) {
			const struct sim_guest *guest = &world->guests[i];
			if (guest->present && guest->busy > part)
				wanting++;
			else if (guest->present)
				rest -= guest->busy;
		}
		before = part;
		part = wanting ? rest / (double)wanting : 1;
	}
	return part > 0 ? part : 1;
}

static void step_guests(struct sim_world *world, double ms)
{
	double pace = 1 - world->host.stall, part = processor_part(world);
	struct guest_step step = {
		.now_ms = world->now_ms,
		.ms = ms,
		.host_fault_ms = world->make.fault_ms,
	};
	for (size_t i = 0; i < world->count; i++) {
		struct sim_guest *guest = &world->guests[i];
		step.pace = pace * (guest->busy > part ? part / guest->busy : 1);
		sim_guest_step(guest, &step);
		sim_guest_tell_actual(guest, world->now_ms);
		if (guest->present && world->now_ms >= guest->report_due_ms) {
			sim_guest_report(guest, world->now_ms);
			int64_t period = (int64_t)world->report_period_ms;
			int64_t late = world->now_ms - guest->report_due_ms;
			guest->report_due_ms += period * (1 + late / period);
		}
	}
}

/* The part of their time that the guests wait for pages from host swap. */
static double count_swap_ins(struct sim_world *world, double ms)
{
	double fetched = 0, count = 0;
	for (size_t i = 0; i < world->count; i++) {
		fetched += world->guests[i].tally.host_swap_in_kib;
		count += world->guests[i].present;
	}
	double new_kib = fetched - world->tally.swap_in_kib;
	world->tally.swap_in_kib = fetched;
	world->host.swap_in_kib += new_kib;
	double faults = new_kib / 4;
	return fmin(faults * world->make.fault_ms / (ms * fmax(count, 1)), 1);
}

void world_step(struct sim_world *world, int64_t ms)
{
	struct sim_host *host = &world->host;
	world->now_ms += ms;
	while (world->events_past < world->event_count &&
		world->events[world->events_past].at_ms <= world->now_ms)
		happen(world, &world->events[world->events_past++]);
	host->stall = fmin(host->debt_ms / (double)ms, 1);
	host->debt_ms -= host->stall * (double)ms;
	step_guests(world, (double)ms);
	merge_step(world, (double)ms);
	sum_up(world);
	reclaim(world);
	follow_pressure(world, count_swap_ins(world, (double)ms), (double)ms);
}
