/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/json.h"

#include "mom/control/utf8.h"

#define PRINT_FLAGS                                                                      \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |                             \
		JSON_C_TO_STRING_NOSLASHESCAPE)

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

/* In JSON text these bytes stand within texts only, where an escape means the same. */
void json_print(FILE *file, struct json_object *value)
{
	const char *text = json_object_to_json_string_ext(value, PRINT_FLAGS);
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
