/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/recording/lists.h"

#include <errno.h>

#include "mom/mem.h"

/* ---- writing ---- */

void list_write(struct json_object *into, const char *key, const struct field *fields,
	const void *items, size_t count, size_t size)
{
	if (!count)
		return;
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_new_object();
		fields_write(object, fields, (const char *)items + i * size);
		json_object_array_add(list, object);
	}
	json_object_object_add(into, key, list);
}

void object_write(struct json_object *into, const char *key, const struct field *fields,
	const void *from)
{
	struct json_object *object = json_object_new_object();
	fields_write(object, fields, from);
	if (json_object_object_length(object))
		json_object_object_add(into, key, object);
	else
		json_object_put(object);
}

void flag_write(struct json_object *into, const char *key, bool value)
{
	if (value)
		json_object_object_add(into, key, json_object_new_boolean(true));
}

/* ---- reading ---- */

/* NULL where there is none. */
static struct json_object *member(struct json_object *json, const char *key)
{
	struct json_object *value = NULL;
	if (json_object_is_type(json, json_type_object))
		json_object_object_get_ex(json, key, &value);
	return value;
}

int list_read(struct json_object *json, const char *key, void *items, size_t *count,
	size_t size, int (*read)(struct json_object *json, void *into, struct err *err),
	struct err *err)
{
	struct json_object *list = member(json, key);
	*count = 0;
	if (!list)
		return 0;
	if (!json_object_is_type(list, json_type_array))
		return err_set(err, -EBADMSG, "%s: expected a list", key);
	size_t length = json_object_array_length(list);
	char *all = mem_array(length, size);
	*(void **)items = all;
	for (size_t i = 0; i < length; i++) {
		*count = i + 1;
		int r = read(json_object_array_get_idx(list, i), all + i * size, err);
		if (r < 0)
			return err_prefix(err, "%s %zu", key, i + 1);
	}
	return 0;
}

int object_read(struct json_object *json, const char *key, const struct field *fields,
	void *into, struct err *err)
{
	struct json_object *object = member(json, key);
	if (!object)
		return 0;
	int r = fields_read(object, fields, into, err);
	return r < 0 ? err_prefix(err, "%s", key) : 0;
}

bool flag_read(struct json_object *json, const char *key)
{
	struct json_object *value = member(json, key);
	return json_object_is_type(value, json_type_boolean) &&
	       json_object_get_boolean(value);
}

static int number_read(struct json_object *json, const char *key, enum field_kind kind,
	void *value, struct err *err)
{
	const struct field fields[] = {{.name = key, .kind = kind}, {0}};
	return fields_read(json, fields, value, err);
}

int count_read(
	struct json_object *json, const char *key, uint64_t *value, struct err *err)
{
	return number_read(json, key, FIELD_U64, value, err);
}

int time_read(struct json_object *json, const char *key, int64_t *value, struct err *err)
{
	return number_read(json, key, FIELD_I64, value, err);
}

char *text_read(struct json_object *json, const char *key)
{
	struct json_object *value = member(json, key);
	return json_object_is_type(value, json_type_string)
		       ? mem_dup(json_object_get_string(value))
		       : NULL;
}
