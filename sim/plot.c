/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/plot.h"

#include "mom/mem.h"
#include "mom/svg.h"
#include "mom/units.h"

#define HOST_HEIGHT 180
#define HEIGHT      70
#define MOST_GUESTS 60
#define TICKS       8

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

/* One curve of a run. */
struct curve {
	const struct record *record;
	value_fn value;
	size_t guest;
};

static bool curve_point(const void *context, size_t index, double *at_ms, double *value)
{
	const struct curve *curve = context;
	*at_ms = (double)curve->record->moments[index].at_ms;
	*value = curve->value(curve->record, index, curve->guest);
	return true;
}

static void draw_line(struct svg *svg, const struct record *record, value_fn value,
	size_t guest, const char *class)
{
	const struct curve curve = {record, value, guest};
	svg_line(svg, class, record->count, curve_point, &curve);
}

/* The host's state as a band under its curves. */
static void draw_states(struct svg *svg, const struct record *record)
{
	const struct record_moment *moments = record->moments;
	for (size_t i = 0, end; i + 1 < record->count; i = end) {
		for (end = i + 1; end + 1 < record->count &&
				  moments[end].state == moments[i].state;)
			end++;
		svg_state(svg, (double)moments[i].at_ms, (double)moments[end].at_ms,
			host_state_name(moments[i].state));
	}
}

static void draw_times(struct svg *svg, double y)
{
	for (int i = 0; i <= TICKS; i++) {
		char text[DURATION_TEXT_MAX];
		double part = (double)i / TICKS;
		units_format_duration(text, (uint64_t)(part * svg->to));
		svg_time(svg, part, y, text);
	}
}

static void draw_host(struct svg *svg, const struct record *record, uint64_t memory_kib)
{
	char size[SIZE_TEXT_MAX];
	svg_panel(svg, HOST_HEIGHT, (double)memory_kib,
		units_format_size(size, memory_kib), "host");
	draw_states(svg, record);
	draw_line(svg, record, host_cache, 0, "cache");
	draw_line(svg, record, host_used, 0, "used");
	draw_line(svg, record, host_swapped, 0, "swapped");
	svg_next(svg, 2 * SVG_GAP);
}

static void draw_guest(struct svg *svg, const struct record *record,
	const struct sim_guest *guest, size_t index)
{
	char size[SIZE_TEXT_MAX];
	svg_panel(svg, HEIGHT, (double)guest->make.max_kib,
		units_format_size(size, guest->make.max_kib), guest->name);
	draw_line(svg, record, rss, index, "rss");
	draw_line(svg, record, actual, index, "actual");
	draw_line(svg, record, need, index, "need");
	draw_line(svg, record, swapped, index, "swapped");
	svg_next(svg, SVG_GAP);
}

void plot_draw(
	FILE *out, const struct scenario *scenario, const struct run_result *result)
{
	size_t guests = min_u64(result->world.count, MOST_GUESTS);
	double bottom =
		40 + HOST_HEIGHT + 2 * SVG_GAP + (double)guests * (HEIGHT + SVG_GAP);
	auto_free char *title = mem_printf(
		"%s, by %s: memory left by the balloon (blue), needed (green), held by "
		"QEMU (yellow), swapped (red)",
		scenario->title, result->manager);
	struct svg svg = {.out = out, .to = (double)scenario->length_ms};
	svg_begin(&svg, bottom + 20, title);
	draw_host(&svg, &result->record, result->world.make.memory_kib);
	for (size_t i = 0; i < guests; i++)
		draw_guest(&svg, &result->record, &result->world.guests[i], i);
	draw_times(&svg, bottom + 8);
	svg_end(&svg);
}
