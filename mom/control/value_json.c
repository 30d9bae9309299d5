/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/value_json.h"

#include <json-c/json.h>

#include "mom/mem.h"

static struct value read_list(struct policy_builder *builder, struct json_object *json)
{
	size_t count = json_object_array_length(json);
	auto_free struct value *items = mem_array(count + 1, sizeof(*items));
	for (size_t i = 0; i < count; i++)
		items[i] = value_json_read(builder, json_object_array_get_idx(json, i));
	return policy_build_list(builder, items, count);
}

static struct value read_object(struct policy_builder *builder, struct json_object *json)
{
	struct policy_object *object = policy_build_object(builder);
	json_object_object_foreach(json, name, field)
	{
		policy_object_set(object, name, value_json_read(builder, field));
	}
	return (struct value){.kind = VALUE_OBJECT, .object = object};
}

struct value value_json_read(struct policy_builder *builder, struct json_object *json)
{
	switch (json_object_get_type(json)) {
	case json_type_boolean:
		return value_bool(json_object_get_boolean(json));
	case json_type_int:
		return value_int(json_object_get_int64(json));
	case json_type_double:
		return value_float(json_object_get_double(json));
	case json_type_string:
		return policy_build_text(builder, json_object_get_string(json));
	case json_type_array:
		return read_list(builder, json);
	case json_type_object:
		return read_object(builder, json);
	default:
		return value_nil();
	}
}
