/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/show.h"
#include "momctl/text.h"
#include "momctl/top/draw.h"

#define NAME_LEAST  8
#define NAME_MOST   24
#define BAR_LEAST   12
#define BAR_MOST    40
#define WHY_LEAST   24
#define KIB_CELLS   9 /* of an exact size */
#define DROP_LAST   4
#define KEYED_LEAST 27 /* for the bar's title with a cell before each word */

/* The columns in the order of enum top_sort, and the reason behind them. */
enum { WHY = TOP_SORT_COUNT, COLUMNS };

struct layout {
	size_t widths[COLUMNS]; /* 0 left out */
};

static const struct {
	const char *title;
	bool right;
	size_t width;
	unsigned drop; /* 1 is left out first; 0 never */
} columns[COLUMNS] = {
	[TOP_BY_NAME] = {"NAME", false, 0, 0},
	[TOP_BY_STATE] = {"STATE", false, 9, 4},
	[TOP_BY_USED] = {"USED", false, BAR_LEAST, 0},
	[TOP_BY_ACTUAL] = {"ACTUAL", true, 6, 0},
	[TOP_BY_TARGET] = {"TARGET", true, 6, 0},
	[TOP_BY_SWAP] = {"SWAP/s", true, 6, 2},
	[TOP_BY_FAULTS] = {"FLT/s", true, 5, 3},
	[TOP_BY_SHARES] = {"SHARES", true, 6, 1},
	[WHY] = {"WHY", false, 0, 0},
};

static size_t total(const struct layout *layout)
{
	size_t sum = 0;
	for (size_t i = 0; i < COLUMNS; i++)
		sum += layout->widths[i] ? layout->widths[i] + 1 : 0;
	return sum - 1;
}

static size_t name_width(const struct top_view *view)
{
	size_t widest = NAME_LEAST;
	for (size_t i = 0; i < view->shown_count; i++)
		widest = max_u64(widest, text_width(view->shown[i]->name));
	return min_u64(widest, NAME_MOST);
}

static void leave_out(struct layout *layout, size_t room)
{
	for (unsigned drop = 1; drop <= DROP_LAST; drop++)
		for (size_t i = 0; i < WHY; i++)
			if (columns[i].drop == drop && total(layout) > room)
				layout->widths[i] = 0;
}

/* Give a column up to `most` of what is left. */
static void widen(size_t *width, size_t *room, size_t most)
{
	size_t more = min_u64(*room, most);
	*width += more;
	*room -= more;
}

/* Leave out what can be missed; of what is left names have half, then bars, then reasons.
 */
static struct layout lay_out(const struct top_screen *screen, const struct top_view *view)
{
	struct layout layout = {0};
	size_t *name = &layout.widths[TOP_BY_NAME], *bar = &layout.widths[TOP_BY_USED];
	for (size_t i = 0; i < WHY; i++)
		layout.widths[i] = columns[i].width;
	if (screen->output->kib)
		for (size_t i = TOP_BY_ACTUAL; i <= TOP_BY_SWAP; i++)
			layout.widths[i] = KIB_CELLS;
	*name = NAME_LEAST;
	leave_out(&layout, screen->columns);
	size_t room = sub_u64(screen->columns, total(&layout));
	widen(name, &room, min_u64(name_width(view) - NAME_LEAST, room / 2));
	size_t beside_why = room > WHY_LEAST ? (room - WHY_LEAST) / 2 + 8 : room;
	widen(bar, &room, min_u64(beside_why, BAR_MOST - BAR_LEAST));
	if (room > WHY_LEAST)
		layout.widths[WHY] = room - 1;
	else
		widen(bar, &room, room);
	return layout;
}

/* ---- one guest ---- */

void top_draw_bar(const struct top_screen *screen, size_t row, size_t column,
	size_t width, const struct top_guest *guest)
{
	struct top_slice slices[TOP_GUEST_SLICES];
	size_t count = top_bar_guest(guest, slices, width), at = column;
	for (size_t i = 0; i < count; i++) {
		top_screen_cells(screen, row, at, slices[i].cells, slices[i].part);
		at += slices[i].cells;
	}
	int course = top_course(guest->actual, guest->target, guest->max);
	size_t cell = top_bar_cell(guest, guest->target.kib, width);
	if (course)
		top_screen_put(screen, row, column + cell, 1, TOP_INK_HEAD,
			screen->utf8 ? course > 0 ? "▶" : "◀"
			: course > 0 ? ">"
				     : "<");
}

static void draw_target(const struct top_screen *screen, size_t row, size_t column,
	size_t width, const struct top_guest *guest)
{
	char size[SIZE_TEXT_MAX];
	int course = top_course(guest->actual, guest->target, guest->max);
	const char *arrows = screen->utf8 ? "↓↑" : "v^";
	int bytes = (int)strlen(arrows) / 2;
	top_screen_print(screen, row, column, -(int)width,
		course ? TOP_INK_HEAD : TOP_INK_DIM, "%.*s%s", course ? bytes : 0,
		arrows + (course > 0 ? bytes : 0),
		top_screen_size(screen, size, guest->target));
}

static void draw_rate(const struct top_screen *screen, size_t row, size_t column,
	size_t width, struct top_rate rate, bool size)
{
	char text[SIZE_TEXT_MAX];
	bool busy = rate.known && rate.per_s >= 0.5;
	if (size)
		top_screen_size(screen, text,
			(struct top_kib){rate.known, (uint64_t)(rate.per_s + 0.5)});
	else
		snprintf(text, sizeof(text), rate.known ? "%.0f" : "-", rate.per_s);
	top_screen_print(screen, row, column, -(int)width,
		busy ? TOP_INK_CARE : TOP_INK_DIM, "%s", text);
}

static void draw_cell(const struct top_screen *screen, size_t row, size_t column,
	size_t i, size_t width, const struct top_guest *guest)
{
	char size[SIZE_TEXT_MAX];
	switch (i) {
	case TOP_BY_NAME:
		top_screen_put(screen, row, column, width, TOP_INK_HEAD, guest->name);
		break;
	case TOP_BY_STATE:
		top_screen_put(screen, row, column, width,
			top_draw_state_ink(guest->state), guest->state);
		break;
	case TOP_BY_USED:
		top_draw_bar(screen, row, column, width, guest);
		break;
	case TOP_BY_ACTUAL:
		top_screen_print(screen, row, column, -(int)width, TOP_INK_PLAIN, "%s",
			top_screen_size(screen, size, guest->actual));
		break;
	case TOP_BY_TARGET:
		draw_target(screen, row, column, width, guest);
		break;
	case TOP_BY_SWAP:
		draw_rate(screen, row, column, width, top_guest_swapping(guest), true);
		break;
	case TOP_BY_FAULTS:
		draw_rate(screen, row, column, width, guest->faults, false);
		break;
	case TOP_BY_SHARES:
		top_screen_print(screen, row, column, -(int)width, TOP_INK_DIM,
			"%" PRIu64, guest->shares);
		break;
	default:
		top_screen_put(screen, row, column, width, TOP_INK_DIM, guest->reason);
	}
}

static void draw_row(const struct top_screen *screen, const struct layout *layout,
	size_t row, const struct top_guest *guest, bool chosen)
{
	size_t column = 0;
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t width = layout->widths[i];
		if (!width)
			continue;
		draw_cell(screen, row, column, i, width, guest);
		if (chosen && i == TOP_BY_NAME)
			top_screen_print(screen, row, column, (int)width, TOP_INK_CHOSEN,
				"%s%*s", guest->name,
				(int)sub_u64(width, text_width(guest->name)), "");
		column += width + 1;
	}
}

/* ---- the table ---- */

/* The title of the bar says what its colours are. */
static void draw_bar_title(
	const struct top_screen *screen, size_t row, size_t column, size_t width)
{
	static const struct {
		enum top_part part;
		const char *name;
	} words[] = {
		{TOP_PART_USED, "USED"},
		{TOP_PART_CACHE, "CACHE"},
		{TOP_PART_UNUSED, "FREE"},
		{TOP_PART_BALLOON, "BALLOON"},
	};
	size_t end = column + width;
	bool keyed = width >= KEYED_LEAST || !screen->colour;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (keyed) {
			top_screen_cells(screen, row, column, 1, words[i].part);
			column++;
		}
		column = top_screen_put(screen, row, column, sub_u64(end, column),
				 TOP_INK_PART + words[i].part, words[i].name) +
			 1;
	}
}

static void draw_titles(const struct top_screen *screen, const struct top_view *view,
	const struct layout *layout, size_t row)
{
	size_t column = 0;
	for (size_t i = 0; i < COLUMNS; i++) {
		int width = (int)layout->widths[i];
		bool sorted = i == (size_t)view->sort;
		if (!width)
			continue;
		if (i == TOP_BY_USED && !sorted)
			draw_bar_title(screen, row, column, (size_t)width);
		else
			top_screen_print(screen, row, column,
				columns[i].right ? -width : width,
				sorted ? TOP_INK_TITLE : TOP_INK_HEAD, "%s",
				columns[i].title);
		column += (size_t)width + 1;
	}
}

/* The first row that is shown: the chosen one is always on the screen. */
static size_t first_row(const struct top_view *view, size_t rows)
{
	return view->row < rows ? 0 : view->row - rows + 1;
}

size_t top_draw_list(const struct top_screen *screen, const struct top_view *view,
	size_t top, size_t bottom)
{
	struct layout layout = lay_out(screen, view);
	size_t rows = sub_u64(bottom, top + 1), first = first_row(view, rows);
	draw_titles(screen, view, &layout, top);
	for (size_t i = 0; i < rows && first + i < view->shown_count; i++)
		draw_row(screen, &layout, top + 1 + i, view->shown[first + i],
			first + i == view->row);
	if (!view->shown_count && rows)
		top_screen_put(screen, top + 1, 0, screen->columns, TOP_INK_DIM,
			*view->filter ? "no guest passes the filter"
				      : "no guest is running");
	top_draw_news(
		screen, &view->news, top + view->shown_count + 2, sub_u64(bottom, 1));
	return rows;
}
