/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/put.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "mom/control/codec.h"

void put(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

void put_kib(struct json_object *object, const char *key, uint64_t kib)
{
	put(object, key, json_object_new_uint64(kib));
}

void put_kib_if(struct json_object *object, const char *key, bool known, uint64_t kib)
{
	put(object, key, known ? json_object_new_uint64(kib) : NULL);
}

void put_ratio_if(struct json_object *object, const char *key, bool known, double ratio)
{
	put(object, key, known ? control_json_number(ratio) : NULL);
}

void put_seconds(struct json_object *object, const char *key, int64_t ms)
{
	put(object, key, control_json_number((double)ms / 1000));
}

/* The usual nine digits of a fraction would leave ten seconds' steps. */
void put_clock(struct json_object *object, const char *key, int64_t ms)
{
	char text[32];
	snprintf(text, sizeof(text), "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
	put(object, key, json_object_new_double_s((double)ms / 1000, text));
}

void put_text(struct json_object *object, const char *key, const char *text)
{
	put(object, key, control_json_text(text));
}

void put_bool(struct json_object *object, const char *key, bool value)
{
	put(object, key, json_object_new_boolean(value));
}

const char *param_text(struct json_object *params, const char *key)
{
	struct json_object *value;
	if (!json_object_object_get_ex(params, key, &value))
		return NULL;
	return value ? json_object_get_string(value) : NULL;
}

bool param_bool(struct json_object *params, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(params, key, &value) &&
	       json_object_get_boolean(value);
}
