/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon saw and decided, so that it can be decided again: one tick with all
 * that went into it and what came out, and what the engine keeps in mind between ticks.
 * As JSON; doc/recording.md describes it for others.
 *
 * Units:  as in mom/model.h: KiB, monotonic milliseconds, parts of a whole 0..1. What
 *         stands behind a kind's name in the JSON of a file is written and read here.
 */

#include "mom/err.h"
#include "mom/estimate.h"
#include "mom/follow.h"
#include "mom/hypervisor.h"
#include "mom/model.h"

struct json_object;
struct policy_vars;

/* ---- what is in force ---- */

struct recorded_policy {
	char *name, *text;
	bool shadow;
};

struct recorded_pair {
	char uuid[UUID_TEXT_MAX]; /* "" of a tunable */
	char key[64], value[64];
};

struct recorded_reservation {
	uint32_t number;
	char name[GUEST_NAME_MAX], pool[CGROUP_PATH_MAX];
	uint64_t size_kib;
	int64_t expires_ms;
	int known_id;
};

/* Settings, policies, and what an administrator said while the daemon ran. */
struct recorded_setup {
	char *config; /* as momd.conf has it */
	bool dry_run, paused;
	struct recorded_policy *policies;
	size_t policy_count;
	struct recorded_pair *tunables; /* set while running */
	size_t tunable_count;
	struct recorded_pair *live; /* settings of guests */
	size_t live_count;
	char (*paused_guests)[UUID_TEXT_MAX];
	size_t paused_count;
	struct recorded_reservation *reservations; /* the oldest first */
	size_t reservation_count;
};

/* ---- one tick ---- */

struct recorded_decision {
	enum guest_state state;
	enum host_state host_state;
	bool has_used, has_wish, has_order;
	uint64_t used_kib, demand_kib, cost_kib, actual_kib;
	uint64_t wish_kib;
	uint64_t target_kib; /* the order, or the one that stands */
	char policy[64];
	char because[REASON_MAX];
	char guard[REASON_MAX];
};

/* One guest: what was collected and estimated, and what was decided. */
struct recorded_guest {
	struct guest_facts facts;     /* as collected */
	struct guest_sample estimate; /* of which what was estimated counts */
	bool decided;                 /* nothing is, without a connection */
	struct recorded_decision decision;
};

struct recorded_tick {
	uint64_t number;
	int64_t now_ms, clock_ms; /* monotonic, and since the epoch */
	bool connected;
	bool sent;                       /* the orders left; false in a dry run */
	struct recorded_setup *setup;    /* NULL: as it was */
	struct hypervisor_event *events; /* since the tick before, in their order */
	size_t event_count;
	struct host_sample host;
	uint64_t swap_in_pages, swap_out_pages; /* counters */
	struct pool_facts *pools;
	size_t pool_count;
	struct recorded_guest *guests;
	size_t guest_count;
	struct order *orders;
	size_t order_count;
	struct host_wish knobs[HOST_KNOB_COUNT];
};

/* ---- between ticks ---- */

struct recorded_mind {
	char uuid[UUID_TEXT_MAX], name[GUEST_NAME_MAX];
	struct guest_track track;
	struct balloon_track balloon;
	struct guest_history history;
	int64_t history_ms;
	struct policy_vars *vars;
};

struct recorded_pool {
	char path[CGROUP_PATH_MAX]; /* "" the host, the first */
	struct host_track track;
	struct host_history history;
	int64_t history_ms;
	bool exhausted;
	struct policy_vars *vars;
};

struct recorded_swapping {
	bool seen;
	int64_t since_ms;
	uint64_t since_in_pages, since_out_pages;
	uint64_t in_pages, out_pages;
	double in_per_s, out_per_s;
};

/* What the engine keeps in mind after a tick. */
struct recorded_state {
	uint64_t number; /* of that tick */
	int64_t now_ms, clock_ms, moved_ms;
	uint64_t events; /* of those that the next tick will tell, taken in already */
	bool connected;
	bool unmet; /* what is reserved wasn't all there */
	struct recorded_setup setup;
	struct recorded_swapping swapping;
	struct recorded_pool *pools;
	size_t pool_count;
	struct recorded_mind *guests;
	size_t guest_count;
};

/* New objects. */
struct json_object *recorded_setup_write(const struct recorded_setup *setup);
struct json_object *recorded_tick_write(const struct recorded_tick *tick);
struct json_object *recorded_state_write(const struct recorded_state *state);

/*
 * Errors: -EBADMSG what is wrong, and where in the object. Nothing is owned then; on
 *         success the `…_done()` is needed.
 */
int recorded_tick_read(
	struct recorded_tick *tick, struct json_object *json, struct err *err);
int recorded_state_read(
	struct recorded_state *state, struct json_object *json, struct err *err);

void recorded_setup_done(struct recorded_setup *setup);
void recorded_tick_done(struct recorded_tick *tick);
void recorded_state_done(struct recorded_state *state);
