/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KSM on the made-up host: pages that are alike in several guests are kept once. */

#include "sim/world.h"

void merge_step(struct sim_world *world, double ms);

/* The kernel's knobs. */
void merge_set(struct sim_world *world, enum host_knob knob, int64_t value);
