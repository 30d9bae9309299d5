/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory that is given piece by piece and taken back all at once: what a policy compiles
 * to, and what one run makes. A zeroed arena is an empty one.
 */

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *block; /* the one in use; older ones hang behind it */
	size_t used;               /* bytes given out since the last reset */
	size_t limit;              /* bytes that may be given out; 0: no limit */
};

/* Zeroed memory for any type, or NULL past the limit. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `length` bytes with a NUL behind them, or NULL past the limit. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);

void arena_reset(struct arena *arena); /* empty; its largest block is kept for reuse */
void arena_done(struct arena *arena);
