/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check_inside.h"

#include "mom/mem.h"

static struct type check_list(struct checker *checker, const struct node *node)
{
	struct type list = check_node(checker, node);
	if (list.kind != TYPE_LIST && list.kind != TYPE_ANY && list.kind != TYPE_UNSEEN)
		CHECK_ERROR(
			checker, node, "this goes over a list, not %s", type_name(list));
	return list;
}

/* Expressions from `first` on, with an item of the list bound; the last one's type. */
static struct type infer_for(struct checker *checker, const struct node *node,
	struct type list, size_t first, size_t last)
{
	struct type type = type_of(TYPE_NIL);
	size_t mark = check_enter(checker);
	check_bind(checker, node->items[2], type_element(list));
	for (size_t i = first; i <= last; i++)
		type = check_node(checker, node->items[i]);
	check_leave(checker, mark);
	return type;
}

struct type check_with(struct checker *checker, const struct node *node)
{
	size_t lists = (node->count - 2) / 2;
	struct type *elements = mem_array(lists, sizeof(*elements));
	for (size_t i = 0; i < lists; i++)
		elements[i] = type_element(check_list(checker, node->items[2 * i + 1]));
	size_t mark = check_enter(checker);
	for (size_t i = 0; i < lists; i++)
		check_bind(checker, node->items[2 * i + 2], elements[i]);
	struct type body = check_node(checker, node->items[node->count - 1]);
	check_leave(checker, mark);
	free(elements);
	return type_list_of(body);
}

static void check_unit(struct checker *checker, const struct node *node, enum unit wanted)
{
	struct type type = check_node(checker, node);
	if (type_no_number(type))
		CHECK_ERROR(checker, node, "a number is needed here, not %s",
			type_name(type));
	else if (!units_mix(type.unit, wanted))
		CHECK_ERROR(checker, node, "this is to be in %s, but is in %s",
			unit_name(wanted), unit_name(type.unit));
}

struct type check_share_out(struct checker *checker, const struct node *node)
{
	struct type list = check_list(checker, node->items[1]);
	check_unit(checker, node->items[3], UNIT_KIB);
	check_unit(checker, node->items[8], UNIT_RATIO);
	size_t mark = check_enter(checker);
	check_bind(checker, node->items[2], type_element(list));
	for (size_t i = 4; i <= 6; i++)
		check_unit(checker, node->items[i], UNIT_KIB);
	check_unit(checker, node->items[7], UNIT_NONE);
	check_leave(checker, mark);
	return type_list_of(type_number(UNIT_KIB));
}

struct type check_over(struct checker *checker, const struct node *node)
{
	struct type list = check_list(checker, node->items[1]);
	struct type inner = type_of(TYPE_NIL);
	if (node->count == 4)
		inner = infer_for(checker, node, list, 3, 3);
	if (node->form->id == FORM_TALLY)
		return type_number(UNIT_NONE);
	if (node->form->id != FORM_SUM)
		return list;
	if (type_no_number(inner))
		CHECK_ERROR(checker, node->items[3], "a number is needed here, not %s",
			type_name(inner));
	return type_number(inner.kind == TYPE_NUMBER ? inner.unit : UNIT_NONE);
}
