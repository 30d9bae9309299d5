/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the view shows, and what the user made of it: which page, which guests in which
 * order, which one is chosen. Knows nothing of terminals; see draw.h for those.
 */

#include "momctl/top/figures.h"
#include "momctl/top/news.h"
#include "momctl/top/track.h"

#define TOP_FILTER_MAX 64

enum top_page { TOP_LIST, TOP_GUEST, TOP_EXPLAIN, TOP_HELP };

/* As the columns stand on the screen. */
enum top_sort {
	TOP_BY_NAME,
	TOP_BY_STATE,
	TOP_BY_USED,
	TOP_BY_ACTUAL,
	TOP_BY_TARGET,
	TOP_BY_SWAP,
	TOP_BY_FAULTS,
	TOP_BY_SHARES,
	TOP_SORT_COUNT,
};

struct top_view {
	struct top_figures figures; /* of the tick that is shown */
	struct top_tracks tracks;
	struct top_news news;

	const struct top_guest **shown; /* filtered and sorted; of `figures` */
	size_t shown_count;
	enum top_sort sort;
	bool reverse;
	char filter[TOP_FILTER_MAX]; /* "" none */
	bool typing;                 /* the filter is being written */
	char *chosen;                /* the UUID of a guest, or NULL */
	size_t row;                  /* where it stands in `shown` */

	enum top_page page;
	enum top_page behind; /* the page to go back to from a text */
	size_t scroll;        /* lines of a text above the screen */
	char *explanation;    /* lines about the chosen guest; NULL none yet … */
	bool stale;           /* … or they are to be asked for again */
	bool frozen;          /* ticks are let go by */
	bool ended;
};

void top_view_done(struct top_view *view);

/* Show another tick; nothing happens while the picture is frozen. */
void top_view_feed(struct top_view *view, struct json_object *status);

/* The guest that keys speak of, or NULL where none is shown. */
const struct top_guest *top_view_guest(const struct top_view *view);

/* Choose the guest in that row, or the last. */
void top_view_choose(struct top_view *view, size_t row);

/* Filter and sort anew. */
void top_view_arrange(struct top_view *view);
