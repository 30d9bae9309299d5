/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/bind.h"

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/near.h"
#include "mom/policy/note.h"

#define PARAMETERS_MOST 64

struct binder {
	struct program *program;
	struct policy *policy;
	struct policy_notes *notes;
};

const struct form forms[FORM_COUNT] = {
#define FORM(id, name, other, least, most, mom, usage, help)                             \
	{FORM_##id, name, other, least, most, mom, usage, help},
#include "mom/policy/forms.def"
#undef FORM
	{FORM_BLOCK, "", NULL, 0, MANY, true, "{ X… }",
		"Evaluates all and gives the last."},
	{FORM_EMPTY, "", NULL, 0, 0, true, "()", "The empty list."},
	{FORM_CALL, "", NULL, 0, MANY, true, "(NAME X…)",
		"Calls a function; all arguments are evaluated before any is bound."},
	{FORM_METHOD, "", NULL, 0, MANY, true, "(OBJECT.METHOD X…)", "Asks an object."},
	{FORM_TROUBLE, "", NULL, 0, MANY, true, "", ""},
};

const struct method_info methods[METHOD_COUNT] = {
	[METHOD_PROP] = {"Prop", 1, 1, "(g.Prop \"name\")",
		"What doesn't change: name, uuid, id, pid."},
	[METHOD_STAT] = {"Stat", 1, 2, "(g.Stat \"field\" [DEFAULT])",
		"The latest value of a field, DEFAULT where it is unknown."},
	[METHOD_STAT_AVG] = {"StatAvg", 1, 1, "(g.StatAvg \"field\")",
		"The mean of the known values in its history; 0.0 with none."},
	[METHOD_SET_VAR] = {"SetVar", 2, 2, "(g.SetVar \"name\" X)",
		"Keeps a value for this guest until it goes, across ticks and policies."},
	[METHOD_GET_VAR] = {"GetVar", 1, 1, "(g.GetVar \"name\")",
		"The value that SetVar kept; nil with none."},
	[METHOD_CONTROL] = {"Control", 2, 2, "(g.Control \"knob\" X)",
		"Wishes a knob to be set; the last wish wins."},
	[METHOD_GET_CONTROL] = {"GetControl", 1, 1, "(g.GetControl \"knob\")",
		"What the knob was wished to be in this run; nil with nothing."},
};

static const char *keep_text(struct binder *binder, const char *text)
{
	return arena_copy(&binder->program->arena, text, strlen(text));
}

/* The node can't be evaluated: said now by the checker, and again if it is reached. */
static void trouble(struct binder *binder, struct node *node, const struct node *at,
	enum policy_level level, const char *text)
{
	if (!node->trouble) {
		node->trouble = keep_text(binder, text);
		node->culprit = at;
	}
	note_add(binder->notes, level, at->line, at->column, "%s", text);
}

#define TROUBLE(binder, node, at, ...)                                                   \
	do {                                                                             \
		char text_[200];                                                         \
		snprintf(text_, sizeof(text_), __VA_ARGS__);                             \
		trouble(binder, node, at, POLICY_ERROR, text_);                          \
	} while (0)

static bool is_operator(const char *name)
{
	return strchr("+-*/<>=!", *name) != NULL;
}

static bool is_plain_name(const struct node *node)
{
	return node->kind == NODE_NAME && !strchr(node->name, '.') &&
	       !is_operator(node->name) && strcmp(node->name, "nil") != 0;
}

/* ---- names ----------------------------------------------------------------------------
 */

static size_t count_dots(const char *name)
{
	size_t dots = 0;
	for (; *name; name++)
		dots += *name == '.';
	return dots;
}

static struct step step_to(struct binder *binder, const char *name, size_t length)
{
	const char *copy = arena_copy(&binder->program->arena, name, length);
	return (struct step){.name = copy,
		.host = field_find(host_fields, copy),
		.guest = field_find(guest_fields, copy)};
}

/* "guest.balloon_cur": a variable, and the fields behind its dots. */
static void bind_path(struct binder *binder, struct node *node, const char *name)
{
	struct program *program = binder->program;
	const char *dot = strchr(name, '.');
	size_t length = dot ? (size_t)(dot - name) : strlen(name);
	if (length == 3 && !memcmp(name, "nil", length))
		TROUBLE(binder, node, node, "nil has no fields and no methods");
	node->symbol = program_symbol(program, arena_copy(&program->arena, name, length));
	size_t dots = count_dots(name);
	struct step *steps = arena_alloc(&program->arena, dots * sizeof(*steps));
	for (size_t i = 0; dot; i++) {
		const char *field = dot + 1;
		dot = strchr(field, '.');
		length = dot ? (size_t)(dot - field) : strlen(field);
		steps[i] = step_to(binder, field, length);
	}
	node->steps = steps;
	node->step_count = dots;
}

static void bind_name(struct binder *binder, struct node *node)
{
	if (!strcmp(node->name, "nil"))
		node->kind = NODE_VALUE;
	else if (is_operator(node->name))
		TROUBLE(binder, node, node, "'%s' has no value; it goes first in a list",
			node->name);
	else
		bind_path(binder, node, node->name);
}

/* A name that the form binds; `node` is the form. */
static bool bind_target(struct binder *binder, struct node *node, struct node *name)
{
	if (name->kind == NODE_NAME && strchr(name->name, '.')) {
		TROUBLE(binder, node, name, "'%s': an object's field can't be set",
			name->name);
	} else if (name->kind == NODE_NAME && !strcmp(name->name, "nil")) {
		TROUBLE(binder, node, name, "nil is a constant");
	} else if (!is_plain_name(name)) {
		TROUBLE(binder, node, name, "a name is expected here: %s",
			node->form->usage);
	} else {
		name->symbol = program_symbol(binder->program, name->name);
		return true;
	}
	return false;
}

/* ---- forms ----------------------------------------------------------------------------
 */

static void bind(struct binder *binder, struct node *node);

static void bind_rest(struct binder *binder, struct node *node, size_t first)
{
	for (size_t i = first; i < node->count; i++)
		bind(binder, node->items[i]);
}

static void bind_def(struct binder *binder, struct node *node)
{
	struct node *params = node->items[2];
	if (node->items[1]->kind == NODE_NAME && strchr(node->items[1]->name, '.')) {
		TROUBLE(binder, node, node->items[1], "a function's name has no dot");
		return;
	}
	if (!bind_target(binder, node, node->items[1]))
		return;
	if (symbol_find(&binder->policy->own, node->items[1]->name) == NO_SYMBOL)
		TROUBLE(binder, node, node->items[1],
			"'%s' is built in and can't be defined anew",
			node->items[1]->name);
	if (params->kind != NODE_LIST) {
		TROUBLE(binder, node, params, "the parameters go in a list: %s",
			node->form->usage);
		return;
	}
	if (params->count > PARAMETERS_MOST) {
		TROUBLE(binder, node, params, "more than %d parameters", PARAMETERS_MOST);
		return;
	}
	for (size_t i = 0; i < params->count; i++) {
		bind_target(binder, node, params->items[i]);
		for (size_t j = 0; j < i; j++)
			if (params->items[i]->symbol == params->items[j]->symbol &&
				is_plain_name(params->items[i]))
				TROUBLE(binder, node, params->items[i],
					"parameter '%s' is there twice",
					params->items[i]->name);
	}
	bind(binder, node->items[3]);
}

static void bind_let(struct binder *binder, struct node *node)
{
	struct node *pairs = node->items[1];
	if (pairs->kind != NODE_LIST) {
		TROUBLE(binder, node, pairs, "the variables go in a list: %s",
			node->form->usage);
		return;
	}
	for (size_t i = 0; i < pairs->count; i++) {
		struct node *pair = pairs->items[i];
		if (pair->kind != NODE_LIST || pair->count != 2) {
			TROUBLE(binder, node, pair,
				"each variable is a list of a name and a value: %s",
				node->form->usage);
			continue;
		}
		bind_target(binder, node, pair->items[0]);
		bind(binder, pair->items[1]);
	}
	bind_rest(binder, node, 2);
}

/* LIST ITEM, as often as there are, and bodies behind them. */
static void bind_rounds(struct binder *binder, struct node *node, size_t bodies)
{
	for (size_t i = 1; i + bodies < node->count; i += 2) {
		bind(binder, node->items[i]);
		bind_target(binder, node, node->items[i + 1]);
	}
	bind_rest(binder, node, node->count - bodies);
}

static void bind_with(struct binder *binder, struct node *node)
{
	if (node->count % 2 != 0)
		TROUBLE(binder, node, node, "every list needs an item: %s",
			node->form->usage);
	else
		bind_rounds(binder, node, 1);
}

static void bind_count(struct binder *binder, struct node *node)
{
	if (node->count == 3)
		TROUBLE(binder, node, node, "a test is missing: %s", node->form->usage);
	else if (node->count == 2)
		bind(binder, node->items[1]);
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
			TROUBLE(binder, node, clause,
				"each case is a list of a test and a value: %s",
				node->form->usage);
			continue;
		}
		if (is_else(clause) != last)
			TROUBLE(binder, node, clause,
				last ? "the last case must be (else VALUE)"
				     : "'else' must be the last case");
		if (!is_else(clause))
			bind(binder, clause->items[0]);
		bind(binder, clause->items[1]);
	}
}

static bool is_number_node(const struct node *node)
{
	return node->kind == NODE_VALUE && value_is_number(node->value);
}

static bool is_text_node(const struct node *node)
{
	return node->kind == NODE_VALUE && node->value.kind == VALUE_STRING;
}

/* Why these aren't a tunable's default, help and bounds; NULL where they are. */
static const char *param_fault(struct node *const *items, size_t count)
{
	if (!is_number_node(items[2]) && !is_text_node(items[2]))
		return "a tunable's default is a number or a string as it stands";
	if (!is_text_node(items[3]))
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
		TROUBLE(binder, node, node, "%s: %s", fault, node->form->usage);
		return;
	}
	struct policy *policy = binder->policy;
	policy->params = mem_grow(policy->params, policy->param_count,
		&policy->param_capacity, sizeof(*policy->params));
	policy->params[policy->param_count++] = node;
}

static void bind_form(struct binder *binder, struct node *node)
{
	switch (node->form->id) {
	case FORM_DEF:
		bind_def(binder, node);
		break;
	case FORM_DEFVAR:
	case FORM_SET:
		bind_target(binder, node, node->items[1]);
		bind(binder, node->items[2]);
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
		bind(binder, node->items[1]);
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

/* ---- lists ----------------------------------------------------------------------------
 */

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Are there as many arguments as it takes? */
static bool check_count(struct binder *binder, struct node *node, const char *name,
	unsigned least, unsigned most, const char *usage)
{
	size_t given = node->count - 1;
	if (given >= least && (most == MANY || given <= most))
		return true;
	if (least == most)
		TROUBLE(binder, node, node, "'%s' takes %u argument%s, not %zu: %s", name,
			least, plural(least), given, usage);
	else if (given < least)
		TROUBLE(binder, node, node, "'%s' takes at least %u argument%s: %s", name,
			least, plural(least), usage);
	else
		TROUBLE(binder, node, node,
			"'%s' takes at most %u argument%s, not %zu: %s", name, most,
			plural(most), given, usage);
	return false;
}

/* What MOM's limits of disks have, in the rules that oVirt ships: never reached here. */
static bool method_only_mom(const char *name)
{
	static const char *const names[] = {"setTotalBytesSec", "setReadBytesSec",
		"setWriteBytesSec", "setTotalIopsSec", "setReadIopsSec",
		"setWriteIopsSec"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void unknown_method(struct binder *binder, struct node *node, const char *name)
{
	if (method_only_mom(name)) {
		char text[80];
		snprintf(text, sizeof(text), "MOM's method '%s' is not known here", name);
		trouble(binder, node, node->items[0], POLICY_WARNING, text);
		return;
	}
	struct near near = {.word = name};
	for (size_t i = 0; i < METHOD_COUNT; i++)
		near_try(&near, methods[i].name);
	if (near.best)
		TROUBLE(binder, node, node->items[0],
			"no method is called '%.40s'; did you mean '%s'?", name,
			near.best);
	else
		TROUBLE(binder, node, node->items[0], "no method is called '%.40s'",
			name);
}

/* A field that is named by a string as it stands is looked up now, not in every run. */
static void bind_asked(struct binder *binder, struct node *node)
{
	bool field = node->method <= METHOD_STAT_AVG;
	if (!field || !is_text_node(node->items[1]))
		return;
	struct step *step = arena_alloc(&binder->program->arena, sizeof(*step));
	const struct text *text = node->items[1]->value.text;
	*step = step_to(binder, text->bytes, text->length);
	node->asked = step;
}

static void bind_method(struct binder *binder, struct node *node)
{
	const char *whole = node->items[0]->name, *dot = strrchr(whole, '.');
	node->form = &forms[FORM_METHOD];
	bind_path(binder, node,
		arena_copy(&binder->program->arena, whole, (size_t)(dot - whole)));
	bind_rest(binder, node, 1);
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		const struct method_info *info = &methods[i];
		if (strcmp(info->name, dot + 1) != 0)
			continue;
		node->method = i;
		if (check_count(
			    binder, node, whole, info->least, info->most, info->usage))
			bind_asked(binder, node);
		return;
	}
	unknown_method(binder, node, dot + 1);
}

static const struct form *find_form(const struct binder *binder, const char *name)
{
	if (symbol_find(&binder->policy->own, name) != NO_SYMBOL)
		return NULL;
	for (size_t i = 0; i < FORM_BLOCK; i++)
		if (!strcmp(forms[i].name, name) ||
			(forms[i].other && !strcmp(forms[i].other, name)))
			return &forms[i];
	return NULL;
}

static void bind_list(struct binder *binder, struct node *node)
{
	struct node *head = node->count ? node->items[0] : NULL;
	if (!head) {
		node->form = &forms[FORM_EMPTY];
	} else if (head->kind != NODE_NAME || !strcmp(head->name, "nil")) {
		trouble(binder, node, head, POLICY_WARNING,
			"a list begins with the name of a form or a function");
	} else if (strchr(head->name, '.')) {
		bind_method(binder, node);
	} else if ((node->form = find_form(binder, head->name))) {
		const struct form *form = node->form;
		if (check_count(binder, node, head->name, form->least, form->most,
			    form->usage))
			bind_form(binder, node);
	} else {
		node->form = &forms[FORM_CALL];
		node->symbol = program_symbol(binder->program, head->name);
		bind_rest(binder, node, 1);
	}
	if (node->trouble)
		node->form = &forms[FORM_TROUBLE];
}

static void bind(struct binder *binder, struct node *node)
{
	switch (node->kind) {
	case NODE_VALUE:
		break;
	case NODE_NAME:
		bind_name(binder, node);
		break;
	case NODE_BLOCK:
		node->form = &forms[FORM_BLOCK];
		bind_rest(binder, node, 0);
		break;
	case NODE_LIST:
		bind_list(binder, node);
		break;
	}
}

/* ---- programs -------------------------------------------------------------------------
 */

/*
 * Functions that a policy defines itself go before built-in forms of the same name that
 * MOM lacks: a policy written for MOM may have a `clamp` of its own.
 */
static void find_own(struct policy *policy, const struct node *node)
{
	for (size_t i = 0; i < node->count; i++)
		find_own(policy, node->items[i]);
	if (node->kind != NODE_LIST || node->count < 2 ||
		node->items[0]->kind != NODE_NAME || node->items[1]->kind != NODE_NAME)
		return;
	const char *head = node->items[0]->name, *name = node->items[1]->name;
	if (strcmp(head, "def") != 0 && strcmp(head, "defun") != 0)
		return;
	for (size_t i = 0; i < FORM_BLOCK; i++)
		if (forms[i].mom &&
			(!strcmp(forms[i].name, name) ||
				(forms[i].other && !strcmp(forms[i].other, name))))
			return;
	symbol_add(&policy->own, name);
}

void program_init(struct program *program)
{
	*program = (struct program){0};
	program_symbol(program, "Host");
	program_symbol(program, "Guests");
}

void program_done(struct program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		free(program->policies[i].params);
		symbols_done(&program->policies[i].own);
	}
	free(program->policies);
	symbols_done(&program->symbols);
	arena_done(&program->arena);
	*program = (struct program){0};
}

unsigned program_symbol(struct program *program, const char *name)
{
	return symbol_add(&program->symbols, name);
}

bool program_add(struct program *program, const struct policy_source *source,
	struct policy_notes *notes)
{
	struct tree tree;
	if (!parse(&tree, &program->arena, source->text, source->length, notes))
		return false;
	program->policies = mem_grow(program->policies, program->count,
		&program->capacity, sizeof(*program->policies));
	struct policy *policy = &program->policies[program->count++];
	policy->source = *source;
	policy->tree = tree;
	struct binder binder = {program, policy, notes};
	for (size_t i = 0; i < tree.count; i++)
		find_own(policy, tree.forms[i]);
	for (size_t i = 0; i < tree.count; i++)
		bind(&binder, tree.forms[i]);
	return true;
}
