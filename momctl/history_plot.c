/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <time.h>

#include "mom/mem.h"
#include "mom/svg.h"
#include "mom/units.h"
#include "momctl/history.h"
#include "momctl/json.h"

#define HOST_HEIGHT  180
#define GUEST_HEIGHT 90
#define ALONE_HEIGHT 240 /* one guest that was asked for */
#define MOST_GUESTS  60
#define TICKS        6
#define GAP_STEPS    2 /* without a row in so many steps nothing is known */

/* One column of one line. */
struct curve {
	const struct history_line *line;
	const char *column;
	double step_s;
};

/* A row stands for its step; a point that has no neighbour before it is still one. */
static bool curve_point(const void *context, size_t index, double *at_s, double *value)
{
	const struct curve *curve = context;
	double before_s;
	if (index % 2) /* between any two rows: what parts those that lie apart */
		return history_number(curve->line, index / 2, "at", &before_s) &&
		       history_number(curve->line, index / 2 + 1, "at", at_s) &&
		       *at_s - before_s <= GAP_STEPS * curve->step_s &&
		       history_number(curve->line, index / 2 + 1, curve->column, value);
	return history_number(curve->line, index / 2, "at", at_s) &&
	       history_number(curve->line, index / 2, curve->column, value);
}

static void draw_line(struct svg *svg, const struct history_line *line, double step_s,
	const char *column, const char *class)
{
	const struct curve curve = {line, column, step_s};
	size_t rows = json_count(line->rows);
	svg_line(svg, class, rows ? 2 * rows - 1 : 0, curve_point, &curve);
}

static double most_of(const struct history_line *line, const char *column)
{
	double most = 0, value;
	for (size_t i = 0; i < json_count(line->rows); i++)
		if (history_number(line, i, column, &value) && value > most)
			most = value;
	return most;
}

static void begin_panel(struct svg *svg, const struct history_line *line, double height,
	double most_kib, const char *name)
{
	char size[SIZE_TEXT_MAX];
	(void)line;
	svg_panel(
		svg, height, most_kib, units_format_size(size, (uint64_t)most_kib), name);
}

static void draw_states(struct svg *svg, const struct history_line *line, double step_s)
{
	double at_s;
	for (size_t i = 0; i < json_count(line->rows); i++)
		if (history_number(line, i, "at", &at_s))
			svg_state(
				svg, at_s, at_s + step_s, history_text(line, i, "state"));
}

static void draw_pool(struct svg *svg, const struct history_line *line, double step_s)
{
	double budget = most_of(line, "budget_kib"), cost = most_of(line, "cost_kib");
	begin_panel(svg, line, HOST_HEIGHT, budget > cost ? budget : cost, line->name);
	draw_states(svg, line, step_s);
	draw_line(svg, line, step_s, "budget_kib", "limit");
	draw_line(svg, line, step_s, "available_kib", "need");
	draw_line(svg, line, step_s, "cost_kib", "used");
	svg_next(svg, 2 * SVG_GAP);
}

static void draw_guest(
	struct svg *svg, const struct history_line *line, double step_s, double height)
{
	begin_panel(svg, line, height, most_of(line, "max_kib"), line->name);
	draw_line(svg, line, step_s, "rss_kib", "rss");
	draw_line(svg, line, step_s, "actual_kib", "actual");
	draw_line(svg, line, step_s, "used_kib", "need");
	draw_line(svg, line, step_s, "swap_kib", "swapped");
	svg_next(svg, SVG_GAP);
}

static void draw_times(struct svg *svg, double y)
{
	bool days = svg->to - svg->from > 2 * 86400;
	for (int i = 0; i <= TICKS; i++) {
		char text[64];
		struct tm tm;
		double part = (double)i / TICKS;
		time_t at = (time_t)(svg->from + part * (svg->to - svg->from));
		localtime_r(&at, &tm);
		if (days)
			strftime(text, sizeof(text), "%d %b %H:%M", &tm);
		else
			strftime(text, sizeof(text), "%H:%M:%S", &tm);
		svg_time(svg, part, y, text);
	}
}

static char *title_of(const struct svg *svg)
{
	char text[64];
	struct tm tm;
	time_t at = (time_t)svg->from;
	strftime(text, sizeof(text), "%d %B %Y, %H:%M", localtime_r(&at, &tm));
	return mem_printf(
		"%s. Host: budget (grey), cost of guests (blue), available (green). "
		"Guests: balloon (blue), used (green), QEMU (yellow), swapped (red)",
		text);
}

void history_plot(FILE *out, struct json_object *answer)
{
	struct svg svg = {.out = out};
	double step_s = 1;
	size_t pools = history_lines(answer, "pools");
	size_t guests = min_u64(history_lines(answer, "guests"), MOST_GUESTS);
	double height = guests == 1 ? ALONE_HEIGHT : GUEST_HEIGHT;
	double bottom = 40 + (double)pools * (HOST_HEIGHT + 2 * SVG_GAP) +
			(double)guests * (height + SVG_GAP);
	json_get_number(answer, "since", &svg.from);
	json_get_number(answer, "until", &svg.to);
	json_get_number(answer, "step_s", &step_s);
	auto_free char *title = title_of(&svg);
	svg_begin(&svg, bottom + 20, title);
	for (size_t i = 0; i < pools; i++) {
		struct history_line line = history_line(answer, "pools", i);
		draw_pool(&svg, &line, step_s);
	}
	for (size_t i = 0; i < guests; i++) {
		struct history_line line = history_line(answer, "guests", i);
		draw_guest(&svg, &line, step_s, height);
	}
	draw_times(&svg, bottom + 8);
	svg_end(&svg);
}
