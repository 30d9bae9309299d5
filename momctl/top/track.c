/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/track.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define MOMENT_S 0.9 /* clocks and timers have their own view of a second */

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

/* Of ticks that come in haste the latest stands: a column is a second at least. */
static void put(struct top_track *track, const struct top_moment *moment)
{
	size_t latest = (track->next + TOP_TRACK_MOMENTS - 1) % TOP_TRACK_MOMENTS;
	double since_s = moment->at - track->moments[latest].at;
	if (track->count && since_s >= 0 && since_s < MOMENT_S) {
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
		put(track, &(const struct top_moment){figures->at, guest->used,
				   guest->actual, guest->target});
	}
	forget_gone(tracks);
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
