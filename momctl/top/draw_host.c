/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mom/mem.h"
#include "momctl/show.h"
#include "momctl/text.h"
#include "momctl/top/draw.h"

#define LABEL_LEAST 3  /* cells; a shorter name says nothing */
#define SIZE_CELLS  8  /* behind the bar */
#define CLOCK_CELLS 20 /* "frozen at 15:14:03" */
#define ITEM_GAP    2

enum top_ink top_draw_state_ink(const char *state)
{
	static const enum top_ink inks[STYLE_COUNT] = {
		[STYLE_PLAIN] = TOP_INK_PLAIN,
		[STYLE_HEAD] = TOP_INK_HEAD,
		[STYLE_GOOD] = TOP_INK_GOOD,
		[STYLE_CARE] = TOP_INK_CARE,
		[STYLE_BAD] = TOP_INK_BAD,
	};
	return inks[show_state_style(state)];
}

void top_draw_time(char text[TOP_CLOCK_TEXT], double at)
{
	time_t seconds = (time_t)at;
	struct tm local;
	strftime(text, TOP_CLOCK_TEXT, "%H:%M:%S", localtime_r(&seconds, &local));
}

static void draw_clock(const struct top_screen *screen, const struct top_view *view)
{
	char text[TOP_CLOCK_TEXT];
	if (screen->columns < CLOCK_CELLS || view->figures.at <= 0)
		return;
	top_draw_time(text, view->figures.at);
	top_screen_print(screen, 0, screen->columns - CLOCK_CELLS, -CLOCK_CELLS,
		view->frozen ? TOP_INK_CARE : TOP_INK_DIM, "%s%s",
		view->frozen ? "frozen at " : "", text);
}

static void draw_state(
	const struct top_screen *screen, const struct top_view *view, const char *trouble)
{
	const char *state = view->figures.host.state;
	size_t room = screen->columns > CLOCK_CELLS ? screen->columns - CLOCK_CELLS : 0;
	if (trouble) {
		top_screen_print(screen, 0, 0, (int)room, TOP_INK_BAD, "%s", trouble);
		return;
	}
	size_t column = top_screen_put(screen, 0, 0, room, TOP_INK_HEAD, "Host ");
	column = top_screen_put(screen, 0, column, room, top_draw_state_ink(state),
		*state ? state : "unknown");
	if (column < room)
		top_screen_print(screen, 0, column, (int)(room - column), TOP_INK_DIM,
			": %s", show_state_meaning(state));
}

/* What the names of all guests begin with, up to a mark; it says nothing in a bar. */
static size_t common_prefix(const struct top_slice *slices, size_t count)
{
	size_t common = 0, kept = 0;
	if (count < 2 || !slices[0].name || !slices[1].name)
		return 0;
	for (const char *first = slices[0].name; first[common]; common++) {
		for (size_t i = 1; i < count && slices[i].name; i++)
			if (slices[i].name[common] != first[common])
				return kept;
		if (strchr("-_. ", first[common]))
			kept = common + 1;
	}
	return kept;
}

static void draw_name(const struct top_screen *screen, size_t row, size_t column,
	const struct top_slice *slice, size_t prefix)
{
	size_t first = screen->colour ? 0 : 1;
	if (!screen->colour)
		top_screen_put(screen, row, column, 1, TOP_INK_PLAIN, "|");
	if (slice->cells >= LABEL_LEAST + first)
		top_screen_put(screen, row, column + first, slice->cells - 1,
			TOP_INK_PART + slice->part, slice->name + prefix);
}

static void draw_bar(const struct top_screen *screen, size_t row,
	const struct top_slice *slices, size_t count)
{
	size_t prefix = common_prefix(slices, count), column = 0;
	for (size_t i = 0; i < count; i++) {
		const struct top_slice *slice = &slices[i];
		top_screen_cells(screen, row, column, slice->cells, slice->part);
		if (slice->name && slice->cells)
			draw_name(screen, row, column, slice, prefix);
		column += slice->cells;
	}
}

/* ---- what the cells are ---- */

struct flow {
	const struct top_screen *screen;
	size_t row, column;
};

/* "■ free 54M"; on the next row where this one is full. */
static void put_item(
	struct flow *flow, enum top_part part, const char *name, uint64_t kib)
{
	const struct top_screen *screen = flow->screen;
	char size[SIZE_TEXT_MAX];
	auto_free char *text = mem_printf(" %s %s", name,
		top_screen_size(screen, size, (struct top_kib){true, kib}));
	size_t width = text_width(text) + 2 + ITEM_GAP;
	if (flow->column && flow->column + width - ITEM_GAP > screen->columns) {
		flow->row++;
		flow->column = 0;
	}
	top_screen_cells(screen, flow->row, flow->column, 2, part);
	if (part == TOP_PART_GUEST)
		top_screen_cells(
			screen, flow->row, flow->column + 1, 1, TOP_PART_GUEST_NEXT);
	top_screen_put(screen, flow->row, flow->column + 2, width, TOP_INK_PLAIN, text);
	flow->column += width;
}

static uint64_t kib_of(const struct top_slice *slices, size_t count, enum top_part part)
{
	uint64_t kib = 0;
	for (size_t i = 0; i < count; i++)
		kib += slices[i].part == part ? slices[i].kib : 0;
	return kib;
}

static size_t draw_legend(const struct top_screen *screen, size_t row,
	const struct top_slice *slices, size_t count)
{
	static const struct {
		enum top_part part;
		const char *name;
	} items[] = {
		{TOP_PART_KSM, "KSM saves"},
		{TOP_PART_PROMISED, "they may take"},
		{TOP_PART_OTHER, "others"},
		{TOP_PART_CACHED, "cache"},
		{TOP_PART_FREE, "free"},
		{TOP_PART_RESERVE, "reserve"},
	};
	struct flow flow = {.screen = screen, .row = row};
	put_item(&flow, TOP_PART_GUEST, "guests hold",
		kib_of(slices, count, TOP_PART_GUEST) +
			kib_of(slices, count, TOP_PART_GUEST_NEXT));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		put_item(&flow, items[i].part, items[i].name,
			kib_of(slices, count, items[i].part));
	return flow.row + 1;
}

static size_t draw_memory(
	const struct top_screen *screen, size_t row, const struct top_figures *figures)
{
	char total[SIZE_TEXT_MAX];
	size_t width = screen->columns > SIZE_CELLS ? screen->columns - SIZE_CELLS : 1;
	auto_free struct top_slice *slices = mem_array(
		figures->guest_count + TOP_HOST_SLICES, sizeof(struct top_slice));
	size_t count = top_bar_host(figures, slices, width);
	if (!count) {
		top_screen_put(screen, row, 0, screen->columns, TOP_INK_CARE,
			"the host's memory isn't known; see \"momctl collectors\"");
		return row + 1;
	}
	draw_bar(screen, row, slices, count);
	top_screen_print(screen, row, width, -SIZE_CELLS, TOP_INK_HEAD, "%s",
		top_screen_size(screen, total, figures->host.total));
	return draw_legend(screen, row + 1, slices, count);
}

/* ---- how the host fares ---- */

static char *promise_text(const struct top_screen *screen, const struct top_figures *all)
{
	char promised[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];
	struct top_kib sum = {.known = true};
	for (size_t i = 0; i < all->guest_count; i++)
		sum.kib += all->guests[i].on_host ? all->guests[i].max.kib : 0;
	top_screen_size(screen, promised, sum);
	top_screen_size(screen, total, all->host.total);
	double ratio = all->host.total.known && all->host.total.kib
			       ? (double)sum.kib / (double)all->host.total.kib
			       : 0;
	return mem_printf("%zu guest%s of %s on %s: %.0f %%", all->guest_count,
		all->guest_count == 1 ? "" : "s", promised, total, ratio * 100);
}

static char *swap_text(const struct top_screen *screen, const struct top_host *host)
{
	char left[SIZE_TEXT_MAX], in[SIZE_TEXT_MAX], out[SIZE_TEXT_MAX];
	if (host->swap_total.known && !host->swap_total.kib)
		return mem_dup("no swap");
	struct top_kib in_kib = {host->swap_in.known, (uint64_t)host->swap_in.per_s};
	struct top_kib out_kib = {host->swap_out.known, (uint64_t)host->swap_out.per_s};
	return mem_printf("swap %s free, in %s/s, out %s/s",
		top_screen_size(screen, left, host->swap_free),
		top_screen_size(screen, in, in_kib),
		top_screen_size(screen, out, out_kib));
}

static char *pressure_text(const struct top_host *host)
{
	if (!host->psi_some.known || !host->psi_full.known)
		return mem_dup("pressure not known");
	return mem_printf("stalled %.1f %%, wholly %.1f %%", host->psi_some.per_s * 100,
		host->psi_full.per_s * 100);
}

static size_t draw_figures(
	const struct top_screen *screen, size_t row, const struct top_figures *figures)
{
	const struct top_host *host = &figures->host;
	auto_free char *promise = promise_text(screen, figures);
	auto_free char *pressure = pressure_text(host);
	auto_free char *swap = swap_text(screen, host);
	bool stalled = host->psi_full.known && host->psi_full.per_s > 0.1;
	size_t column = top_screen_print(
		screen, row, 0, (int)screen->columns, TOP_INK_PLAIN, "%s; ", promise);
	column = top_screen_put(screen, row, column, screen->columns,
		stalled ? TOP_INK_BAD : TOP_INK_PLAIN, pressure);
	top_screen_print(
		screen, row, column, (int)screen->columns, TOP_INK_PLAIN, "; %s", swap);
	top_screen_put(screen, row + 1, 0, screen->columns,
		figures->restrained ? TOP_INK_CARE : TOP_INK_DIM, figures->manager);
	top_screen_put(
		screen, row + 2, 0, screen->columns, TOP_INK_CARE, figures->warning);
	return row + 3;
}

size_t top_draw_host(
	const struct top_screen *screen, const struct top_view *view, const char *trouble)
{
	draw_clock(screen, view);
	draw_state(screen, view, trouble);
	size_t row = draw_memory(screen, 1, &view->figures);
	return draw_figures(screen, row, &view->figures);
}
