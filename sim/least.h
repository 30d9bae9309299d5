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
 *         moved_gib=… own_moved_gib=…"; "-" for what can't be told. What was moved is
 *         alike on the same host alone: moved_gib is on the one that mom-balloon needs,
 *         own_moved_gib on the manager's own. As JSON null is what can't be told.
 * Errors: as run_play().
 */
int least_find(FILE *out, const struct scenario *scenario, const struct run_terms *terms,
	const char *const *managers, size_t count, bool json, struct err *err);
