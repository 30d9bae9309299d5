/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Structs of the model as JSON objects, by one table each: a member goes by its name, and
 * one that is zero, false or empty is left out. Within mom/recording.
 */

#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"

struct json_object;

enum field_kind {
	FIELD_FLAG,
	FIELD_U64,
	FIELD_I64,
	FIELD_U32,
	FIELD_I32,
	FIELD_REAL,
	FIELD_TEXT, /* an array of characters */
	FIELD_WORD, /* an enum, by the names of its values */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset, size;
	const char *(*word)(int value); /* FIELD_WORD; … */
	int words;                      /* … of so many */
};

/* Each ends with a NULL name. */
extern const struct field guest_facts_fields[];
extern const struct field guest_sample_fields[];   /* what is collected */
extern const struct field guest_estimate_fields[]; /* what is made of it */
extern const struct field guest_track_fields[];
extern const struct field size_track_fields[];
extern const struct field balloon_track_fields[];
extern const struct field host_sample_fields[];
extern const struct field host_estimate_fields[];
extern const struct field host_track_fields[];
extern const struct field pool_facts_fields[];
extern const struct field decision_fields[];
extern const struct field order_fields[];
extern const struct field knob_fields[];
extern const struct field swapping_fields[];
extern const struct field reservation_fields[];
extern const struct field event_fields[];

void fields_write(
	struct json_object *object, const struct field *fields, const void *from);

/*
 * Fill the members that `object` has; the others keep what they are.
 *
 * Errors: -EBADMSG "NAME: what was expected".
 */
int fields_read(struct json_object *object, const struct field *fields, void *into,
	struct err *err);
