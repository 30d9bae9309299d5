/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/bind_inside.h"

#include <string.h>

#include "mom/mem.h"

#define PARAMETERS_MOST 64

static void bind_def(struct binder *binder, struct node *node)
{
	struct node *params = node->items[2];
	if (node->items[1]->kind == NODE_NAME && strchr(node->items[1]->name, '.')) {
		BIND_TROUBLE(
			binder, node, node->items[1], "a function's name has no dot");
		return;
	}
	if (!bind_target(binder, node, node->items[1]))
		return;
	if (symbol_find(&binder->policy->own, node->items[1]->name) == NO_SYMBOL)
		BIND_TROUBLE(binder, node, node->items[1],
			"'%s' is built in and can't be defined anew",
			node->items[1]->name);
	if (params->kind != NODE_LIST) {
		BIND_TROUBLE(binder, node, params, "the parameters go in a list: %s",
			node->form->usage);
		return;
	}
	if (params->count > PARAMETERS_MOST) {
		BIND_TROUBLE(
			binder, node, params, "more than %d parameters", PARAMETERS_MOST);
		return;
	}
	for (size_t i = 0; i < params->count; i++) {
		bind_target(binder, node, params->items[i]);
		for (size_t j = 0; j < i; j++)
			if (params->items[i]->symbol == params->items[j]->symbol &&
				bind_is_plain(params->items[i]))
				BIND_TROUBLE(binder, node, params->items[i],
					"parameter '%s' is there twice",
					params->items[i]->name);
	}
	bind_node(binder, node->items[3]);
}

static void bind_let(struct binder *binder, struct node *node)
{
	struct node *pairs = node->items[1];
	if (pairs->kind != NODE_LIST) {
		BIND_TROUBLE(binder, node, pairs, "the variables go in a list: %s",
			node->form->usage);
		return;
	}
	for (size_t i = 0; i < pairs->count; i++) {
		struct node *pair = pairs->items[i];
		if (pair->kind != NODE_LIST || pair->count != 2) {
			BIND_TROUBLE(binder, node, pair,
				"each variable is a list of a name and a value: %s",
				node->form->usage);
			continue;
		}
		bind_target(binder, node, pair->items[0]);
		bind_node(binder, pair->items[1]);
	}
	bind_rest(binder, node, 2);
}

/* LIST ITEM, as often as there are, and bodies behind them. */
static void bind_rounds(struct binder *binder, struct node *node, size_t bodies)
{
	for (size_t i = 1; i + bodies < node->count; i += 2) {
		bind_node(binder, node->items[i]);
		bind_target(binder, node, node->items[i + 1]);
	}
	bind_rest(binder, node, node->count - bodies);
}

static void bind_with(struct binder *binder, struct node *node)
{
	if (node->count % 2 != 0)
		BIND_TROUBLE(binder, node, node, "every list needs an item: %s",
			node->form->usage);
	else
		bind_rounds(binder, node, 1);
}

static void bind_count(struct binder *binder, struct node *node)
{
	if (node->count == 3)
		BIND_TROUBLE(
			binder, node, node, "a test is missing: %s", node->form->usage);
	else if (node->count == 2)
		bind_node(binder, node->items[1]);
	else
		bind_rounds(binder, node, 1);
}

static bool is_else(const struct node *clause)
{
	return clause->count > 0 && clause->items[0]->kind == NODE_NAME &&
	       !strcmp(clause->items[0]->name, "else");
}

static void bind_cond(struct binder *binder, struct node *node)
{
	for (size_t i = 1; i < node->count; i++) {
		struct node *clause = node->items[i];
		bool last = i + 1 == node->count;
		if (clause->kind != NODE_LIST || clause->count != 2) {
			BIND_TROUBLE(binder, node, clause,
				"each case is a list of a test and a value: %s",
				node->form->usage);
			continue;
		}
		if (is_else(clause) != last)
			BIND_TROUBLE(binder, node, clause,
				last ? "the last case must be (else VALUE)"
				     : "'else' must be the last case");
		if (!is_else(clause))
			bind_node(binder, clause->items[0]);
		bind_node(binder, clause->items[1]);
	}
}

static bool is_number_node(const struct node *node)
{
	return node->kind == NODE_VALUE && value_is_number(node->value);
}

/* Why these aren't a tunable's default, help and bounds; NULL where they are. */
static const char *param_fault(struct node *const *items, size_t count)
{
	if (!is_number_node(items[2]) && !bind_is_text(items[2]))
		return "a tunable's default is a number or a string as it stands";
	if (!bind_is_text(items[3]))
		return "a tunable's third argument is its help, a string";
	for (size_t i = 4; i < count; i++)
		if (!is_number_node(items[i]) || !is_number_node(items[2]))
			return "a tunable's bounds and default are numbers as they stand";
	int order;
	for (size_t i = 4; i < count; i++)
		if (value_order(items[2]->value, items[i]->value, &order) &&
			(i == 4 ? order < 0 : order > 0))
			return "a tunable's default lies within its bounds";
	return NULL;
}

static void bind_param(struct binder *binder, struct node *node)
{
	if (!bind_target(binder, node, node->items[1]))
		return;
	const char *fault = param_fault(node->items, node->count);
	if (fault) {
		BIND_TROUBLE(binder, node, node, "%s: %s", fault, node->form->usage);
		return;
	}
	struct policy *policy = binder->policy;
	policy->params = mem_grow(policy->params, policy->param_count,
		&policy->param_capacity, sizeof(*policy->params));
	policy->params[policy->param_count++] = node;
}

void bind_form(struct binder *binder, struct node *node)
{
	switch (node->form->id) {
	case FORM_DEF:
		bind_def(binder, node);
		break;
	case FORM_DEFVAR:
	case FORM_SET:
		bind_target(binder, node, node->items[1]);
		bind_node(binder, node->items[2]);
		break;
	case FORM_LET:
		bind_let(binder, node);
		break;
	case FORM_WITH:
		bind_with(binder, node);
		break;
	case FORM_TALLY:
		bind_count(binder, node);
		break;
	case FORM_SUM:
	case FORM_FILTER:
	case FORM_SORT_BY:
		bind_rounds(binder, node, 1);
		break;
	case FORM_SHARE_OUT:
		bind_node(binder, node->items[1]);
		bind_target(binder, node, node->items[2]);
		bind_rest(binder, node, 3);
		break;
	case FORM_COND:
		bind_cond(binder, node);
		break;
	case FORM_PARAM:
		bind_param(binder, node);
		break;
	default:
		bind_rest(binder, node, 1);
		break;
	}
}
