/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The nouns: a host, its guests and what is known of them at one moment. Facts are
 * written by collectors and the hypervisor, estimates by mom/estimate, wishes by the
 * policy, the plan by the guard. Memory is KiB, time is monotonic milliseconds, a part of
 * a whole is 0..1. A value behind a `has_` flag is meaningless while the flag is down.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/guest_build.h"

#define UUID_TEXT_MAX   37
#define GUEST_NAME_MAX  256
#define CGROUP_PATH_MAX 512
#define HISTORY_SAMPLES 10
#define REASON_MAX      160
#define OVERHEAD_UNKNOWN                                                                 \
	(64ull * 1024) /* what QEMU takes beside guest RAM until measured */

/* What the hypervisor says a guest is doing. */
enum guest_run {
	GUEST_RUNNING,
	GUEST_PAUSED,      /* by the administrator, an I/O error, a save, … */
	GUEST_PMSUSPENDED, /* S3: the balloon is gone until it wakes */
	GUEST_CRASHED,
	GUEST_SHUTDOWN, /* on its way out */
	GUEST_RUN_UNKNOWN,
};

/* How far a guest's balloon statistics can be trusted. */
enum guest_quality {
	QUALITY_UNKNOWN,   /* too early to say */
	QUALITY_NONE,      /* the guest has no balloon device */
	QUALITY_NODRIVER,  /* a device, but nothing in the guest answers */
	QUALITY_NOSERVICE, /* the driver answers, its values are absent (Windows without
			      blnsvr) */
	QUALITY_STALE,     /* values stopped changing */
	QUALITY_PARTIAL,   /* fresh, but `usable` is missing: a larger buffer is kept */
	QUALITY_GOOD,
};

/* Where a guest stands in the manager's eyes; decides what may be ordered. */
enum guest_state {
	GUEST_STATE_NEW,       /* not judged yet */
	GUEST_STATE_BOOTING,   /* in boot grace: counted at max, not shrunk */
	GUEST_STATE_MANAGED,   /* under control */
	GUEST_STATE_WATCHED,   /* opted out or without usable statistics: counted, never
				  ordered */
	GUEST_STATE_NODRIVER,  /* counted at max */
	GUEST_STATE_SUSPENDED, /* not running: hands off */
	GUEST_STATE_BUSY,      /* a job (save, migration, snapshot) runs: hands off */
	GUEST_STATE_HUNG,      /* its QEMU doesn't answer: last cost stands */
	GUEST_STATE_HELD, /* somebody else set its balloon: adopted, held off for a while
			   */
	GUEST_STATE_PAUSED, /* `momctl pause`: counted, never ordered */
	GUEST_STATE_STUCK,  /* its balloon stopped short of the target */
	GUEST_STATE_FIXED,  /* its memory can't be taken (VFIO, locked, huge pages) */
	GUEST_STATE_COUNT,
};

enum host_state {
	HOST_ROOMY,
	HOST_SNUG,
	HOST_TIGHT,
	HOST_CRITICAL,
	HOST_EXHAUSTED,
	HOST_STATE_COUNT,
};

/*
 * One guest at one moment: facts first, then what was estimated from them in the same
 * tick. Plain data: a row of history is a copy. Every number here is a field that
 * policies can read; mom/policy/fields.c names them.
 */
struct guest_sample {
	/* libvirt: the domain */
	uint64_t max_kib;    /* configured memory */
	uint64_t actual_kib; /* balloon size now */
	bool has_actual;

	/* libvirt: balloon statistics, from inside the guest */
	bool has_usable, has_unused, has_total, has_cache;
	uint64_t usable_kib; /* guest MemAvailable */
	uint64_t unused_kib; /* guest MemFree; Windows: with the standby cache */
	uint64_t total_kib;  /* guest MemTotal; means different things in different guests
			      */
	uint64_t cache_kib;  /* reclaimable caches */
	bool has_swap_total,
		has_swap_usage; /* only a guest agent knows; nil with libvirt */
	uint64_t swap_total_kib, swap_usage_kib;
	bool has_swap_in, has_swap_out, has_major_fault, has_minor_fault;
	uint64_t swap_in_kib, swap_out_kib; /* since the last sample */
	uint64_t major_fault, minor_fault;  /* since the last sample */

	/* host: the QEMU process */
	bool has_rss;
	uint64_t rss_kib;
	uint64_t rss_anon_kib;  /* anonymous: guest RAM unless shared */
	uint64_t rss_shmem_kib; /* memfd or shared guest RAM */
	uint64_t swap_kib;      /* of QEMU, in the host's swap */
	bool has_host_faults;
	uint64_t host_minor_faults, host_major_faults; /* since the last sample */
	bool has_overhead;
	uint64_t overhead_kib; /* QEMU beside guest RAM */

	/* collectors/working_set.c: host memory that the guest touched lately */
	bool has_working_set;
	uint64_t working_set_kib;

	/* estimated: mom/estimate */
	bool has_used, has_demand, has_growth;
	uint64_t used_kib;
	uint64_t demand_kib;
	uint64_t growth_kib_per_s; /* recent growth of `used` */
	uint64_t withheld_kib;     /* untouched, and its kernel gives it to nobody */
	uint64_t cost_kib;         /* what the guest may cost the host */
	double distress;           /* 0 none … 1 its own memory is gone */

	/* settings and orders, repeated here so that policies see them as fields */
	uint64_t min_kib;
	uint64_t limit_kib; /* largest target: `max` of the settings within the configured
			       memory */
	uint64_t target_kib; /* last order that stands; `actual` where there is none */
	uint64_t shares;
	double buffer_ratio;
};

/* The raw counters behind "since the last sample"; they may wrap or restart with the
 * guest. */
struct guest_counters {
	uint64_t swap_in_kib, swap_out_kib, major_fault, minor_fault;
	uint64_t host_minor_faults, host_major_faults;
	bool has_swap_in, has_swap_out, has_major_fault, has_minor_fault, has_host_faults;
};

/* What the hypervisor and the collectors found out about one guest: one tick's input. */
struct guest_facts {
	char uuid[UUID_TEXT_MAX];
	char name[GUEST_NAME_MAX];
	int id;  /* libvirt's number of this run */
	int pid; /* of QEMU, 0 where not known */
	enum guest_run run;
	bool has_balloon;  /* the domain has a balloon device */
	bool busy;         /* a job holds the domain */
	bool hung;         /* its last call is late */
	bool locked;       /* <locked/>, VFIO: ballooning yields nothing */
	bool autodeflate;  /* the balloon gives way when the guest runs out of memory */
	bool hugepages;    /* its RAM is on hugetlb pages, in neither side of the books */
	bool nosharepages; /* KSM may not merge its RAM */
	bool keeps_touched; /* only its balloon gives back what it has touched */
	bool windows;   /* by libosinfo metadata, or by what its statistics look like */
	uint32_t boots; /* counts starts and resets seen; a change means "memory is back
			   at max" */
	uint64_t last_update; /* balloon statistics' time stamp: only compared for change
			       */
	bool has_last_update;
	uint64_t refused; /* values refused as impossible, in all */
	struct guest_counters counters;
	struct guest_sample sample; /* the facts' part is filled */
	char *metadata; /* <mom:guest …> element of the domain, or NULL; owned */
	char cgroup[CGROUP_PATH_MAX]; /* of QEMU, below the memory hierarchy; "" not known
				       */
	struct guest_build build;
	bool io_error; /* paused because a disk failed */
};

/*
 * A memory cgroup that limits guests. `available` of a pool is its limit less its use
 * plus what the kernel can drop at once (inactive file pages).
 */
struct pool_facts {
	char path[CGROUP_PATH_MAX]; /* below the memory hierarchy */
	uint64_t limit_kib, use_kib, inactive_file_kib;
	uint64_t split_kib; /* parts of huge pages that were given back, not yet freed */
	bool has_use;
	bool has_above;     /* a cgroup above is limited, too, and has … */
	uint64_t above_kib; /* … so much left; the least of several */
};

/* The host at one moment: facts, then estimates. Plain data; a row of history is a copy.
 */
struct host_sample {
	/* collectors/meminfo.c: /proc/meminfo, /proc/vmstat */
	bool has_meminfo;
	uint64_t mem_total_kib, mem_free_kib, mem_usable_kib; /* usable: MemAvailable */
	uint64_t buffers_kib, cached_kib, anon_kib;
	uint64_t swap_total_kib, swap_free_kib;
	bool has_vmstat;
	uint64_t swap_in_pages, swap_out_pages; /* since the last sample */
	double swap_in_pages_per_s, swap_out_pages_per_s;

	/* collectors/psi.c */
	bool has_psi;
	double psi_some, psi_full; /* avg10, 0..1 */

	/* collectors/ksm.c */
	bool has_ksm;
	int64_t ksm_run, ksm_pages_shared, ksm_pages_sharing, ksm_pages_unshared;
	int64_t ksm_pages_volatile, ksm_pages_to_scan, ksm_full_scans;
	int64_t ksm_sleep_millisecs, ksm_merge_across_nodes;
	int64_t ksm_pages_scanned, ksm_pages_skipped, ksm_zero_pages;
	int64_t ksm_stable_node_chains, ksm_stable_node_dups;
	int64_t ksm_general_profit_kib;
	uint64_t ksm_shareable_kib; /* memory of running guests that KSM may merge */
	bool has_ksmd_cpu;
	double ksmd_cpu_ratio; /* of one processor */
	char ksm_advisor[16];  /* the kernel's advisor at work, "none", "" has none */
	char ksm_rival[16];    /* a process that tunes KSM itself, "" none seen */

	/* the host's own */
	uint32_t cpu_count;
	bool has_time;
	int32_t time_year, time_month, time_day, time_hour, time_minute,
		time_second; /* local */

	/* estimated: mom/estimate, for the pool this picture is of */
	uint64_t available_kib; /* what the host (or the pool) can still give */
	uint64_t budget_kib;    /* what its guests may cost in all */
	uint64_t divisible_kib; /* budget less overheads and what isn't managed */
	uint64_t claimed_kib; /* kept for guests that are to come; not in the budget */
	uint64_t reserve_kib;
	uint64_t exposure_kib; /* what the guests may take without asking */
	uint64_t cost_kib;     /* what they may cost now, in all */
	enum host_state state;
	enum host_state
		worst_state; /* the host's picture: the worst of it and its pools */
};

struct host_history {
	struct host_sample samples[HISTORY_SAMPLES]; /* ring */
	size_t next, count;
};

struct guest_history {
	struct guest_sample samples[HISTORY_SAMPLES]; /* ring */
	size_t next, count;
};

/* A NUMA node that has next to nothing left. */
struct short_node {
	unsigned number;
	uint64_t left_kib, total_kib;
};

/* Everything that is known at one moment. Filled by collectors, read by the engine. */
struct snapshot {
	int64_t now_ms; /* monotonic */
	struct host_sample host;
	uint64_t host_swap_in_pages, host_swap_out_pages; /* counters since boot */
	struct guest_facts *guests;
	size_t guest_count, guest_capacity;
	struct pool_facts *pools;
	size_t pool_count, pool_capacity;
	bool has_short_node;          /* collectors/numa.c: one is short … */
	struct short_node short_node; /* … this one */
	bool connected; /* the hypervisor answers; else the guests are those last seen */
};

/* A floor under memory: a size or a part of the whole, whichever is more. */
struct memory_floor {
	uint64_t kib;
	double ratio;
};

/* What an administrator wants for one guest, resolved from file, metadata and live
 * settings. */
struct guest_settings {
	bool manage;
	struct memory_floor min;  /* of the configured memory: see guest_floor_kib() */
	uint64_t min_ceiling_kib; /* largest floor where the guest chose it; 0 none */
	uint64_t max_kib;         /* 0: the configured memory; see guest_limit_kib() */
	uint64_t shares;
	double buffer_ratio;
	uint64_t boot_grace_ms;
};

/*
 * The largest and the smallest target of a guest with this configured memory. The floor
 * never lies above the limit, whatever the settings say.
 */
uint64_t guest_limit_kib(const struct guest_settings *settings, uint64_t configured_kib);
uint64_t guest_floor_kib(const struct guest_settings *settings, uint64_t configured_kib);

/*
 * A claim on a divided budget, and the division handed to the policy language as a
 * function (mom/share.h has it): `targets[i]` for each claim.
 */
struct claim {
	uint64_t floor_kib, want_kib, ceiling_kib;
	double shares;
};

typedef void (*divide_fn)(const struct claim *claims, size_t count, uint64_t budget_kib,
	double tax, uint64_t *targets);

/* What a policy asked for one guest. */
struct wish {
	bool has_target;
	uint64_t target_kib;
	int64_t asked;            /* the same, but for what is below 0 */
	char policy[64];          /* who asked */
	char because[REASON_MAX]; /* "" none given */
};

enum host_knob {
	KNOB_KSM_RUN,
	KNOB_KSM_PAGES_TO_SCAN,
	KNOB_KSM_SLEEP_MILLISECS,
	KNOB_KSM_MERGE_ACROSS_NODES,
	HOST_KNOB_COUNT,
};

struct host_wish {
	bool has_value;
	int64_t value;
	char policy[64];
	char because[REASON_MAX];
};

/* One order to one guest's balloon. */
struct order {
	char uuid[UUID_TEXT_MAX];
	char name[GUEST_NAME_MAX];
	uint64_t from_kib, to_kib;
	char reason[REASON_MAX];
	int result; /* the controller's word: 0 it left, or a negative errno */
};

/* What is to be done in one tick: shrinks first. */
struct plan {
	struct order *orders;
	size_t order_count, order_capacity;
	struct host_wish knobs[HOST_KNOB_COUNT];
	const struct host_sample *host; /* the host it was made for; NULL not known */
	enum host_state state;          /* the worst of the host and its pools */
};

const char *guest_run_name(enum guest_run run);
const char *guest_quality_name(enum guest_quality quality);
const char *guest_state_name(enum guest_state state);
const char *host_state_name(enum host_state state);
const char *host_knob_name(enum host_knob knob); /* as policies call it */

/*
 * Guest memory that the host holds, in RAM or in swap: what QEMU holds less what it needs
 * for itself. Pages of files that it maps are nobody's cost.
 */
uint64_t guest_touched_kib(const struct guest_sample *sample);

/*
 * What a guest of this size may cost the host: what it holds, or else all that it may
 * take without asking; and QEMU's own. What its kernel withholds from everybody it
 * doesn't take.
 */
uint64_t guest_cost_kib(const struct guest_sample *sample, uint64_t size_kib);

void snapshot_reset(struct snapshot *snapshot); /* empty, its arrays kept for reuse */
void snapshot_done(struct snapshot *snapshot);

/* What there is to say of the node that is short. */
#define NODE_TEXT_MAX 160
const char *snapshot_node_text(char text[NODE_TEXT_MAX], const struct snapshot *snapshot);

/* A new zeroed guest or pool at the snapshot's end. */
struct guest_facts *snapshot_add_guest(struct snapshot *snapshot);
struct pool_facts *snapshot_add_pool(struct snapshot *snapshot);

/* What the cgroup's own limit leaves, with what the kernel frees when asked. */
uint64_t pool_left_kib(const struct pool_facts *facts);

/* Put a sample: as a new one, or (`due` false) in place of the latest. */
void host_history_put(
	struct host_history *history, const struct host_sample *sample, bool due);
void guest_history_put(
	struct guest_history *history, const struct guest_sample *sample, bool due);

/* Sample number `age` counted back from the latest (0), or NULL past the oldest. */
const struct host_sample *host_history_at(const struct host_history *history, size_t age);
const struct guest_sample *guest_history_at(
	const struct guest_history *history, size_t age);

void plan_reset(struct plan *plan);
void plan_done(struct plan *plan);
struct order *plan_add_order(struct plan *plan);
