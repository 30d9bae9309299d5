/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Members of JSON objects, one line each: what isn't known is null. */

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/* `value` is owned by the object from then on; NULL is null. */
void put(struct json_object *object, const char *key, struct json_object *value);
void put_kib(struct json_object *object, const char *key, uint64_t kib);
void put_kib_if(struct json_object *object, const char *key, bool known, uint64_t kib);
void put_ratio_if(struct json_object *object, const char *key, bool known, double ratio);
void put_seconds(struct json_object *object, const char *key, int64_t ms);
/* Seconds since the epoch, with all their digits. */
void put_clock(struct json_object *object, const char *key, int64_t ms);
void put_text(struct json_object *object, const char *key, const char *text);
void put_bool(struct json_object *object, const char *key, bool value);

/* A member as text, or NULL where it is missing or null. Lives as long as the object. */
const char *param_text(struct json_object *params, const char *key);
bool param_bool(struct json_object *params, const char *key);
