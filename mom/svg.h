/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Curves over time as SVG: panels one below the other on the same axis of time, each with
 * a scale of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SVG_LEFT  130
#define SVG_WIDTH 900
#define SVG_GAP   14

struct svg {
	FILE *out;
	double from, to;    /* the axis of time, in any unit */
	double top, height; /* the panel that is drawn into */
	double most;        /* what its upper edge stands for */
};

/* The picture's head; `height` in all, `title` above the panels. */
void svg_begin(struct svg *svg, double height, const char *title);
void svg_end(struct svg *svg);

/*
 * The next panel: a frame, its name at the left, and what its edges stand for. svg->top
 * is where; svg_next() moves it below, with a gap.
 */
void svg_panel(struct svg *svg, double height, double most, const char *most_text,
	const char *name);
void svg_next(struct svg *svg, double gap);

/* Point number `index` of a curve; false where nothing is known, which parts it. */
typedef bool (*svg_point_fn)(
	const void *context, size_t index, double *at, double *value);

/*
 * A curve of `count` points; beyond the panel's edge it runs along it. Classes: used,
 * actual, cache, need, rss, swapped, limit, now.
 */
void svg_line(struct svg *svg, const char *class, size_t count, svg_point_fn point,
	const void *context);

/* A stretch of time under the panel in the colour of a host's state. */
void svg_state(struct svg *svg, double from, double to, const char *state);

/* A text under the panels, at a part (0..1) of the axis of time. */
void svg_time(struct svg *svg, double part, double y, const char *text);
