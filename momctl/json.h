/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon answered: its members, and the whole as text for programs.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>
#include <json-c/json_object_iterator.h>

/* NULL where there is none or it is null; `object` may be NULL in all of these. */
struct json_object *json_get(struct json_object *object, const char *key);

/* "" where it is no text; valid as long as `object`. */
const char *json_get_text(struct json_object *object, const char *key);

/* False where it is no number. */
bool json_get_count(struct json_object *object, const char *key, uint64_t *count);
bool json_get_number(struct json_object *object, const char *key, double *number);

bool json_get_bool(struct json_object *object, const char *key);

/* Elements of an array; 0 where it is none. */
size_t json_count(struct json_object *array);

/* The members of an object, one after the other; false behind the last. */
struct json_member {
	const char *key;
	struct json_object *value;
	struct json_object_iterator at, end;
};

bool json_first(struct json_object *object, struct json_member *member);
bool json_next(struct json_member *member);

/* Print JSON for programs; nothing in it works as a command to a terminal. */
void json_print(FILE *file, struct json_object *value);
void json_print_line(FILE *file, struct json_object *value); /* on one line */
