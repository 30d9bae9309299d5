/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The recorded side of the interfaces that the engine works by: a hypervisor and a
 * collector that show one tick. Nothing is ordered. The hypervisor's `context` is a
 * struct replay_view.
 */

#include "mom/collector.h"
#include "mom/controller.h"
#include "mom/hypervisor.h"
#include "mom/recording/recording.h"

struct replay_view {
	const struct recorded_tick *tick; /* NULL: nothing to be seen */
};

extern const struct hypervisor replay_hypervisor;
extern const struct collector *const replay_collectors[];   /* ends with NULL */
extern const struct controller *const replay_controllers[]; /* so does it */
