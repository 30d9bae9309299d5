/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/mem.h"
#include "mom/svg.h"
#include "mom/units.h"
#include "sim/replay_report.h"

#define HEIGHT      90
#define GAP         18
#define TOP         34
#define MOST_GUESTS 60
#define MOST_POINTS 2000 /* of a line */

/* One guest's part of the points, in their order, thinned out. */
struct track {
	const struct replay_point **points;
	size_t count;
	uint64_t (*kib)(const struct replay_point *point); /* which line is drawn */
};

static uint64_t used(const struct replay_point *point)
{
	return point->used_kib;
}

static uint64_t recorded(const struct replay_point *point)
{
	return point->recorded_kib;
}

static uint64_t now(const struct replay_point *point)
{
	return point->now_kib;
}

static struct track track_of(const struct replay_result *result, size_t guest)
{
	struct track track = {
		.points = mem_array(result->point_count, sizeof(*track.points))};
	size_t every = result->point_count / MOST_POINTS / 4 + 1;
	for (size_t i = 0, n = 0; i < result->point_count; i++)
		if (result->points[i].guest == guest && n++ % every == 0)
			track.points[track.count++] = &result->points[i];
	return track;
}

/* Targets hold until the next one, so they are steps: a corner before each point. */
static bool step_at(const void *context, size_t index, double *at, double *value)
{
	const struct track *track = context;
	*at = (double)track->points[(index + 1) / 2]->at_ms;
	*value = (double)track->kib(track->points[index / 2]);
	return true;
}

static double most_of(const struct track *track)
{
	uint64_t most = 1;
	for (size_t i = 0; i < track->count; i++)
		most = max_u64(most, max_u64(used(track->points[i]),
					     max_u64(recorded(track->points[i]),
						     now(track->points[i]))));
	return (double)most;
}

static void draw_guest(struct svg *svg, const struct replay_result *result, size_t guest)
{
	static const struct {
		const char *class;
		uint64_t (*kib)(const struct replay_point *point);
	} lines[] = {{"need", used}, {"actual", recorded}, {"now", now}};
	struct track track = track_of(result, guest);
	char size[SIZE_TEXT_MAX];
	double most = most_of(&track);
	svg_panel(svg, HEIGHT, most, units_format_size(size, (uint64_t)most),
		result->guests[guest].name);
	for (size_t i = 0; i < ARRAY_SIZE(lines) && track.count; i++) {
		track.kib = lines[i].kib;
		svg_line(svg, lines[i].class, 2 * track.count - 1, step_at, &track);
	}
	svg_next(svg, GAP);
	free(track.points);
}

void replay_draw(FILE *out, const struct replay_result *result)
{
	size_t guests = min_u64(result->guest_count, MOST_GUESTS);
	double bottom = TOP + (double)guests * (HEIGHT + GAP);
	int64_t length_ms = result->ended_ms - result->began_ms;
	char time[DURATION_TEXT_MAX];
	auto_free char *title = mem_printf(
		"targets as recorded (blue, %s) and as decided now (red, %s), and memory "
		"in use (green)",
		result->recorded_policies ? result->recorded_policies : "",
		result->policies ? result->policies : "");
	struct svg svg = {.out = out, .to = (double)length_ms, .top = TOP};
	svg_begin(&svg, bottom + 20, title);
	for (size_t guest = 0; guest < guests; guest++)
		draw_guest(&svg, result, guest);
	svg_time(&svg, 0, bottom + 6, "0");
	svg_time(&svg, 1, bottom + 6,
		units_format_duration(time, length_ms > 0 ? (uint64_t)length_ms : 0));
	svg_end(&svg);
}
