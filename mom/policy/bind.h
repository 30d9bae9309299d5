/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From trees to a program: every list learns which form it is, every name which variable,
 * every dot which field. A form that is written wrongly doesn't stop the binding: it is
 * noted, and evaluating it fails with the same words. The checker refuses it before; only
 * `policy eval` runs a policy that wasn't checked.
 */

#include "mom/policy/fields.h"
#include "mom/policy/parse.h"
#include "mom/policy/symbols.h"

#define MANY 255 /* no limit to a form's arguments */

enum form_id {
#define FORM(id, ...) FORM_##id,
#include "mom/policy/forms.def"
#undef FORM
	FORM_BLOCK,
	FORM_EMPTY,   /* (): the empty list */
	FORM_CALL,    /* of a function that a policy defines */
	FORM_METHOD,  /* (guest.Stat …) */
	FORM_TROUBLE, /* can't be evaluated: node->trouble */
	FORM_COUNT,
};

struct form {
	enum form_id id;
	const char *name, *other; /* "" for those without a word */
	unsigned least, most;     /* arguments */
	bool mom;
	const char *usage, *help;
};

extern const struct form forms[FORM_COUNT];

enum method {
	METHOD_PROP,
	METHOD_STAT,
	METHOD_STAT_AVG,
	METHOD_SET_VAR,
	METHOD_GET_VAR,
	METHOD_CONTROL,
	METHOD_GET_CONTROL,
	METHOD_COUNT,
};

struct method_info {
	const char *name;
	unsigned least, most;
	const char *usage, *help;
};

extern const struct method_info methods[METHOD_COUNT];

/* Numbers that every program has. */
enum { SYMBOL_HOST, SYMBOL_GUESTS, SYMBOL_FIXED };

struct policy {
	struct policy_source source; /* its strings belong to the set */
	struct tree tree;
	struct node **params; /* its (param …) forms */
	size_t param_count, param_capacity;
	struct symbols own; /* functions it defines itself */
};

struct program {
	struct arena arena;
	struct symbols symbols;
	struct policy *policies; /* by name */
	size_t count, capacity;
};

void program_init(struct program *program);
void program_done(struct program *program);

unsigned program_symbol(struct program *program, const char *name);

/*
 * Parse and bind one more policy.
 *
 * Errors: false where it doesn't parse; what is wrong is added to `notes`, also where it
 *         parses but holds forms that are written wrongly.
 */
bool program_add(struct program *program, const struct policy_source *source,
	struct policy_notes *notes);
