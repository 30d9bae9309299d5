/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *value_kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		[VALUE_NIL] = "nil",
		[VALUE_BOOL] = "a boolean",
		[VALUE_INT] = "an integer",
		[VALUE_FLOAT] = "a float",
		[VALUE_STRING] = "a string",
		[VALUE_LIST] = "a list",
		[VALUE_HOST] = "the host",
		[VALUE_GUEST] = "a guest",
		[VALUE_OBJECT] = "an object",
	};
	return names[kind];
}

bool value_truth(struct value value)
{
	switch (value.kind) {
	case VALUE_NIL:
		return false;
	case VALUE_BOOL:
		return value.truth;
	case VALUE_INT:
		return value.integer != 0;
	case VALUE_FLOAT:
		return value.real != 0.0;
	case VALUE_STRING:
		return value.text->length > 0;
	case VALUE_LIST:
		return value.list->count > 0;
	default:
		return true;
	}
}

bool value_is_number(struct value value)
{
	return value.kind == VALUE_INT || value.kind == VALUE_FLOAT ||
	       value.kind == VALUE_BOOL;
}

static int64_t as_integer(struct value number)
{
	return number.kind == VALUE_BOOL ? number.truth : number.integer;
}

double value_as_float(struct value number)
{
	return number.kind == VALUE_FLOAT ? number.real : (double)as_integer(number);
}

static bool order_texts(const struct text *a, const struct text *b, int *order)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	*order = memcmp(a->bytes, b->bytes, shorter);
	if (!*order)
		*order = (a->length > b->length) - (a->length < b->length);
	return true;
}

/* An integer and a float are compared exactly: above 2^53 a double can't hold the one. */
static bool order_mixed(int64_t integer, double real, int *order)
{
	if (isnan(real))
		return false;
	if (real >= 0x1p63 || real < -0x1p63) {
		*order = real > 0 ? -1 : 1;
		return true;
	}
	int64_t whole = (int64_t)real;
	double rest = real - (double)whole;
	*order = integer != whole ? (integer > whole) - (integer < whole)
				  : (rest < 0) - (rest > 0);
	return true;
}

static bool order_numbers(struct value a, struct value b, int *order)
{
	if (a.kind == VALUE_FLOAT && b.kind == VALUE_FLOAT) {
		*order = (a.real > b.real) - (a.real < b.real);
		return !isnan(a.real) && !isnan(b.real);
	}
	if (b.kind == VALUE_FLOAT)
		return order_mixed(as_integer(a), b.real, order);
	if (a.kind == VALUE_FLOAT) {
		bool known = order_mixed(as_integer(b), a.real, order);
		*order = known ? -*order : 0;
		return known;
	}
	int64_t left = as_integer(a), right = as_integer(b);
	*order = (left > right) - (left < right);
	return true;
}

bool value_order(struct value a, struct value b, int *order)
{
	if (value_is_number(a) && value_is_number(b))
		return order_numbers(a, b, order);
	if (a.kind == VALUE_STRING && b.kind == VALUE_STRING)
		return order_texts(a.text, b.text, order);
	return false;
}

static bool lists_equal(const struct list *a, const struct list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!value_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

bool value_equal(struct value a, struct value b)
{
	int order;
	if (value_order(a, b, &order))
		return order == 0;
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case VALUE_NIL:
	case VALUE_HOST:
		return true;
	case VALUE_LIST:
		return lists_equal(a.list, b.list);
	case VALUE_GUEST:
		return a.guest == b.guest;
	case VALUE_OBJECT:
		return a.object == b.object;
	default:
		return false; /* NaN */
	}
}

size_t value_work(struct value value)
{
	if (value.kind == VALUE_LIST)
		return value.list->work;
	return value.kind == VALUE_STRING ? value.text->length / 64 : 0;
}

void list_weigh(struct list *list)
{
	list->weight = list->count;
	list->work = list->count / 16;
	list->depth = 1;
	for (size_t i = 0; i < list->count; i++) {
		list->work += value_work(list->items[i]);
		if (list->items[i].kind != VALUE_LIST)
			continue;
		const struct list *inner = list->items[i].list;
		list->weight += inner->weight;
		if (list->depth <= inner->depth)
			list->depth = inner->depth + 1;
	}
}

/* The shortest digits that read back as the same double. */
static void format_float(char text[NUMBER_TEXT_MAX], double real)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, real);
		if (strtod(text, NULL) == real)
			break;
	}
	double size = fabs(real);
	if (size >= 1e15 && size < 1e16) /* %g turns to exponents earlier */
		snprintf(text, NUMBER_TEXT_MAX, "%.1f", real);
	else if (isfinite(real) && !strpbrk(text, ".e"))
		strcat(text, ".0");
}

const char *value_format_number(char text[NUMBER_TEXT_MAX], struct value number)
{
	if (number.kind == VALUE_FLOAT)
		format_float(text, number.real);
	else
		snprintf(text, NUMBER_TEXT_MAX, "%" PRId64, as_integer(number));
	return text;
}

static void format_list(FILE *out, const struct list *list);

static void format_one(FILE *out, struct value value)
{
	char number[NUMBER_TEXT_MAX];
	switch (value.kind) {
	case VALUE_BOOL:
		fputs(value.truth ? "true" : "false", out);
		break;
	case VALUE_INT:
	case VALUE_FLOAT:
		fputs(value_format_number(number, value), out);
		break;
	case VALUE_STRING:
		fputs(value.text->bytes, out);
		break;
	case VALUE_LIST:
		format_list(out, value.list);
		break;
	default:
		fputs(value_kind_name(value.kind), out);
		break;
	}
}

#define SHOWN_MOST 16 /* elements of a list */

static void format_list(FILE *out, const struct list *list)
{
	fputc('(', out);
	for (size_t i = 0; i < list->count && i < SHOWN_MOST; i++) {
		fputs(i ? " " : "", out);
		format_one(out, list->items[i]);
	}
	fputs(list->count > SHOWN_MOST ? " …)" : ")", out);
}

const char *value_format(char *text, size_t size, struct value value)
{
	*text = '\0';
	FILE *out = fmemopen(text, size, "w");
	if (out) {
		format_one(out, value);
		fclose(out);
	}
	text[size - 1] = '\0';
	return text;
}
