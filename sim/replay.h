/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A recording decided again by the engine, tick by tick: what it would have ordered, with
 * the settings and policies of then or with others. The recorded world doesn't react to
 * what is decided here, so each tick is decided from what was recorded, with the recorded
 * orders under way; what is asked is "and what now?", each time anew.
 */

#include "mom/config.h"
#include "mom/err.h"
#include "mom/model.h"

#define REPLAY_EPISODES_MOST 1000 /* kept; the others are counted */

struct replay_terms {
	char **policies; /* in place of those recorded; names or paths */
	size_t policy_count;
	const char *shipped; /* where named ones are */
	char **sets;         /* "KEY=VALUE", "tunable.NAME=…", "GUEST:KEY=…" */
	size_t set_count;
	bool draw; /* keep what a plot needs */
};

/* One side of a decision. */
struct replay_side {
	bool ordered;
	uint64_t target_kib; /* the order's, or the one that stands */
	char policy[64];
	char reason[REASON_MAX];
};

/* Ticks in a row in which one guest (or a knob of the host) was decided otherwise. */
struct replay_episode {
	char name[GUEST_NAME_MAX];
	bool knob;
	int64_t at_ms, clock_ms; /* the first of them: from the beginning on, and when */
	uint64_t ticks;
	struct replay_side recorded, now;
};

struct replay_guest {
	char uuid[UUID_TEXT_MAX], name[GUEST_NAME_MAX];
	uint64_t alike, other;
	uint64_t other_words;           /* of the alike: decided so for another reason */
	uint64_t other_facts;           /* of the alike: by other figures */
	uint64_t recorded_kib, now_kib; /* moved by the orders of both */
	uint64_t recorded_target_kib, now_target_kib; /* where those stand */
	bool seen;
	uint64_t biggest_kib; /* difference of targets */
	struct replay_episode biggest;
	size_t open; /* its episode that goes on, + 1; 0 none */
};

/* A guest's targets at a moment, for a plot. */
struct replay_point {
	int64_t at_ms;
	size_t guest;
	uint64_t used_kib, recorded_kib, now_kib;
};

struct replay_result {
	char *path, *version;
	uint64_t ticks, undecided; /* compared; and those without a state to build on */
	uint64_t gaps, missed;
	bool cut;
	int64_t began_ms, ended_ms; /* since the epoch: the first and the last of them */
	char *recorded_policies, *policies; /* "a, b", of the latest state */
	uint64_t alike, other, other_words, other_facts;
	uint64_t knobs_other;
	uint64_t recorded_kib, now_kib;
	struct replay_guest *guests;
	size_t guest_count, guest_capacity;
	size_t knob_open[HOST_KNOB_COUNT]; /* as of a guest */
	struct replay_episode *episodes;
	size_t episode_count, episode_capacity;
	uint64_t episodes_dropped;
	struct replay_point *points;
	size_t point_count, point_capacity;
};

/*
 * Decide it again.
 *
 * Errors: as recording_open() and recording_next(); -EBADMSG "FILE:LINE: …" what can't
 *         be; a policy or a setting that can't be read. `result` is zeroed then.
 */
int replay_play(const char *path, const struct replay_terms *terms,
	struct replay_result *result, struct err *err);
void replay_done(struct replay_result *result);
