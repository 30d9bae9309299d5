/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/track.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/json.h"
#include "momctl/text.h"

#define MOMENT_S    0.9 /* clocks and timers have their own view of a second */
#define STEP_MOST_S 60  /* with longer ones it would seem to stand still */
#define ROWS_LEAST  12  /* with fewer it is better to see each tick */

static struct top_track *find(const struct top_tracks *tracks, const char *uuid)
{
	for (size_t i = 0; i < tracks->count; i++)
		if (strcmp(tracks->tracks[i].uuid, uuid) == 0)
			return &tracks->tracks[i];
	return NULL;
}

static struct top_track *begin(struct top_tracks *tracks, const char *uuid)
{
	tracks->tracks = mem_grow(tracks->tracks, tracks->count, &tracks->capacity,
		sizeof(*tracks->tracks));
	struct top_track *track = &tracks->tracks[tracks->count++];
	*track = (struct top_track){.uuid = mem_dup(uuid)};
	return track;
}

static void forget_gone(struct top_tracks *tracks)
{
	size_t kept = 0;
	for (size_t i = 0; i < tracks->count; i++) {
		if (tracks->tracks[i].tick == tracks->tick)
			tracks->tracks[kept++] = tracks->tracks[i];
		else
			free(tracks->tracks[i].uuid);
	}
	tracks->count = kept;
}

static double step_of(const struct top_tracks *tracks, double at)
{
	return floor(at / tracks->step_s);
}

static bool is_one(const struct top_tracks *tracks, double before, double at)
{
	if (tracks->step_s > 0)
		return step_of(tracks, before) >= step_of(tracks, at);
	return at >= before && at - before < MOMENT_S;
}

/* Of ticks that come in haste the latest stands: a column is a second at least. */
static void put(const struct top_tracks *tracks, struct top_track *track,
	const struct top_moment *moment)
{
	size_t latest = (track->next + TOP_TRACK_MOMENTS - 1) % TOP_TRACK_MOMENTS;
	if (track->count && is_one(tracks, track->moments[latest].at, moment->at)) {
		track->moments[latest].used = moment->used;
		track->moments[latest].actual = moment->actual;
		track->moments[latest].target = moment->target;
		return;
	}
	track->moments[track->next] = *moment;
	track->next = (track->next + 1) % TOP_TRACK_MOMENTS;
	if (track->count < TOP_TRACK_MOMENTS)
		track->count++;
}

void top_tracks_add(struct top_tracks *tracks, const struct top_figures *figures)
{
	tracks->tick++;
	for (size_t i = 0; i < figures->guest_count; i++) {
		const struct top_guest *guest = &figures->guests[i];
		struct top_track *track = find(tracks, guest->uuid);
		if (!track)
			track = begin(tracks, guest->uuid);
		track->tick = tracks->tick;
		put(tracks, track,
			&(const struct top_moment){
				figures->at, guest->used, guest->actual, guest->target});
	}
	forget_gone(tracks);
}

/* ---- what was before ---- */

static size_t column_of(struct json_object *names, const char *name)
{
	size_t count = json_count(names);
	for (size_t i = 0; i < count; i++) {
		const char *one =
			json_object_get_string(json_object_array_get_idx(names, i));
		if (one && strcmp(one, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

static struct top_kib kib_at(struct json_object *row, size_t column)
{
	if (column >= json_count(row))
		return (struct top_kib){0};
	struct json_object *value = json_object_array_get_idx(row, column);
	double kib = json_object_get_double(value);
	bool known = value && kib >= 0 && kib < (double)INT64_MAX;
	return (struct top_kib){known, known ? (uint64_t)kib : 0};
}

static void read_guest(
	struct top_tracks *tracks, struct json_object *names, struct json_object *guest)
{
	auto_free char *uuid = text_clean(json_get_text(guest, "uuid"));
	struct json_object *rows = json_get(guest, "rows");
	size_t used = column_of(names, "used_kib"),
	       actual = column_of(names, "actual_kib"),
	       target = column_of(names, "target_kib"), count = json_count(rows);
	if (find(tracks, uuid))
		return;
	struct top_track *track = begin(tracks, uuid);
	for (size_t i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct top_kib at = kib_at(row, column_of(names, "at"));
		put(tracks, track,
			&(const struct top_moment){(double)at.kib, kib_at(row, used),
				kib_at(row, actual), kib_at(row, target)});
	}
}

static bool reaches_back(struct json_object *guests)
{
	for (size_t i = json_count(guests); i-- > 0;)
		if (json_count(json_get(json_object_array_get_idx(guests, i), "rows")) >=
			ROWS_LEAST)
			return true;
	return false;
}

void top_tracks_read(struct top_tracks *tracks, struct json_object *history)
{
	struct json_object *guests = json_get(history, "guests");
	struct json_object *names = json_get(json_get(history, "columns"), "guest");
	double step_s;
	if (!json_get_number(history, "step_s", &step_s) || step_s < 1 ||
		step_s > STEP_MOST_S || !reaches_back(guests))
		return;
	top_tracks_done(tracks);
	tracks->step_s = step_s;
	for (size_t i = 0; i < json_count(guests); i++)
		read_guest(tracks, names, json_object_array_get_idx(guests, i));
}

void top_tracks_done(struct top_tracks *tracks)
{
	for (size_t i = 0; i < tracks->count; i++)
		free(tracks->tracks[i].uuid);
	free(tracks->tracks);
	*tracks = (struct top_tracks){0};
}

const struct top_track *top_tracks_find(const struct top_tracks *tracks, const char *uuid)
{
	return find(tracks, uuid);
}

const struct top_moment *top_track_at(const struct top_track *track, size_t age)
{
	if (age >= track->count)
		return NULL;
	size_t at = (track->next + TOP_TRACK_MOMENTS - 1 - age) % TOP_TRACK_MOMENTS;
	return &track->moments[at];
}

size_t top_track_back(
	const struct top_tracks *tracks, const struct top_track *track, size_t age)
{
	if (tracks->step_s <= 0)
		return age;
	return (size_t)(step_of(tracks, top_track_at(track, 0)->at) -
			step_of(tracks, top_track_at(track, age)->at));
}

static size_t height(const struct top_kib *figure, uint64_t max_kib, size_t steps)
{
	if (!figure->known || !max_kib)
		return 0;
	double part = (double)min_u64(figure->kib, max_kib) / (double)max_kib;
	return (size_t)(part * (double)steps + 0.5);
}

struct top_column top_track_column(
	const struct top_moment *moment, uint64_t max_kib, size_t rows, size_t steps)
{
	struct top_column column = {
		.used = height(&moment->used, max_kib, rows * steps),
		.actual = height(&moment->actual, max_kib, rows * steps),
		.moving = top_course(
			moment->actual, moment->target, (struct top_kib){true, max_kib}),
	};
	size_t row = height(&moment->target, max_kib, rows);
	column.target_row = row ? row - 1 : 0;
	return column;
}
