/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory as a row of cells: which part of the whole each of them stands for.
 */

#include "momctl/top/figures.h"

enum top_part {
	TOP_PART_USED,    /* of a guest: what it uses … */
	TOP_PART_CACHE,   /* … and what it caches, … */
	TOP_PART_UNUSED,  /* … what it calls free … */
	TOP_PART_UNKNOWN, /* … or nobody knows, … */
	TOP_PART_BALLOON, /* … and what its balloon took */
	TOP_PART_GUEST,   /* of the host: what guests hold, two tones in turn … */
	TOP_PART_GUEST_NEXT,
	TOP_PART_KSM,      /* … what they share, … */
	TOP_PART_PROMISED, /* … what they may take without asking, … */
	TOP_PART_OTHER,    /* … what isn't theirs, … */
	TOP_PART_CACHED,   /* … what the host caches beyond all that … */
	TOP_PART_FREE,     /* … and nobody needs, … */
	TOP_PART_RESERVE,  /* … and what is kept back */
	TOP_PART_COUNT,
};

struct top_slice {
	enum top_part part;
	uint64_t kib;
	size_t cells;     /* how many of a bar's; see top_bar_divide() */
	const char *name; /* a guest's; NULL of none */
};

/*
 * Give each slice its cells of `width`. They add up to `width` exactly unless all are
 * empty; what is there gets a cell at least, where there are enough.
 */
void top_bar_divide(struct top_slice *slices, size_t count, size_t width);

#define TOP_GUEST_SLICES 4

/* A guest's memory, up to its maximum; gives how many slices. */
size_t top_bar_guest(const struct top_guest *guest,
	struct top_slice slices[TOP_GUEST_SLICES], size_t width);

/* The cell of `width` in which `kib` of the guest's maximum ends. */
size_t top_bar_cell(const struct top_guest *guest, uint64_t kib, size_t width);

/* Slices that the host's memory may have, beside those of its guests. */
#define TOP_HOST_SLICES 6

/*
 * The host's memory, with what KSM adds to it: what the guests hold, one by one, and what
 * is left. `slices` has room for all guests and TOP_HOST_SLICES more. Gives how many, 0
 * where the host's memory isn't known.
 *
 * Shape: no slice is counted twice. Usable memory is first what is kept in reserve, then
 *        what guests may take, then caches, then free.
 */
size_t top_bar_host(
	const struct top_figures *figures, struct top_slice *slices, size_t width);
