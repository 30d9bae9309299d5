/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One scenario played by one manager, from begin to end. */

#include "sim/measure.h"
#include "sim/record.h"
#include "sim/scenario.h"

#define BROKEN_TOLD 8 /* broken promises that are told; the rest are counted */

struct run_terms {
	const char *manager;  /* a policy's name, "none", "static" or "oracle" */
	const char *policies; /* where shipped policies are */
	uint64_t seed;        /* 0: the scenario's */
	uint64_t host_kib;    /* 0: the scenario's */
	bool guarded; /* others' policies too run at momd's pace, with its guard */
	bool record;  /* keep what a plot needs */
};

struct run_verdict {
	const struct expectation *expectation;
	double value;
	bool judged, holds;
};

struct run_result {
	char *manager;
	uint64_t seed;
	struct guest_settings *settings;
	struct sim_world world; /* as it ended */
	struct measure measure;
	struct run_verdict *verdicts;
	size_t verdict_count;
	char *broken[BROKEN_TOLD];
	size_t broken_count;
	struct record record;
};

/*
 * Play it.
 *
 * Errors: a setting or a policy that can't be read.
 */
int run_play(const struct scenario *scenario, const struct run_terms *terms,
	struct run_result *result, struct err *err);
void run_done(struct run_result *result);
