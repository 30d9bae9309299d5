/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up guest: what its kernel, its programs and its balloon driver do with memory,
 * and what of that its QEMU process shows on the host.
 *
 * Its memory, in KiB, always sums up: anon + cache + free (touched once, or never) is
 * what the balloon leaves of the configured memory. What was touched once stays with QEMU
 * until the balloon takes it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mom/model.h"
#include "sim/random.h"
#include "sim/work.h"

/* How a guest differs from a well-behaved one. */
enum guest_fault {
	FAULT_NONE,
	FAULT_NO_DEVICE,  /* no balloon device */
	FAULT_NO_DRIVER,  /* nothing answers the device */
	FAULT_NO_SERVICE, /* the driver answers, its statistics are empty */
	FAULT_STUCK,      /* the balloon takes a third of the guest and stops */
	FAULT_FIXED,      /* the balloon moves, and QEMU gives nothing back */
};

/* What a guest is made of; the same for all that a scenario's line makes. */
struct guest_make {
	uint64_t max_kib;
	uint64_t overhead_kib; /* QEMU beside guest RAM */
	uint64_t swap_kib;     /* the guest's own swap device */
	uint64_t boot_ms;      /* from power on to a loaded balloon driver */
	double boot_touch_kib; /* memory touched on the way */
	double kernel_kib;     /* never given up, beside the programs' needs */
	double mark_kib; /* its kernel's low mark; 0 as Linux's without huge pages */
	double inflate_kib_per_s, deflate_kib_per_s; /* the balloon's pace */
	double swap_kib_per_s; /* pace of the swap device, each way */
	double same_ratio;     /* part of its memory that equals other guests' */
	enum guest_fault fault;
	bool windows;
	bool huge; /* the host backs it by huge pages: one touch brings all around it */
};

/* One like most: sizes are left to the caller. */
struct guest_make guest_make_usual(void);

/* Counted from the start of the run. */
struct guest_tally {
	double work_wanted, work_done; /* page touches */
	double need_kib_s, unmet_kib_s;
	double swap_in_kib, swap_out_kib; /* its own swap */
	double host_swap_in_kib;
	double moved_kib; /* by its balloon, both ways */
	double unmet_ms, longest_unmet_ms;
	uint64_t ooms, reversals, orders;
};

struct sim_guest {
	char name[GUEST_NAME_MAX], uuid[UUID_TEXT_MAX];
	struct guest_make make;
	const struct work *work;
	int64_t shift_ms; /* its course runs so much ahead of the others' */
	char *metadata;   /* its settings in the domain; owned */
	struct random random;

	bool present, killed, paused;
	bool lost;   /* killed, and nobody has started or stopped it since */
	bool silent; /* reports no more until it boots anew */
	uint32_t boots;
	int64_t booted_ms; /* power on, or the last reset */
	bool driver;       /* the balloon driver is loaded */

	/* the guest's memory, KiB */
	double anon, swapped, cache, touched_free, untouched;
	double balloon;
	double kept;     /* in the balloon, but backed all the same */
	double grudged;  /* growth that found no memory in this step */
	double busy;     /* of a processor, that it would have liked in this step */
	int64_t dead_ms; /* until then its programs are being started again after OOM */
	struct work_place place;
	struct want want;

	/* QEMU */
	double target, actual; /* as they are */
	double told_actual;    /* as QEMU told it last */
	int64_t told_actual_ms;
	double host_swapped;
	double merged; /* by KSM: counted in rss, but not taken from the host */

	/* what the guest last reported */
	int64_t reported_ms, report_due_ms;
	bool reported;
	double told_usable, told_unused, told_total, told_cache;
	double told_swap_in, told_swap_out, told_faults; /* counters */
	double faults;

	double last_order; /* for counting reversals: +1 grew, -1 shrank */
	struct guest_tally tally;
};

/* Power on; or, for one that runs, a reset: its balloon is gone, its memory stays. */
void sim_guest_boot(struct sim_guest *guest, int64_t now_ms);

/* QEMU ends: its memory goes back to the host. */
void sim_guest_end(struct sim_guest *guest);

/*
 * Let time pass. `pace` 0..1 is the part of the time that the host lets it run;
 * `host_faults` the part of its touches that the host must fetch first, each for
 * `host_fault_ms`.
 */
struct guest_step {
	int64_t now_ms;
	double ms, pace;
	double host_fault_ms;
};
void sim_guest_step(struct sim_guest *guest, const struct guest_step *step);

/* QEMU tells where a balloon is when it moves, but once a second at most. */
void sim_guest_tell_actual(struct sim_guest *guest, int64_t now_ms);

/* The guest's statistics are taken now. */
void sim_guest_report(struct sim_guest *guest, int64_t now_ms);

/* What it would need to have now so that nothing is missing: programs and kernel. */
double sim_guest_need(const struct sim_guest *guest);

/* What of that isn't there: active memory in swap, and growth that found no place. */
double sim_guest_missing(const struct sim_guest *guest);

/* What it keeps beside its programs' memory. */
double sim_guest_least(const struct sim_guest *guest);

/* Free memory that its kernel keeps back for itself. */
double sim_guest_low_mark(const struct sim_guest *guest);

/* Memory of QEMU that the guest has touched and the balloon hasn't taken. */
double sim_guest_touched(const struct sim_guest *guest);

/* What the process takes from the host: without what lies in host swap. */
double sim_guest_rss(const struct sim_guest *guest);

/* The most that it may take from the host without asking: what the balloon leaves or is
 * to leave, but for what its kernel keeps back and has never touched. */
double sim_guest_most(const struct sim_guest *guest, double actual_kib);

/* QEMU is told a new target. */
void sim_guest_order(struct sim_guest *guest, double target_kib);
