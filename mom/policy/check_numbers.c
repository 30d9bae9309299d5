/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check_inside.h"

bool check_is_open(struct type type)
{
	return type.kind == TYPE_ANY || type.kind == TYPE_UNSEEN;
}

static void wrong_kinds(
	struct checker *checker, const struct node *node, struct type a, struct type b)
{
	CHECK_ERROR(checker, node, "'%s' can't be used on %s and %s",
		node->items[0]->name, type_name(a), type_name(b));
}

/* Two that are added or compared, of one kind and of units that mix. */
static struct type infer_alike(
	struct checker *checker, const struct node *node, struct type a, struct type b)
{
	if (check_is_open(a) || check_is_open(b))
		return check_is_open(a) ? b : a;
	if (a.kind != b.kind)
		wrong_kinds(checker, node, a, b);
	else if (a.kind == TYPE_NUMBER && !units_mix(a.unit, b.unit))
		CHECK_ERROR(checker, node, "'%s' mixes %s with %s", node->items[0]->name,
			unit_name(a.unit), unit_name(b.unit));
	else if (a.kind == TYPE_NUMBER)
		return type_number(unit_sum(a.unit, b.unit));
	return type_join(a, b);
}

struct type check_arithmetic(struct checker *checker, const struct node *node)
{
	enum form_id form = node->form->id;
	struct type a = check_node(checker, node->items[1]);
	struct type b = check_node(checker, node->items[2]);
	bool repeats = form == FORM_MUL && (a.kind == TYPE_TEXT || b.kind == TYPE_TEXT);
	bool joins = form == FORM_ADD && (a.kind == TYPE_TEXT || a.kind == TYPE_LIST);
	if (repeats)
		return type_of(TYPE_TEXT);
	if (!joins && (type_no_number(a) || type_no_number(b)))
		wrong_kinds(checker, node, a, b);
	else if (form == FORM_ADD || form == FORM_SUB)
		return infer_alike(checker, node, a, b);
	else if (form == FORM_MUL)
		return type_number(unit_product(a, b));
	else if (form == FORM_DIV)
		return type_number(unit_quotient(a, b));
	return type_of(form == FORM_SHL || form == FORM_SHR ? TYPE_NUMBER : TYPE_ANY);
}

struct type check_order(struct checker *checker, const struct node *node)
{
	struct type a = check_node(checker, node->items[1]);
	struct type b = check_node(checker, node->items[2]);
	bool same = node->form->id == FORM_EQ || node->form->id == FORM_NEQ;
	if (!same || (a.kind == TYPE_NUMBER && b.kind == TYPE_NUMBER))
		infer_alike(checker, node, a, b);
	return type_number(UNIT_NONE);
}

struct type check_extreme(struct checker *checker, const struct node *node)
{
	struct type type = check_node(checker, node->items[1]);
	for (size_t i = 2; i < node->count; i++)
		type = infer_alike(
			checker, node, type, check_node(checker, node->items[i]));
	type.whole = false;
	return type;
}

struct type check_abs(struct checker *checker, const struct node *node)
{
	struct type type = check_node(checker, node->items[1]);
	if (type_no_number(type))
		CHECK_ERROR(checker, node, "'abs' can't be used on %s", type_name(type));
	return type;
}
