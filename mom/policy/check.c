/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check.h"

#include <math.h>

#include "mom/mem.h"
#include "mom/near.h"
#include "mom/policy/check_inside.h"

#define LOOKS_MOST 100 /* for types to settle; they do so in three or four */

/* ---- functions ---------------------------------------------------------------------
 */

static struct type infer_def(struct checker *checker, const struct node *node)
{
	struct known *known = &checker->known[node->items[1]->symbol];
	const struct node *params = node->items[2], *outer = checker->function;
	if (known->def && known->def->items[2]->count != params->count)
		known->many_arities = true;
	known->def = node;
	size_t mark = check_enter(checker), base = checker->base;
	checker->function = node;
	checker->base = mark;
	for (size_t i = 0; i < params->count; i++)
		check_bind(checker, params->items[i], type_of(TYPE_UNSEEN));
	check_widen(checker, &known->result, check_node(checker, node->items[3]));
	checker->function = outer;
	checker->base = base;
	check_leave(checker, mark);
	if (!known->called)
		CHECK_WARN(checker, node->items[1], "function '%.60s' is never called",
			node->items[1]->name);
	return type_of(TYPE_TEXT);
}

static void unknown_function(struct checker *checker, const struct node *node)
{
	const char *name = node->items[0]->name;
	struct near near = {.word = name};
	for (unsigned i = 0;
		note_wanted(checker->notes) && i < checker->program->symbols.count; i++)
		if (checker->known[i].def)
			near_try(&near, check_name(checker, i));
	for (size_t i = 0; note_wanted(checker->notes) && i < FORM_BLOCK; i++)
		near_try(&near, forms[i].name);
	if (near.best)
		CHECK_ERROR(checker, node->items[0],
			"unknown function '%.60s'; did you mean '%s'?", name, near.best);
	else
		CHECK_ERROR(checker, node->items[0], "unknown function '%.60s'", name);
}

static struct type infer_call(struct checker *checker, const struct node *node)
{
	struct known *known = &checker->known[node->symbol];
	const struct node *params = known->def ? known->def->items[2] : NULL;
	size_t given = node->count - 1;
	known->called |=
		!checker->function || checker->function->items[1]->symbol != node->symbol;
	if (!params)
		unknown_function(checker, node);
	else if (given != params->count && !known->many_arities)
		CHECK_ERROR(checker, node, "'%.60s' takes %zu argument%s, not %zu",
			node->items[0]->name, params->count,
			params->count == 1 ? "" : "s", given);
	for (size_t i = 0; i < given; i++) {
		struct type type = check_node(checker, node->items[i + 1]);
		if (params && i < params->count)
			check_widen(checker,
				&checker->known[params->items[i]->symbol].type, type);
	}
	return params ? known->result : type_of(TYPE_ANY);
}

/* ---- everything --------------------------------------------------------------------
 */

/* All from `first` on; the last one's type, or the join of all. */
static struct type infer_rest(
	struct checker *checker, const struct node *node, size_t first, bool join)
{
	struct type type = type_of(TYPE_NIL);
	for (size_t i = first; i < node->count; i++) {
		struct type next = check_node(checker, node->items[i]);
		type = join && i > first ? type_join(type, next) : next;
	}
	return type;
}

static struct type infer_let(struct checker *checker, const struct node *node)
{
	const struct node *pairs = node->items[1];
	size_t mark = check_enter(checker);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct node *pair = pairs->items[i];
		check_bind(checker, pair->items[0], check_node(checker, pair->items[1]));
	}
	struct type type = infer_rest(checker, node, 2, false);
	check_leave(checker, mark);
	return type;
}

static struct type infer_cond(struct checker *checker, const struct node *node)
{
	struct type type = type_of(TYPE_UNSEEN);
	for (size_t i = 1; i < node->count; i++) {
		const struct node *clause = node->items[i];
		if (i + 1 < node->count)
			check_node(checker, clause->items[0]);
		type = type_join(type, check_node(checker, clause->items[1]));
	}
	return type;
}

static struct type infer_set(struct checker *checker, const struct node *node)
{
	const struct node *name = node->items[1];
	struct type type = check_node(checker, node->items[2]);
	check_use(checker, name, name->symbol);
	if (name->symbol < SYMBOL_FIXED && checker->known[name->symbol].lexical == 0)
		CHECK_ERROR(checker, name, "'%s' can't be set", name->name);
	check_widen(checker, &checker->known[name->symbol].type, type);
	return type;
}

static struct type infer_binding(struct checker *checker, const struct node *node)
{
	struct type type = check_node(checker, node->items[2]);
	check_bind(checker, node->items[1], type);
	return type;
}

static struct type infer_because(struct checker *checker, const struct node *node)
{
	struct type type = check_node(checker, node->items[1]);
	if (type.kind != TYPE_TEXT && !check_is_open(type))
		CHECK_ERROR(checker, node->items[1], "a reason is a string, not %s",
			type_name(type));
	return type;
}

static struct type infer_form(struct checker *checker, const struct node *node)
{
	switch (node->form->id) {
	case FORM_DEF:
		return infer_def(checker, node);
	case FORM_CALL:
		return infer_call(checker, node);
	case FORM_METHOD:
		return check_method(checker, node);
	case FORM_DEFVAR:
	case FORM_PARAM:
		return infer_binding(checker, node);
	case FORM_SET:
		return infer_set(checker, node);
	case FORM_LET:
		return infer_let(checker, node);
	case FORM_WITH:
		return check_with(checker, node);
	case FORM_IF:
		check_node(checker, node->items[1]);
		return infer_rest(checker, node, 2, true);
	case FORM_COND:
		return infer_cond(checker, node);
	case FORM_AND:
	case FORM_OR:
		return infer_rest(checker, node, 1, true);
	case FORM_ADD:
	case FORM_SUB:
	case FORM_MUL:
	case FORM_DIV:
	case FORM_SHL:
	case FORM_SHR:
		return check_arithmetic(checker, node);
	case FORM_LT:
	case FORM_GT:
	case FORM_LTE:
	case FORM_GTE:
	case FORM_EQ:
	case FORM_NEQ:
		return check_order(checker, node);
	case FORM_MIN:
	case FORM_MAX:
	case FORM_CLAMP:
		return check_extreme(checker, node);
	case FORM_SUM:
	case FORM_TALLY:
	case FORM_FILTER:
	case FORM_SORT_BY:
		return check_over(checker, node);
	case FORM_SHARE_OUT:
		return check_share_out(checker, node);
	case FORM_BECAUSE:
		return infer_because(checker, node);
	case FORM_ABS:
		return check_abs(checker, node);
	case FORM_DEBUG:
		return infer_rest(checker, node, 1, false);
	case FORM_BLOCK:
		return infer_rest(checker, node, 0, false);
	case FORM_EMPTY:
		return type_list_of(type_of(TYPE_UNSEEN));
	case FORM_TROUBLE:
		return type_of(TYPE_ANY);
	default: /* not, null, valid, match */
		infer_rest(checker, node, 1, false);
		return type_number(UNIT_NONE);
	}
}

static struct type infer_value(const struct node *node)
{
	struct type type = type_of(TYPE_NUMBER);
	if (node->value.kind == VALUE_NIL)
		return type_of(TYPE_NIL);
	if (node->value.kind == VALUE_STRING)
		return type_of(TYPE_TEXT);
	double number = value_as_float(node->value);
	type.whole = number == trunc(number) && number != 1;
	type.bare = true;
	return type;
}

struct type check_node(struct checker *checker, const struct node *node)
{
	if (node->kind == NODE_VALUE)
		return infer_value(node);
	if (node->kind == NODE_NAME)
		return node->trouble ? type_of(TYPE_ANY) : check_path(checker, node);
	return infer_form(checker, node);
}

static void look_at(struct checker *checker, const struct policy *policy)
{
	for (size_t i = 0; i < policy->tree.count; i++)
		check_node(checker, policy->tree.forms[i]);
}

void check(const struct program *program, size_t index, struct policy_notes *notes)
{
	struct checker checker = {.program = program, .changed = true};
	checker.known = mem_array(program->symbols.count, sizeof(*checker.known));
	struct known *host = &checker.known[SYMBOL_HOST];
	struct known *guests = &checker.known[SYMBOL_GUESTS];
	*host = (struct known){.type = type_of(TYPE_HOST), .bound = true, .global = true};
	*guests = (struct known){
		.type = type_list_of(type_of(TYPE_GUEST)), .bound = true, .global = true};
	for (int i = 0; i < LOOKS_MOST && checker.changed; i++) {
		checker.changed = false;
		for (size_t j = 0; j < program->count; j++)
			look_at(&checker, &program->policies[j]);
	}
	checker.notes = notes;
	look_at(&checker, &program->policies[index]);
	free(checker.known);
	free(checker.trail);
}
