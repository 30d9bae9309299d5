/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a run came to: metrics of the whole and of each guest, by one table. */

#include "mom/model.h"
#include "sim/words.h"
#include "sim/world.h"

/* What is added up while the world goes on, beside the guests' own tallies. */
struct measure {
	const struct sim_world *world;
	const struct guest_settings *settings; /* of each guest */
	double measured_ms;
	double state_ms[HOST_STATE_COUNT];
	uint64_t state_changes;
	enum host_state state;
	double unfair_kib_s, fair_kib_s; /* memory in wrong hands, and all of it */
	int64_t judged_ms;
	uint64_t broken; /* promises broken: invariants that didn't hold */
};

void measure_begin(struct measure *measure, const struct sim_world *world,
	const struct guest_settings *settings);

/* Forget what was counted so far: the run has settled. Kills are kept. */
void measure_restart(struct measure *measure, struct sim_world *world);

/* So much time has passed, with the manager's word on the host's state. */
void measure_step(struct measure *measure, enum host_state state, int64_t ms);

struct metric {
	const char *name;
	enum word_type type; /* how its values are written */
	const char *unit;    /* for people */
	const char *help;
	double (*whole)(const struct measure *measure); /* NULL: no such thing */
	double (*guest)(const struct measure *measure, const struct sim_guest *guest);
};

extern const struct metric metrics[]; /* ends with a NULL name */
const struct metric *metric_find(const char *name);
