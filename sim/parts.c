/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <time.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/hypervisor.h"
#include "sim/merge.h"
#include "sim/world.h"

#define PAGE_KIB   4
#define USUAL_CPUS 2
#define EPOCH_S    1767571200 /* the first day of a run is a Monday: 2026-01-05 */

/* What a made-up part works on: the hypervisor that knows the world, and the world. */
struct part {
	const struct hypervisor *hypervisor;
	void *hypervisor_self;
	struct sim_world *world;
};

static struct part *new_part(const struct hypervisor *hypervisor, void *self)
{
	struct part *part = mem_alloc(sizeof(*part));
	part->hypervisor = hypervisor;
	part->hypervisor_self = self;
	part->world = sim_hypervisor_world(self);
	return part;
}

static int open_collector(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	*self = new_part(env->hypervisor, env->hypervisor_self);
	return 0;
}

static int open_controller(void **self, const struct controller_env *env, struct err *err)
{
	(void)err;
	*self = new_part(env->hypervisor, env->hypervisor_self);
	return 0;
}

static void close_part(void *self)
{
	free(self);
}

/* ---- collectors ---- */

static void tell_time(const struct sim_world *world, struct host_sample *host)
{
	time_t now = EPOCH_S + (world->make.clock_ms + world->now_ms) / 1000;
	struct tm local;
	gmtime_r(&now, &local);
	host->time_year = local.tm_year + 1900;
	host->time_month = local.tm_mon + 1;
	host->time_day = local.tm_mday;
	host->time_hour = local.tm_hour;
	host->time_minute = local.tm_min;
	host->time_second = local.tm_sec;
	host->has_time = true;
}

static int sample_memory(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	const struct sim_world *world = ((struct part *)self)->world;
	struct host_sample *host = &into->host;
	double free =
		(double)world->make.memory_kib - world->host.used - world->host.cache;
	host->has_meminfo = host->has_vmstat = true;
	host->mem_total_kib = world->make.memory_kib;
	host->mem_free_kib = (uint64_t)fmax(free, 0);
	host->mem_usable_kib = (uint64_t)world_available(world);
	host->cached_kib = (uint64_t)world->host.cache;
	host->anon_kib = (uint64_t)world->host.used;
	host->swap_total_kib = world->make.swap_kib;
	host->swap_free_kib =
		sub_u64(world->make.swap_kib, (uint64_t)world->host.swapped);
	host->cpu_count =
		world->make.processors ? (uint32_t)world->make.processors : USUAL_CPUS;
	into->host_swap_in_pages = (uint64_t)world->host.swap_in_kib / PAGE_KIB;
	into->host_swap_out_pages = (uint64_t)world->host.swap_out_kib / PAGE_KIB;
	tell_time(world, host);
	return 0;
}

static int sample_pressure(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	const struct sim_world *world = ((struct part *)self)->world;
	into->host.has_psi = true;
	into->host.psi_some = world->host.psi_some;
	into->host.psi_full = world->host.psi_full;
	return 0;
}

static int sample_merging(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	const struct sim_world *world = ((struct part *)self)->world;
	const struct sim_host *from = &world->host;
	struct host_sample *host = &into->host;
	double touched = 0;
	for (size_t i = 0; i < world->count; i++)
		if (world->guests[i].present)
			touched += sim_guest_touched(&world->guests[i]);
	host->has_ksm = world->make.ksm;
	host->ksm_run = from->ksm_run;
	host->ksm_pages_sharing = (int64_t)(from->merged / PAGE_KIB);
	host->ksm_pages_shared = host->ksm_pages_sharing / 4;
	host->ksm_pages_unshared = (int64_t)fmax(touched - from->merged, 0) / PAGE_KIB;
	host->ksm_pages_to_scan = from->ksm_pages_to_scan;
	host->ksm_sleep_millisecs = from->ksm_sleep_ms;
	host->ksm_merge_across_nodes = 1;
	host->ksm_general_profit_kib = (int64_t)from->merged;
	host->ksm_shareable_kib = (uint64_t)touched;
	host->ksmd_cpu_ratio = from->ksmd_ratio;
	return 0;
}

static int sample_guests(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	struct part *part = self;
	part->hypervisor->sample(part->hypervisor_self, into);
	return 0;
}

#define MADE_UP(id, sampler, text)                                                       \
	static const struct collector id = {                                             \
		.name = #id,                                                             \
		.help = text,                                                            \
		.open = open_collector,                                                  \
		.sample = sampler,                                                       \
		.close = close_part,                                                     \
	}

MADE_UP(meminfo, sample_memory, "memory of the made-up host");
MADE_UP(psi, sample_pressure, "its stalls");
MADE_UP(ksm, sample_merging, "its merged pages");
MADE_UP(guests, sample_guests, "its guests");

const struct collector *const sim_collectors[] = {&meminfo, &psi, &ksm, &guests, NULL};

/* ---- controllers ---- */

static int apply_orders(void *self, const struct plan *plan, struct err *err)
{
	struct part *part = self;
	int result = 0;
	for (size_t i = 0; i < plan->order_count; i++) {
		int r = part->hypervisor->set_target(part->hypervisor_self,
			plan->orders[i].uuid, plan->orders[i].to_kib, err);
		result = r < 0 ? r : result;
	}
	return result;
}

static int apply_knobs(void *self, const struct plan *plan, struct err *err)
{
	(void)err;
	for (int knob = 0; knob < HOST_KNOB_COUNT; knob++)
		if (plan->knobs[knob].has_value)
			merge_set(((struct part *)self)->world, (enum host_knob)knob,
				plan->knobs[knob].value);
	return 0;
}

static const struct controller balloon = {
	.name = "balloon",
	.help = "balloons of the made-up guests",
	.open = open_controller,
	.apply = apply_orders,
	.close = close_part,
};

static const struct controller merging = {
	.name = "ksm",
	.help = "merging on the made-up host",
	.open = open_controller,
	.apply = apply_knobs,
	.close = close_part,
};

const struct controller *const sim_controllers[] = {&balloon, &merging, NULL};
