/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/show.h"
#include "momctl/text.h"
#include "momctl/top/draw.h"

#define LABEL_CELLS 9 /* before a line of figures */
#define SCALE_CELLS 6 /* before the graph */
#define EIGHTHS     8

static const char *size_of(
	const struct top_screen *screen, char text[SIZE_TEXT_MAX], struct top_kib figure)
{
	return top_screen_size(screen, text, figure);
}

static void put_line(const struct top_screen *screen, size_t row, const char *label,
	enum top_ink ink, const char *text)
{
	top_screen_put(screen, row, 0, LABEL_CELLS, TOP_INK_HEAD, label);
	top_screen_put(screen, row, LABEL_CELLS, screen->columns, ink, text);
}

static void draw_title(const struct top_screen *screen, const struct top_guest *guest)
{
	size_t column = top_screen_put(
		screen, 0, 0, screen->columns / 2, TOP_INK_CHOSEN, guest->name);
	top_screen_put(screen, 0, column, screen->columns, TOP_INK_PLAIN, " ");
	column = top_screen_put(screen, 0, column + 1, screen->columns,
		top_draw_state_ink(guest->state), guest->state);
	top_screen_print(screen, 0, column, (int)screen->columns, TOP_INK_DIM, ": %s",
		show_state_meaning(guest->state));
}

/* "used 311M, cache 40M": each with its cell of the bar. */
static size_t draw_parts(
	const struct top_screen *screen, size_t row, const struct top_guest *guest)
{
	const struct {
		enum top_part part;
		const char *name;
		struct top_kib figure;
	} parts[] = {
		{TOP_PART_USED, "used", guest->used},
		{TOP_PART_CACHE, "cache", top_guest_cache(guest)},
		{TOP_PART_UNUSED, "free", guest->unused},
		{TOP_PART_BALLOON, "balloon", top_guest_balloon(guest)},
	};
	char size[SIZE_TEXT_MAX];
	size_t column = LABEL_CELLS;
	top_screen_put(screen, row, 0, LABEL_CELLS, TOP_INK_HEAD, "Inside");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		top_screen_cells(screen, row, column, 2, parts[i].part);
		column = 2 + top_screen_print(screen, row, column + 2,
				     (int)screen->columns, TOP_INK_PLAIN, " %s %s",
				     parts[i].name,
				     size_of(screen, size, parts[i].figure));
	}
	top_screen_print(screen, row, column, (int)screen->columns, TOP_INK_DIM,
		"wants %s", size_of(screen, size, guest->demand));
	return row + 1;
}

static size_t draw_balloon(
	const struct top_screen *screen, size_t row, const struct top_guest *guest)
{
	char actual[SIZE_TEXT_MAX], max[SIZE_TEXT_MAX], target[SIZE_TEXT_MAX],
		min[SIZE_TEXT_MAX], limit[SIZE_TEXT_MAX];
	auto_free char *text = mem_printf(
		"%s of %s, target %s; never below %s, above %s; shares %" PRIu64,
		size_of(screen, actual, guest->actual), size_of(screen, max, guest->max),
		size_of(screen, target, guest->target), size_of(screen, min, guest->min),
		size_of(screen, limit, guest->limit), guest->shares);
	put_line(screen, row, "Balloon", TOP_INK_PLAIN, text);
	return row + 1;
}

static size_t draw_outside(
	const struct top_screen *screen, size_t row, const struct top_guest *guest)
{
	char cost[SIZE_TEXT_MAX], held[SIZE_TEXT_MAX], swap[SIZE_TEXT_MAX];
	auto_free char *text = mem_printf(
		"holds %s of the host, may cost it %s; %s of it "
		"in the host's swap",
		size_of(screen, held, guest->held), size_of(screen, cost, guest->cost),
		size_of(screen, swap, guest->swap));
	put_line(screen, row, "Outside", TOP_INK_PLAIN, text);
	return row + 1;
}

static size_t draw_distress(
	const struct top_screen *screen, size_t row, const struct top_guest *guest)
{
	char in[SIZE_TEXT_MAX], out[SIZE_TEXT_MAX];
	struct top_kib in_kib = {guest->swap_in.known, (uint64_t)guest->swap_in.per_s};
	struct top_kib out_kib = {guest->swap_out.known, (uint64_t)guest->swap_out.per_s};
	auto_free char *faults = guest->faults.known
					 ? mem_printf("%.0f", guest->faults.per_s)
					 : mem_dup("-");
	auto_free char *text =
		mem_printf("swaps in %s/s, out %s/s, %s faults/s from disk; "
			   "distress %.0f %%; statistics %s",
			size_of(screen, in, in_kib), size_of(screen, out, out_kib),
			faults, guest->distress * 100, guest->quality);
	put_line(screen, row, "Need",
		guest->distress >= 0.5 ? TOP_INK_BAD : TOP_INK_PLAIN, text);
	return row + 1;
}

static size_t draw_why(
	const struct top_screen *screen, size_t row, const struct top_guest *guest)
{
	auto_free char *age = show_seconds(guest->reason_age_s);
	auto_free char *text = *guest->reason
				       ? mem_printf("%s (%s ago)", guest->reason, age)
				       : mem_dup("nothing was decided yet");
	put_line(screen, row, "Why", TOP_INK_PLAIN, text);
	return row + 1;
}

/* ---- the graph ---- */

static const char *target_glyph(const struct top_screen *screen)
{
	return screen->utf8 ? "━" : "_";
}

struct graph {
	const struct top_screen *screen;
	size_t top, rows, left, columns;
	size_t steps; /* in a row */
};

static void draw_scale(const struct graph *graph, const struct top_guest *guest)
{
	char size[SIZE_TEXT_MAX];
	struct top_kib half = {guest->max.known, guest->max.kib / 2};
	top_screen_print(graph->screen, graph->top, 0, -SCALE_CELLS + 1, TOP_INK_DIM,
		"%s", size_of(graph->screen, size, guest->max));
	if (graph->rows >= 5)
		top_screen_print(graph->screen, graph->top + graph->rows / 2, 0,
			-SCALE_CELLS + 1, TOP_INK_DIM, "%s",
			size_of(graph->screen, size, half));
	top_screen_print(graph->screen, graph->top + graph->rows - 1, 0, -SCALE_CELLS + 1,
		TOP_INK_DIM, "0");
}

/* What the cell in row `up` from the bottom shows most of. */
static enum top_part part_at(const struct top_column *heights, size_t floor)
{
	if (heights->used > floor)
		return TOP_PART_USED;
	return heights->actual > floor ? TOP_PART_CACHE : TOP_PART_BALLOON;
}

static void draw_cell(const struct graph *graph, size_t column, size_t up,
	const struct top_column *heights)
{
	static const char *const eighths[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	size_t row = graph->top + graph->rows - 1 - up, floor = up * graph->steps;
	enum top_part part = part_at(heights, floor);
	if (part == TOP_PART_BALLOON)
		return;
	if (graph->steps == 1) {
		top_screen_cells(graph->screen, row, column, 1, part);
		return;
	}
	bool used = part == TOP_PART_USED;
	bool over = used && heights->actual >= floor + graph->steps;
	size_t full = (used ? heights->used : heights->actual) - floor;
	top_screen_put(graph->screen, row, column, 1,
		over ? TOP_INK_OVER : TOP_INK_PART + part,
		eighths[min_u64(full, EIGHTHS) - 1]);
}

/* Only where the balloon isn't there yet. */
static void draw_target(
	const struct graph *graph, size_t column, const struct top_column *heights)
{
	size_t floor = heights->target_row * graph->steps;
	enum top_part part = part_at(heights, floor);
	if (heights->moving)
		top_screen_put(graph->screen,
			graph->top + graph->rows - 1 - heights->target_row, column, 1,
			part == TOP_PART_USED    ? TOP_INK_LINE_USED
			: part == TOP_PART_CACHE ? TOP_INK_LINE_CACHE
						 : TOP_INK_LINE,
			target_glyph(graph->screen));
}

/* Gives when the oldest of them was. */
static double draw_columns(const struct graph *graph, const struct top_guest *guest,
	const struct top_tracks *tracks, const struct top_track *track)
{
	const struct top_moment *moment;
	double oldest = 0;
	for (size_t age = 0; (moment = top_track_at(track, age)); age++) {
		size_t back = top_track_back(tracks, track, age);
		if (back >= graph->columns)
			break;
		size_t column = graph->left + graph->columns - 1 - back;
		oldest = moment->at;
		struct top_column heights = top_track_column(
			moment, guest->max.kib, graph->rows, graph->steps);
		for (size_t up = 0; up < graph->rows; up++)
			draw_cell(graph, column, up, &heights);
		draw_target(graph, column, &heights);
	}
	return oldest;
}

static void draw_caption(const struct graph *graph, size_t row, double span_s)
{
	const struct top_screen *screen = graph->screen;
	auto_free char *span = show_seconds(span_s);
	size_t column = top_screen_print(screen, row, graph->left, (int)graph->columns,
		TOP_INK_DIM, "the last %s: ", span);
	top_screen_cells(screen, row, column, 2, TOP_PART_USED);
	column = top_screen_put(
		screen, row, column + 2, graph->columns, TOP_INK_DIM, " used  ");
	top_screen_cells(screen, row, column, 2, TOP_PART_CACHE);
	column = top_screen_put(screen, row, column + 2, graph->columns, TOP_INK_DIM,
		" left by its balloon  ");
	column = top_screen_put(
		screen, row, column, graph->columns, TOP_INK_LINE, target_glyph(screen));
	top_screen_put(screen, row, column, graph->columns, TOP_INK_DIM, " its target");
}

static void draw_graph(const struct top_screen *screen, const struct top_view *view,
	const struct top_guest *guest, size_t top, size_t bottom)
{
	const struct top_track *track = top_tracks_find(&view->tracks, guest->uuid);
	if (!track || bottom < top + 4 || screen->columns <= 2 * SCALE_CELLS)
		return;
	struct graph graph = {
		.screen = screen,
		.top = top,
		.rows = bottom - top - 1,
		.left = SCALE_CELLS,
		.columns = screen->columns - SCALE_CELLS,
		.steps = screen->utf8 && screen->colour ? EIGHTHS : 1,
	};
	draw_scale(&graph, guest);
	double oldest = draw_columns(&graph, guest, &view->tracks, track);
	draw_caption(&graph, bottom - 1, view->figures.at - oldest);
}

void top_draw_guest(const struct top_screen *screen, const struct top_view *view,
	size_t top, size_t bottom)
{
	const struct top_guest *guest = top_view_guest(view);
	if (!guest) {
		top_screen_put(screen, top, 0, screen->columns, TOP_INK_DIM,
			"the guest has gone");
		return;
	}
	draw_title(screen, guest);
	top_draw_bar(screen, 1, 0, screen->columns, guest);
	size_t row = draw_parts(screen, 3, guest);
	row = draw_balloon(screen, row, guest);
	row = draw_outside(screen, row, guest);
	row = draw_distress(screen, row, guest);
	row = draw_why(screen, row, guest);
	draw_graph(screen, view, guest, row + 1, bottom);
}
