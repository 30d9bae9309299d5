/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The view, drawn on a screen.
 */

#include "momctl/output.h"
#include "momctl/top/screen.h"
#include "momctl/top/view.h"

/*
 * Draw the whole picture; `trouble` is why there is no news of the daemon, or NULL. Gives
 * how far a key that goes a page moves.
 */
size_t top_draw(
	struct top_screen *screen, const struct top_view *view, const char *trouble);

/* Parts of it: each draws from row `top` on and gives the row behind it. */
size_t top_draw_host(const struct top_screen *screen, const struct top_view *view,
	const char *trouble);
void top_draw_news(const struct top_screen *screen, const struct top_news *news,
	size_t top, size_t bottom);
size_t top_draw_list(const struct top_screen *screen, const struct top_view *view,
	size_t top, size_t bottom);
void top_draw_guest(const struct top_screen *screen, const struct top_view *view,
	size_t top, size_t bottom);

/* A guest's memory as a bar, with an arrow where its balloon is to be. */
void top_draw_bar(const struct top_screen *screen, size_t row, size_t column,
	size_t width, const struct top_guest *guest);

enum top_ink top_draw_state_ink(const char *state);

#define TOP_CLOCK_TEXT 16
void top_draw_time(char text[TOP_CLOCK_TEXT], double at); /* "15:14:03" */
