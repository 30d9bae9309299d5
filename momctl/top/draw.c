/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/draw.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/text.h"
#include "momctl/top/keys.h"

/* ---- the two lines at the bottom ---- */

static void draw_reason(
	const struct top_screen *screen, const struct top_view *view, size_t row)
{
	const struct top_guest *guest = top_view_guest(view);
	if (view->typing || *view->filter) {
		size_t column = top_screen_put(
			screen, row, 0, screen->columns, TOP_INK_HEAD, "Filter: ");
		auto_free char *filter = text_clean(view->filter);
		top_screen_print(screen, row, column, (int)screen->columns, TOP_INK_CARE,
			"%s%s", filter, view->typing ? "_" : "");
		return;
	}
	if (!guest)
		return;
	size_t column = top_screen_put(
		screen, row, 0, screen->columns, TOP_INK_HEAD, guest->name);
	top_screen_print(screen, row, column, (int)screen->columns, TOP_INK_PLAIN, ": %s",
		*guest->reason ? guest->reason : "nothing was decided yet");
}

static void draw_keys(
	const struct top_screen *screen, const struct top_view *view, size_t row)
{
	size_t column = 0;
	for (const struct top_key_help *key = top_keys_of(view); key->name; key++) {
		size_t width = strlen(key->key) + 1 + strlen(key->name);
		if (column + width > screen->columns)
			break;
		column = top_screen_put(
			screen, row, column, width, TOP_INK_TITLE, key->key);
		column = top_screen_print(
			screen, row, column, (int)width, TOP_INK_PLAIN, " %s", key->name);
		column += 2;
	}
}

/* The latest first. */
void top_draw_news(const struct top_screen *screen, const struct top_news *news,
	size_t top, size_t bottom)
{
	const struct top_event *event;
	size_t row = top;
	if (top + 1 >= bottom || !news->count)
		return;
	top_screen_put(screen, row++, 0, screen->columns, TOP_INK_HEAD, "LATELY");
	for (size_t age = 0; row < bottom && (event = top_news_at(news, age)); age++) {
		char time[TOP_CLOCK_TEXT];
		top_draw_time(time, event->at);
		size_t column =
			top_screen_put(screen, row, 0, sizeof(time), TOP_INK_DIM, time);
		top_screen_put(screen, row++, column + 1, screen->columns,
			event->bad    ? TOP_INK_BAD
			: event->care ? TOP_INK_CARE
				      : TOP_INK_PLAIN,
			event->text);
	}
}

/* ---- pages of text ---- */

static void draw_text(const struct top_screen *screen, const struct top_view *view,
	const char *text, size_t top, size_t bottom)
{
	size_t skip = view->scroll, row = top;
	for (const char *line = text; *line && row < bottom;) {
		size_t length = strcspn(line, "\n");
		auto_free char *raw = mem_ndup(line, length);
		if (skip)
			skip--;
		else
			top_screen_put(
				screen, row++, 0, screen->columns, TOP_INK_PLAIN, raw);
		line += length + (line[length] == '\n');
	}
}

static void draw_page(const struct top_screen *screen, const struct top_view *view,
	size_t top, size_t bottom)
{
	if (view->page == TOP_HELP) {
		auto_free char *text = top_keys_help();
		draw_text(screen, view, text, top, bottom);
	} else if (view->page == TOP_EXPLAIN) {
		draw_text(screen, view,
			view->explanation ? view->explanation : "asking momd ...", top,
			bottom);
	} else {
		top_draw_guest(screen, view, top, bottom);
	}
}

size_t top_draw(
	struct top_screen *screen, const struct top_view *view, const char *trouble)
{
	top_screen_begin(screen);
	size_t bottom = sub_u64(screen->rows, 2), rows = bottom;
	if (view->page == TOP_LIST) {
		size_t top = top_draw_host(screen, view, trouble);
		rows = top_draw_list(screen, view, top, bottom);
		draw_reason(screen, view, bottom);
	} else {
		draw_page(screen, view, 0, bottom);
		if (trouble)
			top_screen_put(
				screen, bottom, 0, screen->columns, TOP_INK_BAD, trouble);
	}
	draw_keys(screen, view, bottom + 1);
	top_screen_end(screen);
	return rows ? rows : 1;
}
