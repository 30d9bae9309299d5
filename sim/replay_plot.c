/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/replay_report.h"

#define LEFT        110
#define WIDTH       900
#define HEIGHT      90
#define GAP         18
#define TOP         34
#define MOST_GUESTS 60
#define MOST_POINTS 2000 /* of a line */

struct panel {
	FILE *out;
	const struct replay_result *result;
	size_t guest;
	double top, most, length_ms;
};

static void put_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
	for (; *text; text++) {
		if (*text == '<' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
	}
	fprintf(out, "</text>\n");
}

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

/* Targets hold until the next one, so they are steps. */
static void draw_line(const struct panel *panel,
	uint64_t (*value)(const struct replay_point *point), const char *class)
{
	size_t every = panel->result->point_count / MOST_POINTS / 4 + 1;
	double last_y = -1;
	fprintf(panel->out, "<polyline class=\"%s\" points=\"", class);
	for (size_t i = 0, n = 0; i < panel->result->point_count; i++) {
		const struct replay_point *point = &panel->result->points[i];
		if (point->guest != panel->guest || n++ % every)
			continue;
		double x = LEFT + WIDTH * (double)point->at_ms / panel->length_ms;
		double y =
			panel->top + HEIGHT - HEIGHT * (double)value(point) / panel->most;
		if (last_y >= 0)
			fprintf(panel->out, "%.1f,%.1f ", x, last_y);
		fprintf(panel->out, "%.1f,%.1f ", x, y);
		last_y = y;
	}
	fprintf(panel->out, "\"/>\n");
}

static double most_of(const struct replay_result *result, size_t guest)
{
	uint64_t most = 1;
	for (size_t i = 0; i < result->point_count; i++) {
		const struct replay_point *point = &result->points[i];
		if (point->guest == guest)
			most = max_u64(most,
				max_u64(point->used_kib,
					max_u64(point->recorded_kib, point->now_kib)));
	}
	return (double)most;
}

static void draw_guest(struct panel *panel)
{
	char size[SIZE_TEXT_MAX];
	panel->most = most_of(panel->result, panel->guest);
	fprintf(panel->out,
		"<rect class=\"frame\" x=\"%d\" y=\"%.0f\" width=\"%d\" "
		"height=\"%d\"/>\n",
		LEFT, panel->top, WIDTH, HEIGHT);
	put_text(panel->out, LEFT - 6, panel->top + 12, "end",
		units_format_size(size, (uint64_t)panel->most));
	put_text(panel->out, LEFT - 6, panel->top + HEIGHT / 2 + 6, "end",
		panel->result->guests[panel->guest].name);
	put_text(panel->out, LEFT - 6, panel->top + HEIGHT, "end", "0");
	draw_line(panel, used, "used");
	draw_line(panel, recorded, "recorded");
	draw_line(panel, now, "now");
}

void replay_draw(FILE *out, const struct replay_result *result)
{
	size_t guests = min_u64(result->guest_count, MOST_GUESTS);
	double bottom = TOP + (double)guests * (HEIGHT + GAP);
	int64_t length_ms = result->ended_ms - result->began_ms;
	char time[DURATION_TEXT_MAX];
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\">\n"
		"<style>text{font:11px sans-serif}polyline{fill:none;stroke-width:1.3}"
		".frame{fill:none;stroke:#bbb}.used{stroke:#2a8a2a}"
		".recorded{stroke:#1f5fa8}.now{stroke:#c02020;stroke-dasharray:4 2}"
		"</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		LEFT + WIDTH + 30, bottom + 20);
	auto_free char *title = mem_printf(
		"targets as recorded (blue, %s) and as decided now (red, %s), and memory "
		"in use (green)",
		result->recorded_policies ? result->recorded_policies : "",
		result->policies ? result->policies : "");
	put_text(out, LEFT, 18, "start", title);
	struct panel panel = {
		.out = out,
		.result = result,
		.top = TOP,
		.length_ms = length_ms > 0 ? (double)length_ms : 1,
	};
	for (panel.guest = 0; panel.guest < guests; panel.guest++) {
		draw_guest(&panel);
		panel.top += HEIGHT + GAP;
	}
	put_text(out, LEFT, bottom + 6, "middle", "0");
	put_text(out, LEFT + WIDTH, bottom + 6, "middle",
		units_format_duration(time, length_ms > 0 ? (uint64_t)length_ms : 0));
	fprintf(out, "</svg>\n");
}
