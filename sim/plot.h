/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A recorded run to look at: the host, and each guest, over time. */

#include <stdio.h>

#include "sim/run.h"

/* Write it as SVG; the run must have been recorded. */
void plot_draw(
	FILE *out, const struct scenario *scenario, const struct run_result *result);
