/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was seen of each guest lately, for its graph: by momd's history, and since the view
 * began.
 */

#include "momctl/top/figures.h"

#define TOP_TRACK_MOMENTS 512

struct top_moment {
	double at; /* seconds since the epoch */
	struct top_kib used, actual, target;
};

struct top_track {
	char *uuid;
	struct top_moment moments[TOP_TRACK_MOMENTS]; /* ring */
	size_t next, count;
	uint64_t tick; /* when it was seen last */
};

struct json_object;

struct top_tracks {
	struct top_track *tracks;
	size_t count, capacity;
	uint64_t tick;
	double step_s; /* a moment's; 0: each tick is one */
};

/* Begin anew with an answer of the method "history"; one that reaches back no further than
 * a few steps changes nothing. */
void top_tracks_read(struct top_tracks *tracks, struct json_object *history);

/* Add a tick; who isn't in it is forgotten. */
void top_tracks_add(struct top_tracks *tracks, const struct top_figures *figures);
void top_tracks_done(struct top_tracks *tracks);

/* NULL where there is none of that guest. */
const struct top_track *top_tracks_find(
	const struct top_tracks *tracks, const char *uuid);

/* Moment number `age` counted back from the latest (0), or NULL past the oldest. */
const struct top_moment *top_track_at(const struct top_track *track, size_t age);

/* How many columns left of the latest moment that one stands. */
size_t top_track_back(
	const struct top_tracks *tracks, const struct top_track *track, size_t age);

/*
 * One column of a graph of `rows` rows, each of `steps` steps: how high what is used and
 * what the balloon leaves reach, and the row (from the bottom) of the target.
 */
struct top_column {
	size_t used, actual; /* steps */
	bool moving;         /* the balloon isn't there yet */
	size_t target_row;
};

struct top_column top_track_column(
	const struct top_moment *moment, uint64_t max_kib, size_t rows, size_t steps);
