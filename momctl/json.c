/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/json.h"

#include "mom/control/utf8.h"

struct json_object *json_get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

const char *json_get_text(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);
	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

bool json_get_number(struct json_object *object, const char *key, double *number)
{
	struct json_object *value = json_get(object, key);
	if (!json_object_is_type(value, json_type_int) &&
		!json_object_is_type(value, json_type_double))
		return false;
	*number = json_object_get_double(value);
	return true;
}

bool json_get_count(struct json_object *object, const char *key, uint64_t *count)
{
	struct json_object *value = json_get(object, key);
	if (!json_object_is_type(value, json_type_int))
		return false;
	*count = json_object_get_uint64(value);
	return true;
}

bool json_get_bool(struct json_object *object, const char *key)
{
	return json_object_get_boolean(json_get(object, key));
}

size_t json_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array)
		       ? json_object_array_length(array)
		       : 0;
}

static bool member_here(struct json_member *member)
{
	if (json_object_iter_equal(&member->at, &member->end))
		return false;
	member->key = json_object_iter_peek_name(&member->at);
	member->value = json_object_iter_peek_value(&member->at);
	return true;
}

bool json_first(struct json_object *object, struct json_member *member)
{
	if (!json_object_is_type(object, json_type_object))
		return false;
	member->at = json_object_iter_begin(object);
	member->end = json_object_iter_end(object);
	return member_here(member);
}

bool json_next(struct json_member *member)
{
	json_object_iter_next(&member->at);
	return member_here(member);
}

/* In JSON text these bytes stand within texts only, where an escape means the same. */
static void print(FILE *file, struct json_object *value, int flags)
{
	const char *text = json_object_to_json_string_ext(
		value, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	while (*text) {
		uint32_t c = 0xfffd;
		size_t length = utf8_next(text, &c);
		if (!length || (c >= 0x7f && c < 0xa0))
			fprintf(file, "\\u%04x", (unsigned)c);
		else
			fwrite(text, 1, length, file);
		text += length ? length : 1;
	}
	fputc('\n', file);
}

void json_print(FILE *file, struct json_object *value)
{
	print(file, value, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void json_print_line(FILE *file, struct json_object *value)
{
	print(file, value, JSON_C_TO_STRING_PLAIN);
}
