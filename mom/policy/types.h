/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the checker knows of a value before it is there: its kind, and a number's unit. A
 * type only ever gets wider, so that looking again and again comes to an end.
 */

#include "mom/policy/fields.h"

enum type_kind {
	TYPE_UNSEEN, /* nothing was given to it yet */
	TYPE_NIL,
	TYPE_NUMBER, /* booleans too */
	TYPE_TEXT,
	TYPE_LIST,
	TYPE_HOST,
	TYPE_GUEST,
	TYPE_ANY,
};

struct type {
	enum type_kind kind;
	enum unit unit;         /* of a number, or of a list's numbers */
	enum type_kind element; /* of a list */
	bool whole; /* a whole number as it stands: may turn one unit into another */
	bool bare;  /* only ever a number as it stands: stands in for any unit */
};

static inline struct type type_of(enum type_kind kind)
{
	return (struct type){.kind = kind};
}

static inline struct type type_number(enum unit unit)
{
	return (struct type){.kind = TYPE_NUMBER, .unit = unit};
}

struct type type_list_of(struct type element);
struct type type_element(struct type list);
struct type type_of_field(const struct field *field);

const char *type_name(struct type type); /* "a number", "a string", … */

/* The narrowest type that holds both. */
struct type type_join(struct type a, struct type b);

/* Is this certainly no number? */
bool type_no_number(struct type type);

/* Can these two be added or compared: no units, or the same? */
bool units_mix(enum unit a, enum unit b);

enum unit unit_sum(enum unit a, enum unit b);
enum unit unit_product(struct type a, struct type b);
enum unit unit_quotient(struct type a, struct type b);
