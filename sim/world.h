/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up host and its guests: memory that runs out, a cache that gives way, swap that
 * costs time, a kernel that kills, pages that merge. It moves when world_step() says so;
 * its clock is a number.
 */

#include "mom/hypervisor.h"
#include "mom/model.h"
#include "sim/guest.h"

struct host_make {
	uint64_t memory_kib;
	uint64_t base_kib;  /* the host's own, never given up */
	uint64_t cache_kib; /* files it would like to have cached */
	uint64_t swap_kib;
	double swap_kib_per_s;
	double fault_ms;     /* that a guest's page takes from host swap */
	uint64_t processors; /* that its guests share; 0 there are enough */
	bool ksm;
	int64_t clock_ms; /* the time of day at the start */
};

struct host_tally {
	uint64_t killed;
	double swap_out_kib, swap_in_kib;
	double most_kib; /* highest use */
	double most_swapped_kib;
	double stalled_ms;
};

struct sim_host {
	double used; /* all but the cache */
	double cache;
	double swapped;
	double debt_ms; /* time that reclaim still owes */
	double stall;   /* part of the time the guests lose to it now */
	double psi_some, psi_full;
	double swap_in_kib, swap_out_kib; /* counters */
	int64_t ksm_run, ksm_pages_to_scan, ksm_sleep_ms;
	double merged, ksmd_ratio;
	uint64_t ksm_scans;
};

/* What happens at a time, beside the guests' courses. */
enum world_deed {
	DEED_START,
	DEED_STOP,
	DEED_REBOOT,
	DEED_PAUSE,
	DEED_RESUME,
	DEED_SILENCE,     /* its statistics stop */
	DEED_SET_BALLOON, /* from elsewhere: virsh setmem */
	DEED_HOST_USE,    /* the host's own takes so much from now on */
};

struct world_event {
	int64_t at_ms;
	enum world_deed deed;
	size_t guest; /* index */
	uint64_t value_kib;
};

struct sim_world {
	int64_t now_ms;
	struct host_make make;
	struct sim_host host;
	struct host_tally tally;
	struct sim_guest *guests; /* owned */
	size_t count, capacity;
	struct world_event *events; /* by time; owned */
	size_t event_count, event_capacity, events_past;
	uint64_t report_period_ms;
	/* for the hypervisor to tell */
	struct hypervisor_event *news;
	size_t news_count, news_capacity, news_told;
};

void world_init(struct sim_world *world, const struct host_make *make);
void world_done(struct sim_world *world);

/* A guest that is there but off: it needs an event that starts it. */
struct sim_guest *world_add_guest(struct sim_world *world, const char *name,
	const struct guest_make *make, const struct work *work, uint64_t seed);

void world_add_event(struct sim_world *world, const struct world_event *event);

/* All is added: put the events in order. */
void world_ready(struct sim_world *world);

/* Let so much time pass. */
void world_step(struct sim_world *world, int64_t ms);

/* What the host has for its guests and their QEMUs. */
double world_for_guests(const struct sim_world *world);

/* MemAvailable: what the host could hand out. */
double world_available(const struct sim_world *world);

struct sim_guest *world_find(struct sim_world *world, const char *uuid);
void world_tell(struct sim_world *world, enum hypervisor_event_kind kind,
	const struct sim_guest *guest, uint64_t value_kib, int result);
