/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/view.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"

void top_view_done(struct top_view *view)
{
	top_figures_done(&view->figures);
	top_tracks_done(&view->tracks);
	top_news_done(&view->news);
	free(view->shown);
	free(view->chosen);
	free(view->explanation);
	*view = (struct top_view){0};
}

/* ---- which guests, in which order ---- */

static double unless_unknown(bool known, double value)
{
	return known ? value : -1;
}

static double value_by(const struct top_guest *guest, enum top_sort sort)
{
	struct top_rate swapping = top_guest_swapping(guest);
	switch (sort) {
	case TOP_BY_USED:
		return unless_unknown(guest->used.known, (double)guest->used.kib);
	case TOP_BY_ACTUAL:
		return unless_unknown(guest->actual.known, (double)guest->actual.kib);
	case TOP_BY_TARGET:
		return unless_unknown(guest->target.known, (double)guest->target.kib);
	case TOP_BY_SWAP:
		return unless_unknown(swapping.known, swapping.per_s);
	case TOP_BY_FAULTS:
		return unless_unknown(guest->faults.known, guest->faults.per_s);
	case TOP_BY_SHARES:
		return (double)guest->shares;
	default:
		return 0;
	}
}

/* The most of a number comes first, and what isn't known last. */
static int compare(
	const struct top_guest *left, const struct top_guest *right, enum top_sort sort)
{
	double a = value_by(left, sort), b = value_by(right, sort);
	if (a > b || a < b)
		return a > b ? -1 : 1;
	return sort == TOP_BY_STATE ? strcmp(left->state, right->state) : 0;
}

static int in_order(const void *a, const void *b, void *context)
{
	const struct top_guest *left = *(const struct top_guest *const *)a;
	const struct top_guest *right = *(const struct top_guest *const *)b;
	const struct top_view *view = context;
	int order = compare(left, right, view->sort);
	int by_name = strverscmp(left->name, right->name);
	if (view->sort == TOP_BY_NAME)
		order = by_name;
	if (view->reverse)
		order = -order;
	return order ? order : by_name;
}

static bool passes(const struct top_guest *guest, const char *filter)
{
	return strcasestr(guest->name, filter) || strcasestr(guest->state, filter) ||
	       strcasestr(guest->uuid, filter);
}

void top_view_choose(struct top_view *view, size_t row)
{
	if (row >= view->shown_count)
		row = view->shown_count ? view->shown_count - 1 : 0;
	view->row = row;
	const char *uuid = view->shown_count ? view->shown[row]->uuid : NULL;
	bool same = uuid && view->chosen && strcmp(uuid, view->chosen) == 0;
	if (same)
		return;
	free(view->chosen);
	view->chosen = mem_dup(uuid);
	view->stale = true;
}

/* The chosen guest stays chosen wherever it goes; one that left is followed by the next.
 */
static void choose_again(struct top_view *view)
{
	for (size_t i = 0; view->chosen && i < view->shown_count; i++)
		if (strcmp(view->shown[i]->uuid, view->chosen) == 0)
			view->row = i;
	top_view_choose(view, view->row);
}

void top_view_arrange(struct top_view *view)
{
	const struct top_figures *figures = &view->figures;
	view->shown =
		mem_resize(view->shown, figures->guest_count + 1, sizeof(*view->shown));
	view->shown_count = 0;
	for (size_t i = 0; i < figures->guest_count; i++)
		if (passes(&figures->guests[i], view->filter))
			view->shown[view->shown_count++] = &figures->guests[i];
	qsort_r(view->shown, view->shown_count, sizeof(*view->shown), in_order, view);
	choose_again(view);
}

void top_view_feed(struct top_view *view, struct json_object *status)
{
	if (view->frozen)
		return;
	top_figures_done(&view->figures);
	top_figures_read(&view->figures, status);
	top_tracks_add(&view->tracks, &view->figures);
	view->stale = true;
	top_view_arrange(view);
}

const struct top_guest *top_view_guest(const struct top_view *view)
{
	return view->row < view->shown_count ? view->shown[view->row] : NULL;
}
