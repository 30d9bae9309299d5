/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a guest touches of its memory between two looks, by whatever its process and the
 * kernel offer for that: a guest of a software emulation touches memory through QEMU's
 * own page tables, so its referenced bits tell; under KVM only idle marks do. (So would
 * DAMON, which has one owner at a time for all of its settings, goes on when that one is
 * killed, and is seldom built with the operations for one process's memory.)
 */

#include <stdbool.h>
#include <stdint.h>

#include "collectors/idle_pages.h"
#include "mom/err.h"

enum touched_by {
	TOUCHED_UNKNOWN, /* not asked yet */
	TOUCHED_BITS,    /* referenced bits: takes time in proportion to memory */
	TOUCHED_MARKS,   /* idle marks: takes the same for all */
	TOUCHED_NONE,    /* can't be told */
};

struct touched_roots {
	const char *proc, *sys;
};

struct touched {
	enum touched_by by;
	bool begun;              /* there was a look before */
	struct idle_pages *idle; /* TOUCHED_MARKS alone; owned */
};

void touched_done(struct touched *touched);

/*
 * Find out how this process can be looked at.
 *
 * Errors: TOUCHED_NONE and -EOPNOTSUPP it runs under KVM, and the kernel keeps no idle
 *         marks; others from looking at it.
 * Source: /proc/PID/fd: a QEMU under KVM holds its device open
 */
int touched_choose(struct touched *touched, const struct touched_roots *roots, int pid,
	struct err *err);

/*
 * How much guest RAM was touched since the last look, 0 for the first one; and begin
 * anew.
 *
 * Errors: -ENOENT, -ESRCH the process is gone; others: it can't be told.
 * Source: /proc/PID/clear_refs and smaps, proc(5); collectors/idle_pages.h
 */
int touched_look(struct touched *touched, const struct touched_roots *roots, int pid,
	uint64_t guest_kib, uint64_t seed, uint64_t *kib, struct err *err);
