/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A policy as a tree: values, names and lists, each with its place in the text. The
 * parser fills the first part of a node, bind.c the second, and the evaluator walks it.
 */

#include "mom/policy/arena.h"
#include "mom/policy/policy.h"

enum node_kind {
	NODE_VALUE, /* a number, a string or nil */
	NODE_NAME,
	NODE_LIST,  /* ( … ) or [ … ] */
	NODE_BLOCK, /* { … } */
};

struct comment {
	struct comment *next;
	const char *text; /* from its # on */
	size_t length;
	bool blank_before;
};

/* What only the canonical layout needs. */
struct layout {
	struct comment *before; /* lines of comment above it */
	struct comment *beside; /* one behind it, on its line */
	struct comment *within; /* in a list, behind its last element */
	bool blank_before;      /* an empty line stands above it */
	const char *start;      /* a number's or a string's own writing */
	size_t length;
};

struct form;
struct field;

/* One field reached by a dot; what it means on a host or a guest, NULL where nothing. */
struct step {
	const char *name;
	const struct field *host, *guest;
};

struct node {
	enum node_kind kind;
	unsigned line, column;
	struct value value; /* NODE_VALUE */
	const char *name;   /* NODE_NAME, whole */
	struct node **items;
	size_t count;
	char open; /* the bracket of a list */
	struct layout layout;

	/* Bound: what it means. */
	const struct form *form;  /* of a list or a block */
	unsigned symbol;          /* variable of a name, or of a method's object; function
				     of a call, variable that a form binds */
	const struct step *steps; /* fields behind the variable */
	size_t step_count;
	const struct step *asked;   /* field that a method's first argument names */
	unsigned method;            /* enum method */
	const char *trouble;        /* why it can't be evaluated … */
	const struct node *culprit; /* … and for what in it */
};

struct tree {
	struct node **forms;
	size_t count;
	struct comment *within; /* comments behind the last form */
};

/*
 * Parse a text into a tree, all of it in `arena`.
 *
 * Errors: false with what is wrong added to `notes`; the tree is not to be used then.
 */
bool parse(struct tree *tree, struct arena *arena, const char *text, size_t length,
	struct policy_notes *notes);
