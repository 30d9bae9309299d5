/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How small a host may be, by each manager. */

#include <stdio.h>

#include "sim/run.h"

/*
 * Find the least host memory by which no guest is killed and the unmet part of what is
 * needed stays within a thousandth, to one percent; and tell it.
 *
 * Shape:  one line a manager, "RESULT policy=… guests=… host_mib=… ratio_to_oracle=…
 *         moved_gib=…"; then, where mom-balloon is among them, "MOVED policy=… guests=…
 *         host_mib=… moved_gib=…" for each on the host that mom-balloon needs; "-" for
 * what can't be told. The oracle's ratio is of the same scenario, and asked for first
 * where it is among the managers. Errors: as run_play().
 */
int least_find(FILE *out, const struct scenario *scenario, const struct run_terms *terms,
	const char *const *managers, size_t count, struct err *err);
