/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The made-up side of the interfaces that the engine works by: a hypervisor, collectors
 * and controllers that look at a world and turn its knobs. The world is the hypervisor's
 * `context`.
 */

#include "mom/collector.h"
#include "mom/controller.h"
#include "mom/hypervisor.h"

struct sim_world;

extern const struct hypervisor sim_hypervisor;
extern const struct collector *const sim_collectors[];   /* ends with NULL */
extern const struct controller *const sim_controllers[]; /* ends with NULL */

/* The world that an open made-up hypervisor shows. */
struct sim_world *sim_hypervisor_world(void *self);
