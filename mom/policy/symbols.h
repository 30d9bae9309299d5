/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names by number, so that a variable or a function is an index into a table. */

#include <stddef.h>

#define NO_SYMBOL ((unsigned)-1)

struct symbols {
	const char **names; /* not owned: they live where the program does */
	size_t count, capacity;
	unsigned *slots; /* hash table of numbers + 1 */
	size_t slot_count;
};

unsigned symbol_find(const struct symbols *symbols, const char *name); /* or NO_SYMBOL */
unsigned symbol_add(struct symbols *symbols, const char *name);
void symbols_done(struct symbols *symbols);
