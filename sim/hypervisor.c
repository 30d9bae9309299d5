/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/hypervisor.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/world.h"

/* What was told of a guest's counters last; they are told as differences. */
struct told {
	uint32_t boots;
	double swap_in, swap_out, faults;
};

struct link {
	struct sim_world *world;
	struct told *told; /* by the guest's number */
	size_t count, capacity;
	bool connected;
};

struct sim_world *sim_hypervisor_world(void *self)
{
	return ((struct link *)self)->world;
}

static int sim_open(void **self, const struct hypervisor_env *env, struct err *err)
{
	(void)err;
	struct link *link = mem_alloc(sizeof(*link));
	link->world = env->context;
	link->world->report_period_ms = env->stats_period_s * 1000;
	world_tell(link->world, EVENT_CONNECTED, NULL, 0, 0);
	*self = link;
	return 0;
}

static void sim_close(void *self)
{
	struct link *link = self;
	free(link->told);
	free(link);
}

static int sim_fd(void *self)
{
	(void)self;
	return -1; /* nothing here waits */
}

static void sim_refresh(void *self)
{
	struct link *link = self;
	world_tell(link->world, EVENT_ROUND_DONE, NULL, 0, 0);
}

static int sim_next_event(void *self, struct hypervisor_event *event)
{
	struct link *link = self;
	struct sim_world *world = link->world;
	if (world->news_told == world->news_count)
		return 0;
	*event = world->news[world->news_told++];
	link->connected = link->connected || event->kind == EVENT_CONNECTED;
	return 1;
}

/* ---- what is told of a guest ---- */

static uint64_t kib(double value)
{
	return value > 0 ? (uint64_t)value : 0;
}

static struct told *told_of(struct link *link, size_t number)
{
	while (link->count <= number) {
		link->told = mem_grow(
			link->told, link->count, &link->capacity, sizeof(*link->told));
		link->told[link->count++] = (struct told){0};
	}
	return &link->told[number];
}

static void tell_counters(
	struct told *told, const struct sim_guest *guest, struct guest_sample *sample)
{
	bool known = told->boots == guest->boots;
	sample->has_swap_in = sample->has_swap_out = sample->has_major_fault = known;
	if (known) {
		sample->swap_in_kib = kib(guest->told_swap_in - told->swap_in);
		sample->swap_out_kib = kib(guest->told_swap_out - told->swap_out);
		sample->major_fault = kib(guest->told_faults - told->faults);
	}
	*told = (struct told){guest->boots, guest->told_swap_in, guest->told_swap_out,
		guest->told_faults};
}

static void tell_statistics(
	struct told *told, const struct sim_guest *guest, struct guest_facts *facts)
{
	struct guest_sample *sample = &facts->sample;
	facts->has_last_update = true;
	/* milliseconds, where QEMU counts seconds: compared for change alone */
	facts->last_update = (uint64_t)guest->reported_ms;
	if (guest->make.fault == FAULT_NO_SERVICE)
		return;
	sample->has_usable = sample->has_unused = sample->has_total = true;
	sample->has_cache = !guest->make.windows;
	sample->usable_kib = kib(guest->told_usable);
	sample->unused_kib =
		kib(guest->told_unused + (guest->make.windows ? guest->told_cache : 0));
	sample->total_kib = kib(guest->told_total);
	sample->cache_kib = kib(guest->told_cache);
	tell_counters(told, guest, sample);
}

static void tell_process(const struct sim_guest *guest, struct guest_sample *sample)
{
	sample->has_rss = sample->has_overhead = true;
	sample->rss_kib = kib(sim_guest_rss(guest));
	sample->rss_anon_kib = sample->rss_kib;
	sample->swap_kib = kib(guest->host_swapped);
	sample->overhead_kib = guest->make.overhead_kib;
}

static void tell_guest(struct link *link, size_t number, struct guest_facts *facts)
{
	const struct sim_guest *guest = &link->world->guests[number];
	struct guest_sample *sample = &facts->sample;
	memcpy(facts->uuid, guest->uuid, sizeof(facts->uuid));
	memcpy(facts->name, guest->name, sizeof(facts->name));
	facts->id = facts->pid = (int)number + 1;
	facts->run = guest->paused ? GUEST_PAUSED : GUEST_RUNNING;
	facts->has_balloon = guest->make.fault != FAULT_NO_DEVICE;
	facts->windows = guest->make.windows;
	facts->boots = guest->boots;
	facts->metadata = mem_dup(guest->metadata);
	sample->max_kib = guest->make.max_kib;
	sample->has_actual = facts->has_balloon;
	sample->actual_kib = kib(guest->told_actual);
	tell_process(guest, sample);
	if (guest->reported)
		tell_statistics(told_of(link, number), guest, facts);
}

static void sim_sample(void *self, struct snapshot *into)
{
	struct link *link = self;
	into->connected = link->connected;
	for (size_t i = 0; i < link->world->count; i++)
		if (link->world->guests[i].present)
			tell_guest(link, i, snapshot_add_guest(into));
}

/* ---- orders ---- */

static int sim_set_target(
	void *self, const char *uuid, uint64_t target_kib, struct err *err)
{
	struct link *link = self;
	struct sim_guest *guest = world_find(link->world, uuid);
	if (!guest || !guest->present)
		return err_set(err, -ENOENT, "there is no such guest");
	bool device = guest->make.fault != FAULT_NO_DEVICE;
	if (device)
		sim_guest_order(guest, (double)target_kib);
	world_tell(
		link->world, EVENT_ORDER_DONE, guest, target_kib, device ? 0 : -ENODEV);
	return 0;
}

static void sim_ask_statistics(void *self, const char *uuid)
{
	struct link *link = self;
	struct sim_guest *guest = world_find(link->world, uuid);
	if (guest && guest->present)
		sim_guest_report(guest, link->world->now_ms);
}

static void sim_status(void *self, struct hypervisor_status *status)
{
	struct link *link = self;
	*status = (struct hypervisor_status){.connected = link->connected};
}

const struct hypervisor sim_hypervisor = {
	.name = "sim",
	.open = sim_open,
	.fd = sim_fd,
	.refresh = sim_refresh,
	.next_event = sim_next_event,
	.sample = sim_sample,
	.set_target = sim_set_target,
	.ask_statistics = sim_ask_statistics,
	.status = sim_status,
	.close = sim_close,
};
