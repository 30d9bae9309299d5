/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/vars.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/arena.h"

struct kept {
	struct arena arena;
	struct value value;
	size_t size;
};

struct variable {
	char *name;
	struct kept *kept;
};

struct policy_vars {
	struct variable *items;
	size_t count, capacity;
	size_t size; /* bytes of names and values */
};

/* ---- values ---------------------------------------------------------------------------
 */

static bool can_keep(struct value value)
{
	if (value.kind != VALUE_LIST)
		return value.kind < VALUE_HOST;
	for (size_t i = 0; i < value.list->count; i++)
		if (!can_keep(value.list->items[i]))
			return false;
	return true;
}

static struct value copy_value(struct arena *arena, struct value value)
{
	if (value.kind == VALUE_STRING) {
		size_t size = sizeof(*value.text) + value.text->length + 1;
		struct text *text = arena_alloc(arena, size);
		value.text = memcpy(text, value.text, size);
	} else if (value.kind == VALUE_LIST) {
		size_t size = sizeof(*value.list) +
			      value.list->count * sizeof(*value.list->items);
		struct list *list = arena_alloc(arena, size);
		memcpy(list, value.list, size);
		for (size_t i = 0; i < list->count; i++)
			list->items[i] = copy_value(arena, list->items[i]);
		value.list = list;
	}
	return value;
}

/* Bytes of a copy; stops counting past `most`, for a list may hold one string often. */
static size_t measure(struct value value, size_t most)
{
	if (value.kind == VALUE_STRING)
		return sizeof(*value.text) + value.text->length + 1;
	if (value.kind != VALUE_LIST)
		return 0;
	size_t size =
		sizeof(*value.list) + value.list->count * sizeof(*value.list->items);
	for (size_t i = 0; i < value.list->count && size <= most; i++)
		size += measure(value.list->items[i], most);
	return size;
}

bool kept_fits(struct value value)
{
	return measure(value, VARS_MOST_BYTES) <= VARS_MOST_BYTES;
}

struct kept *kept_new(struct value value)
{
	if (!can_keep(value))
		return NULL;
	struct kept *kept = mem_alloc(sizeof(*kept));
	kept->value = copy_value(&kept->arena, value);
	kept->size = sizeof(*kept) + kept->arena.used;
	return kept;
}

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	arena_done(&kept->arena);
	free(kept);
}

/* ---- the store ------------------------------------------------------------------------
 */

void policy_vars_free(struct policy_vars *vars)
{
	if (!vars)
		return;
	for (size_t i = 0; i < vars->count; i++) {
		free(vars->items[i].name);
		kept_free(vars->items[i].kept);
	}
	free(vars->items);
	free(vars);
}

static struct variable *find(const struct policy_vars *vars, const char *name)
{
	for (size_t i = 0; vars && i < vars->count; i++)
		if (!strcmp(vars->items[i].name, name))
			return &vars->items[i];
	return NULL;
}

struct value vars_get(const struct policy_vars *vars, const char *name)
{
	const struct variable *variable = find(vars, name);
	return variable ? variable->kept->value : value_nil();
}

static struct variable *add(struct policy_vars *vars, const char *name)
{
	vars->items =
		mem_grow(vars->items, vars->count, &vars->capacity, sizeof(*vars->items));
	struct variable *variable = &vars->items[vars->count++];
	*variable = (struct variable){.name = mem_dup(name)};
	vars->size += strlen(name);
	return variable;
}

static void drop(struct policy_vars *vars, struct variable *variable)
{
	vars->size -= strlen(variable->name);
	free(variable->name);
	*variable = vars->items[--vars->count];
}

static size_t kept_size(const struct kept *kept)
{
	return kept ? kept->size : 0;
}

bool vars_swap(struct policy_vars **store, const char *name, struct kept *kept,
	struct kept **old)
{
	struct variable *variable = find(*store, name);
	*old = variable ? variable->kept : NULL;
	if (!*store && kept)
		*store = mem_alloc(sizeof(**store));
	struct policy_vars *vars = *store;
	if (kept) {
		size_t more = kept_size(kept) + (variable ? 0 : strlen(name));
		bool many = !variable && vars->count >= VARS_MOST;
		if (many || vars->size - kept_size(*old) + more > VARS_MOST_BYTES)
			return false;
		variable = variable ? variable : add(vars, name);
	}
	if (!variable)
		return true;
	vars->size += kept_size(kept);
	vars->size -= kept_size(*old);
	variable->kept = kept;
	if (!kept)
		drop(vars, variable);
	return true;
}

/* ---- from outside ---------------------------------------------------------------------
 */

const char *policy_vars_at(
	const struct policy_vars *vars, size_t index, struct value *value)
{
	if (!vars || index >= vars->count)
		return NULL;
	*value = vars->items[index].kept->value;
	return vars->items[index].name;
}

bool policy_vars_put(struct policy_vars **vars, const char *name, struct value value)
{
	struct kept *old = NULL;
	struct kept *kept = kept_fits(value) ? kept_new(value) : NULL;
	bool put = kept && vars_swap(vars, name, kept, &old);
	kept_free(put ? old : kept);
	return put;
}
