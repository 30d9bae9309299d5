/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/bind.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/bind_inside.h"

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

static const char *keep_text(struct binder *binder, const char *text)
{
	return arena_copy(&binder->program->arena, text, strlen(text));
}

void bind_trouble(struct binder *binder, struct node *node, const struct node *at,
	enum policy_level level, const char *text)
{
	if (!node->trouble) {
		node->trouble = keep_text(binder, text);
		node->culprit = at;
	}
	note_add(binder->notes, level, at->line, at->column, "%s", text);
}

static bool is_operator(const char *name)
{
	return strchr("+-*/<>=!", *name) != NULL;
}

bool bind_is_plain(const struct node *node)
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

struct step bind_step(struct binder *binder, const char *name, size_t length)
{
	const char *copy = arena_copy(&binder->program->arena, name, length);
	return (struct step){.name = copy,
		.host = field_find(host_fields, copy),
		.guest = field_find(guest_fields, copy)};
}

void bind_path(struct binder *binder, struct node *node, const char *name)
{
	struct program *program = binder->program;
	const char *dot = strchr(name, '.');
	size_t length = dot ? (size_t)(dot - name) : strlen(name);
	if (length == 3 && !memcmp(name, "nil", length))
		BIND_TROUBLE(binder, node, node, "nil has no fields and no methods");
	node->symbol = program_symbol(program, arena_copy(&program->arena, name, length));
	size_t dots = count_dots(name);
	struct step *steps = arena_alloc(&program->arena, dots * sizeof(*steps));
	for (size_t i = 0; dot; i++) {
		const char *field = dot + 1;
		dot = strchr(field, '.');
		length = dot ? (size_t)(dot - field) : strlen(field);
		steps[i] = bind_step(binder, field, length);
	}
	node->steps = steps;
	node->step_count = dots;
}

static void bind_name(struct binder *binder, struct node *node)
{
	if (!strcmp(node->name, "nil"))
		node->kind = NODE_VALUE;
	else if (is_operator(node->name))
		BIND_TROUBLE(binder, node, node,
			"'%s' has no value; it goes first in a list", node->name);
	else
		bind_path(binder, node, node->name);
}

bool bind_target(struct binder *binder, struct node *node, struct node *name)
{
	if (name->kind == NODE_NAME && strchr(name->name, '.')) {
		BIND_TROUBLE(binder, node, name, "'%s': an object's field can't be set",
			name->name);
	} else if (name->kind == NODE_NAME && !strcmp(name->name, "nil")) {
		BIND_TROUBLE(binder, node, name, "nil is a constant");
	} else if (!bind_is_plain(name)) {
		BIND_TROUBLE(binder, node, name, "a name is expected here: %s",
			node->form->usage);
	} else {
		name->symbol = program_symbol(binder->program, name->name);
		return true;
	}
	return false;
}

bool bind_is_text(const struct node *node)
{
	return node->kind == NODE_VALUE && node->value.kind == VALUE_STRING;
}

/* ---- lists ----------------------------------------------------------------------------
 */

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

bool bind_count_fits(struct binder *binder, struct node *node, const char *name,
	unsigned least, unsigned most, const char *usage)
{
	size_t given = node->count - 1;
	if (given >= least && (most == MANY || given <= most))
		return true;
	if (least == most)
		BIND_TROUBLE(binder, node, node, "'%s' takes %u argument%s, not %zu: %s",
			name, least, plural(least), given, usage);
	else if (given < least)
		BIND_TROUBLE(binder, node, node, "'%s' takes at least %u argument%s: %s",
			name, least, plural(least), usage);
	else
		BIND_TROUBLE(binder, node, node,
			"'%s' takes at most %u argument%s, not %zu: %s", name, most,
			plural(most), given, usage);
	return false;
}

void bind_rest(struct binder *binder, struct node *node, size_t first)
{
	for (size_t i = first; i < node->count; i++)
		bind_node(binder, node->items[i]);
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
		bind_trouble(binder, node, head, POLICY_WARNING,
			"a list begins with the name of a form or a function");
	} else if (strchr(head->name, '.')) {
		bind_method(binder, node);
	} else if ((node->form = find_form(binder, head->name))) {
		const struct form *form = node->form;
		if (bind_count_fits(binder, node, head->name, form->least, form->most,
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

void bind_node(struct binder *binder, struct node *node)
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
		bind_node(&binder, tree.forms[i]);
	return true;
}
