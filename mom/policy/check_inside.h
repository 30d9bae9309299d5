/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The checker, inside: what its files tell each other. Each infers the type of what a
 * part of the language gives, and notes what is wrong with it on the way; check.c says
 * which form is whose.
 */

#include "mom/policy/check.h"
#include "mom/policy/note.h"
#include "mom/policy/types.h"

/* What is known of one name, as a variable and as a function. */
struct known {
	struct type type;          /* of all that is ever bound to it */
	bool bound, global;        /* anywhere; at the top level */
	size_t lexical;            /* place in the trail + 1 of its innermost binding */
	const struct node *def;    /* the function */
	struct type result;        /* of the function */
	bool called, many_arities; /* definitions differ in their number of parameters */
};

struct binding {
	unsigned symbol;
	size_t before; /* `lexical` of the name outside */
};

struct checker {
	const struct program *program;
	struct known *known; /* by symbol */
	struct binding *trail;
	size_t trail_count, trail_capacity;
	size_t base;                 /* where the trail of this function begins */
	const struct node *function; /* whose body this is, or NULL */
	unsigned depth;              /* scopes around; 0 at the top level */
	struct policy_notes *notes;  /* NULL while types settle */
	bool changed;
};

#define CHECK_ERROR(checker, node, ...)                                                  \
	note_add((checker)->notes, POLICY_ERROR, (node)->line, (node)->column,           \
		__VA_ARGS__)
#define CHECK_WARN(checker, node, ...)                                                   \
	note_add((checker)->notes, POLICY_WARNING, (node)->line, (node)->column,         \
		__VA_ARGS__)

/* The type of any node; check.c. */
struct type check_node(struct checker *checker, const struct node *node);

/* ---- names, check_names.c ---- */

const char *check_name(const struct checker *checker, unsigned symbol);

/* All that a name is ever bound to: `type` grows by another. */
void check_widen(struct checker *checker, struct type *type, struct type by);

/* A scope; leaving wants the mark that entering gave. */
size_t check_enter(struct checker *checker);
void check_leave(struct checker *checker, size_t mark);

void check_bind(struct checker *checker, const struct node *name, struct type type);

/* A name is read or set, at that node. */
void check_use(struct checker *checker, const struct node *node, unsigned symbol);

/* ---- fields, knobs and methods, check_objects.c ---- */

struct type check_path(struct checker *checker, const struct node *node);
struct type check_method(struct checker *checker, const struct node *node);

/* ---- numbers, check_numbers.c ---- */

/* Nothing is known of it, so nothing is wrong. */
bool check_is_open(struct type type);

struct type check_arithmetic(struct checker *checker, const struct node *node);
struct type check_order(struct checker *checker, const struct node *node);

/* min, max, clamp: all are alike, and so is the result. */
struct type check_extreme(struct checker *checker, const struct node *node);
struct type check_abs(struct checker *checker, const struct node *node);

/* ---- lists, check_lists.c ---- */

struct type check_with(struct checker *checker, const struct node *node);
struct type check_over(struct checker *checker, const struct node *node);
struct type check_share_out(struct checker *checker, const struct node *node);
