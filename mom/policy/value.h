/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an expression can give: nil, a boolean, an integer, a float, a string, a list or
 * an object. Values are copied freely; what they point to lives in the arena of the run
 * that made them, and so until the next run of the same policy set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_HOST,   /* Host */
	VALUE_GUEST,  /* one of Guests */
	VALUE_OBJECT, /* anything else with fields, from a file of facts */
};

struct policy_guest;
struct policy_object;

struct value {
	enum value_kind kind;
	union {
		bool truth;
		int64_t integer;
		double real;
		const struct text *text;
		const struct list *list;
		const struct policy_guest *guest;
		const struct policy_object *object;
	};
};

struct text {
	size_t length;
	char bytes[]; /* with a NUL behind them */
};

/*
 * `weight` counts the values in a list and in the lists in it, `depth` how far lists
 * nest: both are limited when a list is made, so that walking one always ends soon.
 * `work` is what walking it costs, its strings included.
 */
struct list {
	size_t count, weight, work;
	unsigned depth;
	struct value items[];
};

static inline struct value value_nil(void)
{
	return (struct value){.kind = VALUE_NIL};
}

static inline struct value value_bool(bool truth)
{
	return (struct value){.kind = VALUE_BOOL, .truth = truth};
}

static inline struct value value_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

static inline struct value value_float(double real)
{
	return (struct value){.kind = VALUE_FLOAT, .real = real};
}

/* "nil", "boolean", "integer", … for messages. */
const char *value_kind_name(enum value_kind kind);

/* False are 0, 0.0, false, "", the empty list and nil. */
bool value_truth(struct value value);

/* An integer, a float or a boolean, which counts as 1 or 0. */
bool value_is_number(struct value value);
double value_as_float(struct value number);

/* Numbers by their worth, strings by their bytes, lists one by one; unlike kinds differ.
 */
bool value_equal(struct value a, struct value b);

/*
 * The order of two numbers or of two strings: negative, 0 or positive.
 *
 * Errors: false where the two can't be ordered (nil, unlike kinds, NaN).
 */
bool value_order(struct value a, struct value b, int *order);

#define NUMBER_TEXT_MAX 40

/* A number as the language and JSON write it: 3, 3.0, 1e+16; floats always look like one.
 */
const char *value_format_number(char text[NUMBER_TEXT_MAX], struct value number);

/* Any value for people, cut at `size`. */
const char *value_format(char *text, size_t size, struct value value);

/* Steps that walking all of a value is worth: one for 16 values or 64 bytes. */
size_t value_work(struct value value);

/* Fill in a finished list's weight, work and depth from its items. */
void list_weigh(struct list *list);
