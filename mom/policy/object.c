/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/object.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/arena.h"

struct policy_object {
	struct policy_object *older; /* of the same builder */
	struct arena *arena;
	struct property *properties;
	size_t count, capacity;
};

struct policy_builder {
	struct arena arena;
	struct policy_object *objects;
};

struct policy_builder *policy_builder_new(void)
{
	return mem_alloc(sizeof(struct policy_builder));
}

void policy_builder_free(struct policy_builder *builder)
{
	if (!builder)
		return;
	for (struct policy_object *object = builder->objects; object;
		object = object->older) {
		for (size_t i = 0; i < object->count; i++)
			free(object->properties[i].history);
		free(object->properties);
	}
	arena_done(&builder->arena);
	free(builder);
}

struct value policy_build_text(struct policy_builder *builder, const char *text)
{
	size_t length = strlen(text);
	struct text *copy = arena_alloc(&builder->arena, sizeof(*copy) + length + 1);
	copy->length = length;
	memcpy(copy->bytes, text, length);
	return (struct value){.kind = VALUE_STRING, .text = copy};
}

struct value policy_build_list(
	struct policy_builder *builder, const struct value *items, size_t count)
{
	struct list *list =
		arena_alloc(&builder->arena, sizeof(*list) + count * sizeof(*items));
	list->count = count;
	if (count)
		memcpy(list->items, items, count * sizeof(*items));
	list_weigh(list);
	return (struct value){.kind = VALUE_LIST, .list = list};
}

struct policy_object *policy_build_object(struct policy_builder *builder)
{
	struct policy_object *object = arena_alloc(&builder->arena, sizeof(*object));
	object->arena = &builder->arena;
	object->older = builder->objects;
	builder->objects = object;
	return object;
}

const struct property *object_property(
	const struct policy_object *object, const char *name)
{
	for (size_t i = 0; object && i < object->count; i++)
		if (!strcmp(object->properties[i].name, name))
			return &object->properties[i];
	return NULL;
}

static struct property *property_of(struct policy_object *object, const char *name)
{
	const struct property *known = object_property(object, name);
	if (known)
		return &object->properties[known - object->properties];
	object->properties = mem_grow(object->properties, object->count,
		&object->capacity, sizeof(*object->properties));
	struct property *property = &object->properties[object->count++];
	property->name = arena_copy(object->arena, name, strlen(name));
	return property;
}

void policy_object_set(struct policy_object *object, const char *name, struct value value)
{
	struct property *property = property_of(object, name);
	property->value = value;
	property->has_value = true;
}

void policy_object_add(struct policy_object *object, const char *name, struct value value)
{
	struct property *property = property_of(object, name);
	property->history = mem_grow(property->history, property->count,
		&property->capacity, sizeof(*property->history));
	property->history[property->count++] = value;
}

struct value property_latest(const struct property *property)
{
	if (property->has_value)
		return property->value;
	return property->count ? property->history[property->count - 1] : value_nil();
}

const char *policy_object_at(
	const struct policy_object *object, size_t index, struct value *value)
{
	if (index >= object->count)
		return NULL;
	*value = property_latest(&object->properties[index]);
	return object->properties[index].name;
}
