/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up hypervisor with made-up guests that misbehave as they are told: behind
 * mom/hypervisor.h and mom/collector.h, on a clock that is a number. A test writes into
 * the guests and the host between steps, and reads what was done to them.
 *
 * Units: KiB, ms of a clock that starts where the test says.
 */

#include "mom/collector.h"
#include "mom/hypervisor.h"
#include "mom/model.h"

#define FAKE_OVERHEAD_KIB (32ull * 1024)

/* What a balloon does with its target. */
enum fake_obey {
	OBEY,
	OBEY_HALF,   /* stops half way down */
	OBEY_NEVER,  /* stands where it is */
	OBEY_CHUNKS, /* moves in 2 MiB, and leaves the rest */
	OBEY_LIES,   /* says it is there; the host gains nothing */
};

/* What a guest tells of itself. */
enum fake_tell {
	TELL_ALL,
	TELL_NOTHING, /* no driver: no time stamp, no values */
	TELL_EMPTY,   /* time stamps without values: Windows without its service */
	TELL_FROZEN,  /* the time stamp stands still */
	TELL_PARTIAL, /* without `usable` */
	TELL_WRONG,   /* values that can't be, as the hypervisor's layer hands them on */
};

/* What becomes of an order. */
enum fake_call {
	CALL_TAKEN,
	CALL_HANGS,   /* no answer within the deadline, nor to any other call */
	CALL_BUSY,    /* a job holds the domain */
	CALL_REFUSED, /* not allowed */
	CALL_GONE,    /* no longer there, though the last look found it */
};

struct fake_guest {
	/* how it is; a test may change it at any time */
	char uuid[UUID_TEXT_MAX], name[GUEST_NAME_MAX], cgroup[CGROUP_PATH_MAX];
	const char *metadata;
	bool present;
	enum guest_run run;
	enum fake_obey obey;
	enum fake_tell tell;
	enum fake_call call;
	uint64_t late_ms;        /* from an order until the balloon begins to move */
	uint64_t pace_kib_per_s; /* at which it moves */
	bool no_device, windows, autodeflate, locked, hugepages, shared, busy;
	bool nosharepages, io_error;
	struct guest_build build;
	uint64_t max_kib, used_kib;
	uint64_t cache_kib;      /* of what isn't used, held by files */
	uint64_t touched_kib;    /* what the host holds of its memory */
	uint64_t swap_in_kib;    /* counted up by the test; may wrap */
	uint32_t boots;
	int id;

	/* how it stands */
	uint64_t actual_kib, target_kib, reached_from_kib;
	int64_t ordered_ms, hung_ms;
	uint64_t reports;
	uint64_t told_swap_in_kib;
	uint64_t starved_ms; /* spent with less than it uses */

	/* what was done to it */
	unsigned orders, shrinks, turns; /* turns: orders against the one before */
	bool last_was_shrink;
	uint64_t ordered_kib; /* the latest */
	uint64_t moved_kib;   /* by all orders together */
	uint64_t lowest_kib;  /* smallest target ever ordered; UINT64_MAX none */
	unsigned wrong;       /* orders that no hypervisor would take */
	unsigned asked;       /* for statistics ahead of time */
};

struct fake_cgroup {
	const char *path;
	uint64_t limit_kib, others_kib; /* used by nobody's guests */
	bool blind;                     /* its use can't be read */
};

#define FAKE_CGROUPS_MAX 4

/* Collectors that can be made to fail. */
enum fake_source { SOURCE_MEMORY, SOURCE_PRESSURE, SOURCE_CGROUPS, FAKE_SOURCE_COUNT };

struct fake {
	int64_t now_ms;
	int64_t wall_ms; /* what the guests' time stamps are made of, beside now_ms */
	uint64_t call_deadline_ms;

	/* the host */
	uint64_t memory_kib, base_kib; /* base: the host's own */
	double psi_full;
	uint64_t swap_in_pages, swap_out_pages, swap_total_kib, swap_free_kib;
	struct fake_cgroup cgroups[FAKE_CGROUPS_MAX];
	size_t cgroup_count;
	bool failing[FAKE_SOURCE_COUNT];     /* samples fail */
	bool unavailable[FAKE_SOURCE_COUNT]; /* can't be opened */
	bool has_short_node;                 /* number 1, with 100 of 10,000 MiB */
	bool no_usable;                      /* a kernel without MemAvailable */

	uint64_t least_kib; /* least that was ever left */

	/* the hypervisor */
	bool connected, read_only;
	bool lose_events, double_events;
	unsigned orders;

	struct fake_guest *guests; /* owned */
	size_t count, capacity;
	struct hypervisor_event *events; /* owned */
	size_t event_count, event_capacity, events_told;
};

extern const struct hypervisor fake_hypervisor;         /* its context is a struct fake */
extern const struct collector *const fake_collectors[]; /* ends with NULL */

void fake_init(struct fake *fake, uint64_t memory_kib);
void fake_done(struct fake *fake);

/* A guest that runs, obeys, tells all and has touched all its memory. Its address holds
 * until the next one is added. */
struct fake_guest *fake_add(
	struct fake *fake, const char *name, uint64_t max_kib, uint64_t used_kib);

/* Let so much time pass: balloons move, guests report. */
void fake_step(struct fake *fake, uint64_t ms);

/* The part of all guests' memory that the host swaps out, having given more than it
 * has. */
double fake_swapped_part(const struct fake *fake);

/* What the host has left. */
uint64_t fake_available(const struct fake *fake);

/* Something happened, as the hypervisor tells it. */
void fake_tell(struct fake *fake, enum hypervisor_event_kind kind,
	const struct fake_guest *guest, int result);

void fake_reboot(struct fake *fake, struct fake_guest *guest);
void fake_stop(struct fake *fake, struct fake_guest *guest);
void fake_hang(struct fake *fake, struct fake_guest *guest);
void fake_disconnect(struct fake *fake, bool gone);
