/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/arena.h"

#include <stdint.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define BLOCK_FIRST ((size_t)512)
#define BLOCK_MOST  ((size_t)1024 * 1024)
#define ALIGNMENT   _Alignof(max_align_t)

struct arena_block {
	struct arena_block *older;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

/* Blocks double, so that a large run takes few and a small one little. */
static void add_block(struct arena *arena, size_t size)
{
	size_t room = arena->block ? arena->block->size * 2 : BLOCK_FIRST;
	room = room > BLOCK_MOST ? BLOCK_MOST : room;
	room = room < size ? size : room;
	struct arena_block *block = mem_alloc(sizeof(*block) + room);
	block->older = arena->block;
	block->size = room;
	arena->block = block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (arena->limit && arena->used + size > arena->limit)
		return NULL;
	if (!arena->block || arena->block->size - arena->block->used < size)
		add_block(arena, size);
	void *piece = arena->block->bytes + arena->block->used;
	arena->block->used += size;
	arena->used += size;
	return memset(piece, 0, size);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	return copy ? memcpy(copy, bytes, length) : NULL;
}

static void free_older(struct arena_block *block)
{
	while (block) {
		struct arena_block *older = block->older;
		free(block);
		block = older;
	}
}

void arena_reset(struct arena *arena)
{
	arena->used = 0;
	if (!arena->block)
		return;
	free_older(arena->block->older);
	arena->block->older = NULL;
	arena->block->used = 0;
}

void arena_done(struct arena *arena)
{
	free_older(arena->block);
	*arena = (struct arena){.limit = arena->limit};
}
