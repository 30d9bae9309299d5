/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How fast a guest swaps and faults, for people: by its own counters over some seconds,
 * for its reports are a second apart where ticks may be several a second.
 */

#include "mom/model.h"

struct rate {
	bool known;
	double per_s;
};

struct rates {
	int64_t since_ms; /* when the counters were these; 0: none are known yet */
	struct guest_counters counters;
	struct rate swap_in_kib, swap_out_kib, major_faults;
};

/* Once a tick. A counter that went back has begun anew. */
void rates_follow(struct rates *rates, const struct guest_counters *now, int64_t now_ms);
