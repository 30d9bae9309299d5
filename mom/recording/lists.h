/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Members of JSON objects that are lists or objects of their own. Within mom/recording.
 */

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "mom/err.h"
#include "mom/recording/fields.h"
#include "mom/recording/recording.h"

/* Add a list of `count` structs; nothing where there are none. */
void list_write(struct json_object *into, const char *key, const struct field *fields,
	const void *items, size_t count, size_t size);

/* Add one struct as an object; nothing where all of it is zero. */
void object_write(struct json_object *into, const char *key, const struct field *fields,
	const void *from);

/*
 * The list `key` of `json`, as a zeroed array of `*count` structs of `size` bytes that
 * `read` fills one by one. A list that isn't there has no elements.
 *
 * Errors: -EBADMSG "KEY 3: …"; what was read is in `*items` all the same.
 */
int list_read(struct json_object *json, const char *key, void *items, size_t *count,
	size_t size, int (*read)(struct json_object *json, void *into, struct err *err),
	struct err *err);

/* The object `key`, where it is there. Errors: -EBADMSG "KEY: …". */
int object_read(struct json_object *json, const char *key, const struct field *fields,
	void *into, struct err *err);

/* Single members, where they are there. */
void flag_write(struct json_object *into, const char *key, bool value);
bool flag_read(struct json_object *json, const char *key);
int count_read(
	struct json_object *json, const char *key, uint64_t *value, struct err *err);
int time_read(struct json_object *json, const char *key, int64_t *value, struct err *err);

/* A text, to be freed; NULL where there is none. */
char *text_read(struct json_object *json, const char *key);

/* Both without `facts`' own JSON: what a policy keeps for a guest. */
void vars_write(
	struct json_object *into, const char *key, const struct policy_vars *vars);
int vars_read(struct json_object *json, const char *key, struct policy_vars **vars,
	struct err *err);

int setup_read(struct recorded_setup *setup, struct json_object *json, struct err *err);
