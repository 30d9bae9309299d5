/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/symbols.h"

#include <stdint.h>
#include <string.h>

#include "mom/mem.h"

static size_t hash(const char *name)
{
	uint64_t sum = 14695981039346656037u; /* FNV-1a */
	for (; *name; name++)
		sum = (sum ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(sum ^ (sum >> 32));
}

/* The slot that holds the name, or the free one where it belongs. */
static unsigned *slot_of(const struct symbols *symbols, const char *name)
{
	size_t at = hash(name) & (symbols->slot_count - 1);
	while (symbols->slots[at] && strcmp(symbols->names[symbols->slots[at] - 1], name))
		at = (at + 1) & (symbols->slot_count - 1);
	return &symbols->slots[at];
}

unsigned symbol_find(const struct symbols *symbols, const char *name)
{
	if (!symbols->slot_count)
		return NO_SYMBOL;
	unsigned slot = *slot_of(symbols, name);
	return slot ? slot - 1 : NO_SYMBOL;
}

/* At most half full: twice the slots, all names put in again. */
static void make_room(struct symbols *symbols)
{
	if (symbols->count * 2 < symbols->slot_count)
		return;
	free(symbols->slots);
	symbols->slot_count = symbols->slot_count ? symbols->slot_count * 2 : 64;
	symbols->slots = mem_array(symbols->slot_count, sizeof(*symbols->slots));
	for (unsigned i = 0; i < symbols->count; i++)
		*slot_of(symbols, symbols->names[i]) = i + 1;
}

unsigned symbol_add(struct symbols *symbols, const char *name)
{
	make_room(symbols);
	unsigned *slot = slot_of(symbols, name);
	if (*slot)
		return *slot - 1;
	symbols->names = mem_grow(symbols->names, symbols->count, &symbols->capacity,
		sizeof(*symbols->names));
	symbols->names[symbols->count] = name;
	*slot = (unsigned)++symbols->count;
	return *slot - 1;
}

void symbols_done(struct symbols *symbols)
{
	free(symbols->names);
	free(symbols->slots);
	*symbols = (struct symbols){0};
}
