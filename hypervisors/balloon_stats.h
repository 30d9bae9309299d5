/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From what a guest's balloon reports to facts: each value is believed or refused on its
 * own, and counters become what was counted since the last look. Pure: knows no libvirt.
 */

#include "mom/model.h"

enum balloon_value {
	BALLOON_MAXIMUM, /* KiB: configured memory */
	BALLOON_CURRENT, /* KiB: the balloon's size now */
	BALLOON_SWAP_IN, /* KiB, counters since the guest's driver came up */
	BALLOON_SWAP_OUT,
	BALLOON_MAJOR_FAULT, /* counters */
	BALLOON_MINOR_FAULT,
	BALLOON_UNUSED, /* KiB: the guest's MemFree */
	BALLOON_TOTAL,  /* KiB: its MemTotal */
	BALLOON_USABLE, /* KiB: its MemAvailable */
	BALLOON_CACHE,  /* KiB */
	BALLOON_RSS,    /* KiB: of QEMU; there whenever QEMU was asked */
	BALLOON_LAST_UPDATE,
	BALLOON_VALUE_COUNT,
};

struct balloon_report {
	bool has[BALLOON_VALUE_COUNT];
	uint64_t values[BALLOON_VALUE_COUNT];
};

/*
 * Take a report into the facts of its guest.
 *
 * Shape:  a report without BALLOON_RSS and without statistics comes from a hypervisor
 * that didn't ask QEMU: only the sizes are taken then. What a report of QEMU lacks is
 *         unknown from then on.
 * Units:  KiB. Counters are added up in `facts->sample` until balloon_stats_taken().
 * Errors: none; impossible values (larger than the guest, no size at all, minus one)
 *         count in `facts->refused` and are unknown.
 */
void balloon_stats_apply(struct guest_facts *facts, const struct balloon_report *report);

/* The sample was handed on: what was counted since the last one starts again. */
void balloon_stats_taken(struct guest_facts *facts);

/* QEMU was asked for this report. */
bool balloon_stats_asked(const struct balloon_report *report);
