/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who manages the made-up host: mom's engine with a policy, or one of those that no
 * policy can be: nobody, a fixed division, and one who knows the future.
 */

#include "mom/config.h"
#include "mom/err.h"
#include "sim/measure.h"
#include "sim/world.h"

struct manager_env {
	struct sim_world *world;
	const struct guest_settings *settings; /* of each guest */
	struct config *config;                 /* the manager's to free */
	const char *name;
	int64_t peers_ms;        /* other managers' pace; 0: as at home */
	bool guarded;            /* another manager's policy too, at momd's pace */
	struct measure *measure; /* where broken promises are counted */
	void (*broken)(void *context, const char *text); /* and told */
	void *context;
};

struct manager {
	const char *name; /* NULL: a policy's */
	const char *help;
	int (*open)(void **self, const struct manager_env *env, struct err *err);
	void (*act)(void *self, int64_t now_ms);
	enum host_state (*state)(void *self);
	void (*close)(void *self);
};

extern const struct manager manager_none, manager_fixed, manager_oracle, manager_engine;

/* By name; any name that isn't one of the others is a policy's. */
const struct manager *manager_find(const char *name);
