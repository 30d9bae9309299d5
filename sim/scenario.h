/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is played: a host, its guests and their courses, what happens to them, and what is
 * expected of a manager. Read from a short text file; doc/simulator.md has its words.
 */

#include "mom/err.h"
#include "sim/world.h"

struct scenario_guest {
	char name[GUEST_NAME_MAX];
	struct guest_make make;
	int64_t start_ms;
	size_t work; /* index; 0 is the idle one */
	int64_t shift_ms;
};

/* "set KEY VALUE", and a guest's settings. */
struct scenario_setting {
	char *match; /* the guest, or NULL: a setting of the daemon's */
	char *key, *value, *where;
};

struct scenario_deed {
	char *match;   /* guests, NULL for the host */
	unsigned line; /* where it stands */
	struct world_event event;
};

enum expect_relation { EXPECT_LESS, EXPECT_MORE, EXPECT_EQUAL };

struct expectation {
	char *metric, *guest; /* guest: NULL for all together */
	enum expect_relation relation;
	double value, tolerance;
	int64_t at_ms;  /* -1: at the end */
	char *managers; /* "a,b", or NULL for all */
	char *text;     /* the line as written */
	unsigned line;
};

struct scenario {
	char *path, *title;
	int64_t length_ms, step_ms;
	uint64_t seed;
	int64_t settle_ms; /* what happens before isn't measured */
	int64_t peers_ms;  /* other managers look and decide so often; 0: as at home */
	struct host_make host;
	struct scenario_guest *guests;
	size_t guest_count, guest_capacity;
	struct work **works;
	size_t work_count, work_capacity;
	struct scenario_setting *settings;
	size_t setting_count, setting_capacity;
	struct scenario_deed *deeds;
	size_t deed_count, deed_capacity;
	struct expectation *expectations;
	size_t expectation_count, expectation_capacity;
};

/*
 * Read a scenario.
 *
 * Errors: any of reading a file; -EINVAL "file:line: what is wrong".
 */
int scenario_load(struct scenario *scenario, const char *path, struct err *err);

/* The same from a text in memory; `path` is what messages call it. */
int scenario_parse(
	struct scenario *scenario, const char *path, const char *text, struct err *err);

/* What was recorded, as a scenario: sim/recorded.h. Errors: the same. */
int scenario_recorded(struct scenario *scenario, const char *path, struct err *err);

/* Machines of a trace, `terms` says how many and how: sim/trace.h. Errors: the same. */
struct scenario_trace {
	const char *file;
	uint64_t vms, pick, host_kib;
	int64_t length_ms, tick_ms;
};
int scenario_traced(
	struct scenario *scenario, const struct scenario_trace *terms, struct err *err);
void scenario_done(struct scenario *scenario);

/* A fresh world of it, with its guests off and all that will happen. */
void scenario_build(
	const struct scenario *scenario, uint64_t seed, struct sim_world *world);

struct work *scenario_add_work(struct scenario *scenario);
struct scenario_guest *scenario_add_guest(struct scenario *scenario);
void scenario_add_setting(struct scenario *scenario, const char *match, const char *key,
	const char *value, const char *where);
