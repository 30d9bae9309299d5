/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <math.h>

#include "mom/control/codec.h"
#include "mom/control/value_json.h"
#include "mom/mem.h"
#include "mom/policy/policy.h"
#include "mom/recording/lists.h"

/* ---- what policies keep by SetVar ---- */

static struct json_object *write_value(struct value value)
{
	struct json_object *list;
	switch (value.kind) {
	case VALUE_BOOL:
		return json_object_new_boolean(value.truth);
	case VALUE_INT:
		return json_object_new_int64(value.integer);
	case VALUE_FLOAT:
		return isfinite(value.real) ? json_object_new_double(value.real) : NULL;
	case VALUE_STRING:
		return control_json_text(value.text->bytes);
	case VALUE_LIST:
		list = json_object_new_array();
		for (size_t i = 0; i < value.list->count; i++)
			json_object_array_add(list, write_value(value.list->items[i]));
		return list;
	default:
		return NULL;
	}
}

void vars_write(struct json_object *into, const char *key, const struct policy_vars *vars)
{
	struct value value;
	const char *name = policy_vars_at(vars, 0, &value);
	if (!name)
		return;
	struct json_object *object = json_object_new_object();
	for (size_t i = 0; (name = policy_vars_at(vars, i, &value)); i++)
		json_object_object_add(object, name, write_value(value));
	json_object_object_add(into, key, object);
}

int vars_read(struct json_object *json, const char *key, struct policy_vars **vars,
	struct err *err)
{
	struct json_object *object;
	if (!json_object_object_get_ex(json, key, &object))
		return 0;
	if (!json_object_is_type(object, json_type_object))
		return err_set(err, -EBADMSG, "%s: expected an object", key);
	struct policy_builder *builder = policy_builder_new();
	bool room = true;
	json_object_object_foreach(object, name, value)
	{
		room = room &&
		       policy_vars_put(vars, name, value_json_read(builder, value));
	}
	policy_builder_free(builder);
	return room ? 0 : err_set(err, -EBADMSG, "%s: more than can be kept", key);
}
