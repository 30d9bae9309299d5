/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/types.h"

struct type type_list_of(struct type element)
{
	return (struct type){
		.kind = TYPE_LIST, .element = element.kind, .unit = element.unit};
}

struct type type_element(struct type list)
{
	if (list.kind != TYPE_LIST)
		return type_of(TYPE_ANY);
	return (struct type){.kind = list.element, .unit = list.unit};
}

struct type type_of_field(const struct field *field)
{
	if (!field)
		return type_of(TYPE_ANY);
	return field_is_word(field) ? type_of(TYPE_TEXT) : type_number(field->unit);
}

const char *type_name(struct type type)
{
	static const char *const names[] = {
		[TYPE_UNSEEN] = "nothing",
		[TYPE_NIL] = "nil",
		[TYPE_NUMBER] = "a number",
		[TYPE_TEXT] = "a string",
		[TYPE_LIST] = "a list",
		[TYPE_HOST] = "the host",
		[TYPE_GUEST] = "a guest",
		[TYPE_ANY] = "anything",
	};
	return names[type.kind];
}

/* A default of 0 doesn't make KiB into something else. */
static enum unit common_unit(struct type a, struct type b)
{
	if (a.kind == b.kind && (a.bare || b.bare))
		return a.bare ? b.unit : a.unit;
	return a.unit == b.unit ? a.unit : UNIT_NONE;
}

/* nil says "not known", so it doesn't widen what a variable is otherwise. */
static enum type_kind join_kinds(enum type_kind a, enum type_kind b)
{
	if (a == b || b == TYPE_UNSEEN || b == TYPE_NIL)
		return a == TYPE_UNSEEN ? b : a;
	return a == TYPE_UNSEEN || a == TYPE_NIL ? b : TYPE_ANY;
}

struct type type_join(struct type a, struct type b)
{
	if (a.kind == TYPE_UNSEEN || (a.kind == TYPE_NIL && b.kind != TYPE_UNSEEN))
		return b;
	if (b.kind == TYPE_UNSEEN || b.kind == TYPE_NIL)
		return a;
	struct type type = {.kind = join_kinds(a.kind, b.kind)};
	type.unit = common_unit(a, b);
	if (type.kind == TYPE_LIST)
		type.element = join_kinds(a.element, b.element);
	type.whole = a.whole && b.whole;
	type.bare = a.bare && b.bare;
	return type;
}

bool type_no_number(struct type type)
{
	return type.kind != TYPE_NUMBER && type.kind != TYPE_ANY &&
	       type.kind != TYPE_UNSEEN;
}

static bool is_bare(enum unit unit)
{
	return unit == UNIT_NONE || unit == UNIT_COUNT;
}

bool units_mix(enum unit a, enum unit b)
{
	return a == b || is_bare(a) || is_bare(b);
}

enum unit unit_sum(enum unit a, enum unit b)
{
	return is_bare(a) ? b : a;
}

/*
 * A part of something is of the same kind. A whole number as it stands may be a
 * conversion (pages × 4 are KiB), so nothing is known of what comes out.
 */
static enum unit scaled(struct type amount, struct type factor)
{
	if (factor.whole || factor.unit == UNIT_PERCENT)
		return UNIT_NONE;
	return amount.unit;
}

enum unit unit_product(struct type a, struct type b)
{
	if (is_bare(b.unit) || b.unit == UNIT_RATIO)
		return scaled(a, b);
	if (is_bare(a.unit) || a.unit == UNIT_RATIO)
		return scaled(b, a);
	return UNIT_NONE;
}

enum unit unit_quotient(struct type a, struct type b)
{
	if (is_bare(b.unit))
		return scaled(a, b);
	if (a.unit == b.unit)
		return UNIT_RATIO;
	return b.unit == UNIT_RATIO ? a.unit : UNIT_NONE;
}
