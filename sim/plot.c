/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/plot.h"

#include <math.h>

#include "mom/mem.h"
#include "mom/units.h"

#define LEFT        110
#define WIDTH       900
#define HOST_HEIGHT 180
#define HEIGHT      70
#define GAP         14
#define MOST_GUESTS 60
#define TICKS       8

struct panel {
	FILE *out;
	const struct record *record;
	double top, height, most;
	int64_t length_ms;
};

/* What is drawn of one moment. */
typedef double (*value_fn)(const struct record *record, size_t moment, size_t guest);

static double host_used(const struct record *record, size_t moment, size_t guest)
{
	(void)guest;
	return record->moments[moment].used_kib;
}

static double host_cache(const struct record *record, size_t moment, size_t guest)
{
	return host_used(record, moment, guest) + record->moments[moment].cache_kib;
}

static double host_swapped(const struct record *record, size_t moment, size_t guest)
{
	(void)guest;
	return record->moments[moment].swapped_kib;
}

static const struct record_guest *at(
	const struct record *record, size_t moment, size_t guest)
{
	return &record->guests[moment * record->guest_count + guest];
}

static double actual(const struct record *record, size_t moment, size_t guest)
{
	return at(record, moment, guest)->actual_kib;
}

static double need(const struct record *record, size_t moment, size_t guest)
{
	return at(record, moment, guest)->need_kib;
}

static double rss(const struct record *record, size_t moment, size_t guest)
{
	return at(record, moment, guest)->rss_kib;
}

static double swapped(const struct record *record, size_t moment, size_t guest)
{
	return at(record, moment, guest)->swapped_kib;
}

static void put_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
	for (; *text; text++) {
		if (*text == '<' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	}
	fprintf(out, "</text>\n");
}

static double x_of(const struct panel *panel, size_t moment)
{
	return LEFT + WIDTH * (double)panel->record->moments[moment].at_ms /
			      (double)panel->length_ms;
}

static void draw_line(
	const struct panel *panel, value_fn value, size_t guest, const char *class)
{
	fprintf(panel->out, "<polyline class=\"%s\" points=\"", class);
	for (size_t i = 0; i < panel->record->count; i++) {
		double part = value(panel->record, i, guest) / panel->most;
		fprintf(panel->out, "%.1f,%.1f ", x_of(panel, i),
			panel->top + panel->height * (1 - fmin(part, 1)));
	}
	fprintf(panel->out, "\"/>\n");
}

static void draw_frame(const struct panel *panel, const char *name)
{
	char size[SIZE_TEXT_MAX];
	fprintf(panel->out,
		"<rect class=\"frame\" x=\"%d\" y=\"%.0f\" width=\"%d\" "
		"height=\"%.0f\"/>\n",
		LEFT, panel->top, WIDTH, panel->height);
	put_text(panel->out, LEFT - 6, panel->top + 12, "end",
		units_format_size(size, (uint64_t)panel->most));
	put_text(panel->out, LEFT - 6, panel->top + panel->height / 2 + 6, "end", name);
	put_text(panel->out, LEFT - 6, panel->top + panel->height, "end", "0");
}

/* The host's state as a band under its curves. */
static void draw_states(const struct panel *panel)
{
	for (size_t i = 0; i + 1 < panel->record->count; i++) {
		double x = x_of(panel, i);
		fprintf(panel->out,
			"<rect class=\"%s\" x=\"%.1f\" y=\"%.0f\" width=\"%.2f\" "
			"height=\"6\"/>\n",
			host_state_name(panel->record->moments[i].state), x,
			panel->top + panel->height + 2, x_of(panel, i + 1) - x + 0.2);
	}
}

static void draw_times(const struct panel *panel, double bottom)
{
	for (int i = 0; i <= TICKS; i++) {
		char text[DURATION_TEXT_MAX];
		double part = (double)i / TICKS;
		units_format_duration(text, (uint64_t)(part * (double)panel->length_ms));
		put_text(panel->out, LEFT + WIDTH * part, bottom, "middle", text);
	}
}

static void draw_guest(struct panel *panel, const struct sim_guest *guest, size_t index)
{
	panel->most = (double)guest->make.max_kib;
	draw_frame(panel, guest->name);
	draw_line(panel, rss, index, "rss");
	draw_line(panel, actual, index, "actual");
	draw_line(panel, need, index, "need");
	draw_line(panel, swapped, index, "swapped");
	panel->top += HEIGHT + GAP;
}

static const char style[] =
	"<style>text{font:11px sans-serif}polyline{fill:none;stroke-width:1.2}"
	".frame{fill:none;stroke:#bbb}.used,.actual{stroke:#1f5fa8}"
	".cache{stroke:#bbb}.need{stroke:#2a8a2a}.rss{stroke:#c9a227}"
	".swapped{stroke:#c02020}.roomy{fill:#cfe8cf}.snug{fill:#f2e6b0}"
	".tight{fill:#f0b070}.critical{fill:#d05050}.exhausted{fill:#702020}"
	"</style>\n";

void plot_draw(
	FILE *out, const struct scenario *scenario, const struct run_result *result)
{
	size_t guests = min_u64(result->world.count, MOST_GUESTS);
	double bottom = 40 + HOST_HEIGHT + 2 * GAP + (double)guests * (HEIGHT + GAP);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\">\n%s"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		LEFT + WIDTH + 30, bottom + 20, style);
	auto_free char *title = mem_printf(
		"%s, by %s: memory left by the balloon (blue), needed (green), held by "
		"QEMU (yellow), swapped (red)",
		scenario->title, result->manager);
	put_text(out, LEFT, 18, "start", title);
	struct panel panel = {
		.out = out,
		.record = &result->record,
		.top = 30,
		.height = HOST_HEIGHT,
		.most = (double)result->world.make.memory_kib,
		.length_ms = scenario->length_ms,
	};
	draw_frame(&panel, "host");
	draw_states(&panel);
	draw_line(&panel, host_cache, 0, "cache");
	draw_line(&panel, host_used, 0, "used");
	draw_line(&panel, host_swapped, 0, "swapped");
	panel.top += HOST_HEIGHT + 2 * GAP;
	panel.height = HEIGHT;
	for (size_t i = 0; i < guests; i++)
		draw_guest(&panel, &result->world.guests[i], i);
	draw_times(&panel, bottom + 8);
	fprintf(out, "</svg>\n");
}
