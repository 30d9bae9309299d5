/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The state of one run: scopes, limits, what was set, and how a failure travels. Failing
 * is a long jump to the nearest guarded place (a guest's round, or the policy), where
 * scopes and controls are put back; nothing needs freeing on the way, for all memory is
 * the run's arena.
 */

#include <setjmp.h>

#include "mom/policy/bind.h"

/* A variable's place: `level` says in which scope it was made, 0 that there is none. */
struct cell {
	struct value value;
	unsigned level;
	unsigned guard; /* the guard that knows what it was before */
};

/* A variable that a scope hides or makes, and what was there before. */
struct hidden {
	unsigned symbol;
	struct cell cell;
};

struct control {
	bool is_set;
	int64_t value;
	const struct policy *policy;
	const struct text *because;
};

struct kept;
struct undo;

/* A tunable's value from outside. */
struct tune {
	char *name;
	bool live;           /* set while running: goes before what is configured */
	struct text *text;   /* as it was given */
	struct value number; /* what it says as a number; nil where it is none */
};

struct tunes {
	struct tune *items;
	size_t count, capacity;
};

struct run {
	const struct program *program;
	const struct policy_facts *facts;
	const struct tunes *tunes;
	struct policy_limits limits;
	divide_fn divide;
	struct arena *arena;
	struct policy_outcome *outcome;

	struct cell *cells;            /* by symbol */
	const struct node **functions; /* by symbol: the (def …) reached last */
	struct hidden *trail;          /* to be put back when scopes end */
	size_t trail_count, trail_capacity;
	unsigned level;

	uint64_t steps;
	uint64_t depth, calls; /* forms in forms; of them, calls */
	const struct text *because;
	struct control *guest_controls; /* one a guest */
	struct control host_controls[HOST_KNOB_COUNT];
	struct undo *undo; /* latest first */

	const struct policy *policy;
	const struct policy_guest *guest; /* whose round it is, or NULL */
	bool shadow;

	jmp_buf *guard;
	unsigned guard_level;      /* the scope it was set in */
	unsigned guarded, guards;  /* its number, and how many there were */
	const struct node *failed; /* where */
	bool fatal;                /* no guest's round may catch it */
	char fault[200];
};

/* ---- failing --------------------------------------------------------------------------
 */

_Noreturn void run_fail(struct run *run, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Over a limit of the whole run: ends the policy. */
_Noreturn void run_fail_limit(struct run *run, const struct node *node,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Evaluate with a failure caught: scopes, controls and variables are then as before.
 *
 * Errors: false; the failure has become a message.
 */
typedef struct value (*run_body)(struct run *run, const struct node *node);
bool run_guarded(
	struct run *run, const struct node *node, run_body body, struct value *result);

void run_message(struct run *run, enum policy_level level, const struct node *node,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- scopes ---------------------------------------------------------------------------
 */

struct scope {
	size_t trail_count;
};

struct scope run_enter(struct run *run);
void run_leave(struct run *run, struct scope scope);
void run_bind(struct run *run, const struct node *node, unsigned symbol,
	struct value value); /* in the innermost scope */
void run_set(struct run *run, const struct node *node, unsigned symbol,
	struct value value); /* a variable that there is */

/* ---- limited memory -------------------------------------------------------------------
 */

void run_steps(struct run *run, const struct node *node, uint64_t steps);
void *run_alloc(struct run *run, const struct node *node, size_t size);
struct text *run_text_new(struct run *run, const struct node *node, size_t length);
struct value run_text(struct run *run, const struct node *node, const char *bytes);
struct list *run_list_new(struct run *run, const struct node *node, size_t count);
struct value run_list(struct run *run, const struct node *node, struct list *list);

/* ---- controls -------------------------------------------------------------------------
 */

void run_control(
	struct run *run, const struct node *node, struct control *control, int64_t value);
void run_set_var(struct run *run, const struct node *node, struct policy_vars **vars,
	const char *name, struct value value);

/* Take all back that was set since `until`, or let it stand for good. */
void run_undo(struct run *run, struct undo *until);
void run_commit(struct run *run);
