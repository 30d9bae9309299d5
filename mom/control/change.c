/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/change.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define VALUE_BYTES 100

/* NULL where there is none. */
static char *value_text(struct json_object *params, const char *name)
{
	struct json_object *value;
	char size[SIZE_TEXT_MAX];
	const char *unit = strrchr(name, '_');
	if (!json_object_object_get_ex(params, name, &value) || !value)
		return NULL;
	if (unit && strcmp(unit, "_kib") == 0)
		return mem_dup(units_format_size(size, json_object_get_uint64(value)));
	return mem_printf("%.*s", VALUE_BYTES, json_object_get_string(value));
}

/* Gives what stands behind the field. */
static const char *fill(FILE *text, const char *field, struct json_object *params)
{
	size_t length = strcspn(field, "|}");
	const char *other = field + length + (field[length] == '|');
	int other_length = (int)strcspn(other, "}");
	auto_free char *name = mem_ndup(field, length);
	auto_free char *value = value_text(params, name);
	if (value)
		fputs(value, text);
	else
		fprintf(text, "%.*s", other_length, other);
	return other + other_length + (other[other_length] == '}');
}

char *control_change_text(const char *pattern, struct json_object *params)
{
	char *all = NULL;
	size_t size;
	FILE *text = open_memstream(&all, &size);
	if (!text)
		abort();
	while (*pattern) {
		int plain = (int)strcspn(pattern, "{");
		fprintf(text, "%.*s", plain, pattern);
		pattern += plain;
		if (*pattern)
			pattern = fill(text, pattern + 1, params);
	}
	fclose(text);
	return all;
}
