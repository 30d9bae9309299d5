/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/rates.h"

#include "mom/units.h"

#define SPAN_MS 2000 /* two reports */

static struct rate rate_of(bool known, uint64_t before, uint64_t now, int64_t span_ms)
{
	double grown = (double)sub_u64(now, before);
	return (struct rate){known, known ? grown * 1000 / (double)span_ms : 0};
}

void rates_follow(struct rates *rates, const struct guest_counters *now, int64_t now_ms)
{
	const struct guest_counters *before = &rates->counters;
	int64_t span_ms = now_ms - rates->since_ms;
	if (rates->since_ms && span_ms < SPAN_MS)
		return;
	if (rates->since_ms) {
		rates->swap_in_kib = rate_of(before->has_swap_in && now->has_swap_in,
			before->swap_in_kib, now->swap_in_kib, span_ms);
		rates->swap_out_kib = rate_of(before->has_swap_out && now->has_swap_out,
			before->swap_out_kib, now->swap_out_kib, span_ms);
		rates->major_faults =
			rate_of(before->has_major_fault && now->has_major_fault,
				before->major_fault, now->major_fault, span_ms);
	}
	rates->counters = *now;
	rates->since_ms = now_ms;
}
