/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy language, from outside: a set of named policies that is loaded, tuned and
 * run against facts, and gives wishes. Nothing here reads a file, a clock or a socket,
 * logs, or waits; what a run may cost is bounded by `struct policy_limits`.
 *
 * The usual course of a manager:
 *
 *	set = policy_set_new(&limits);
 *	policy_set_load(set, &(struct policy_source){…}, &notes, &err);    for each file
 *	policy_set_tune(set, "idle_tax", "0.5", &err);                     for each
 *tunable policy_run(set, &facts, share_divide, &outcome);                   every tick …
 *outcome.wishes[i] belongs to facts.guests[i] … policy_outcome_done(&outcome);
 *	policy_set_free(set);
 *
 * To swap everything at once (a reload of the configuration), fill a second set and free
 * the first. Variables kept by `SetVar` belong to the guests, not to the set, and
 *survive.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"
#include "mom/model.h"
#include "mom/policy/value.h"

#define POLICY_NAME_MAX 64

/* ---- facts: what a policy may read ---------------------------------------------------
 */

/* What `SetVar` keeps for one guest (or the host) across ticks; NULL is an empty store.
 */
struct policy_vars;
void policy_vars_free(struct policy_vars *vars);

/* Number `index` of what is kept, and its name; NULL past the last. */
const char *policy_vars_at(
	const struct policy_vars *vars, size_t index, struct value *value);

/* Keep a copy of a value, as SetVar does. False: it can't be kept, or not so much. */
bool policy_vars_put(struct policy_vars **vars, const char *name, struct value value);

/*
 * One guest as policies see it. `history` with at least one sample holds its latest
 * values at age 0; everything may be NULL, and is nil then.
 */
struct policy_guest {
	const struct guest_facts *facts; /* name, uuid, id, pid */
	const struct guest_history *history;
	const char *state;         /* the engine's word: guest_state_name() */
	const char *quality;       /* guest_quality_name() */
	bool has_managed, managed; /* takes part in the division: its share is in the
				      host's `divisible` */
	struct policy_vars **vars; /* kept by SetVar; a NULL pointer here keeps nothing */
	const struct policy_object *extra; /* fields from a file of facts; goes first */
};

/*
 * All that one run may read. `Host.mem_*` speak of the budget where one is set: the host
 * samples handed in here are then the pool's picture, with its limit as the total.
 */
struct policy_facts {
	const struct host_history *host;
	struct policy_vars **host_vars;
	const struct policy_object *host_extra;
	const struct policy_guest *guests;
	size_t guest_count;
	const struct policy_object *variables; /* more variables by name, or NULL */
};

/*
 * Facts that come from a file: values, and objects made up field by field. All of it
 * lives in the builder and goes with it.
 */
struct policy_builder;
struct policy_builder *policy_builder_new(void);
void policy_builder_free(struct policy_builder *builder);
struct value policy_build_text(struct policy_builder *builder, const char *text);
struct value policy_build_list(
	struct policy_builder *builder, const struct value *items, size_t count);
struct policy_object *policy_build_object(struct policy_builder *builder);

/* A field's latest value, in place of an earlier one. */
void policy_object_set(
	struct policy_object *object, const char *name, struct value value);

/* One more value of its history, oldest first; the last is the latest where none is set.
 */
void policy_object_add(
	struct policy_object *object, const char *name, struct value value);

/* Field number `index` with its latest value; NULL past the last. */
const char *policy_object_at(
	const struct policy_object *object, size_t index, struct value *value);

/* ---- messages ------------------------------------------------------------------------
 */

enum policy_level { POLICY_ERROR, POLICY_WARNING, POLICY_DEBUG };

/* One finding of the parser or the checker. */
struct policy_note {
	enum policy_level level; /* errors refuse the policy, warnings don't */
	unsigned line, column;   /* from 1 */
	char text[256];
};

struct policy_notes {
	struct policy_note *items;
	size_t count, capacity;
	size_t errors; /* of them, how many are errors */
};

void policy_notes_done(struct policy_notes *notes);

/* The source of a policy. `file` is what messages call it; `name` orders the policies. */
struct policy_source {
	const char *name;
	const char *file; /* NULL: the name */
	const char *text;
	size_t length;
	bool shadow;    /* runs beside the others, without effect */
	bool unchecked; /* only its syntax is: what is wrong fails when it is reached */
};

/*
 * A note for people: "file:line:column: text", the line it is about, and a caret under
 * it; three lines, each ended. A new string, owned by the caller.
 */
char *policy_note_format(
	const struct policy_note *note, const struct policy_source *source);

/* What a run has to say: a runtime error, a warning, or a `debug`. */
struct policy_message {
	enum policy_level level;
	char policy[POLICY_NAME_MAX];
	char file[128];
	unsigned line, column;
	char guest[GUEST_NAME_MAX]; /* the guest it was at, or "" */
	bool shadow;
	char text[256];
};

/* ---- a set of policies ----------------------------------------------------------------
 */

/* What one policy may cost in one run. Zero takes the default of policy_limits_default().
 */
struct policy_limits {
	uint64_t steps;      /* forms evaluated */
	uint64_t depth;      /* calls within calls */
	uint64_t list;       /* elements of a list */
	uint64_t string;     /* bytes of a string */
	uint64_t memory_kib; /* all that it makes */
};

struct policy_limits policy_limits_default(void);

struct policy_set;
struct policy_set *policy_set_new(const struct policy_limits *limits); /* or NULL */
void policy_set_free(struct policy_set *set);
void policy_set_limit(struct policy_set *set, const struct policy_limits *limits);

/*
 * Load a policy, in place of one of the same name. It is whole or not at all: the one in
 * force stays until the new one has passed its check.
 *
 * Shape:  warnings and errors are added to `notes` (zeroed by the caller, may be NULL).
 * Errors: -EINVAL refused; `err` has the first error as "file:line:column: text".
 */
int policy_set_load(struct policy_set *set, const struct policy_source *source,
	struct policy_notes *notes, struct err *err);

/*
 * Check a policy beside those of the set (which may be NULL), without loading it.
 *
 * Errors: as policy_set_load().
 */
int policy_set_check(struct policy_set *set, const struct policy_source *source,
	struct policy_notes *notes, struct err *err);

/* Errors: -ENOENT no policy of that name; the text names those there are. */
int policy_set_unload(struct policy_set *set, const char *name, struct err *err);

/* One loaded policy, as `policy list` and `policy show` tell it. Valid until the next
 * change. */
struct policy_info {
	const char *name, *file;
	const char *text; /* its source */
	size_t length;
	bool shadow;
	size_t params;       /* how many tunables it declares */
	size_t warnings;     /* found when it was loaded */
	uint64_t runs;       /* since it was loaded */
	uint64_t failures;   /* runs that an error ended or cost a guest its round */
	const char *trouble; /* its last error, or "" */
};

size_t policy_set_count(const struct policy_set *set);
struct policy_info policy_set_at(const struct policy_set *set, size_t index);
bool policy_set_find(
	const struct policy_set *set, const char *name, struct policy_info *info);

/* One tunable, all its values as text. */
struct policy_param {
	char name[POLICY_NAME_MAX];
	char policy[POLICY_NAME_MAX]; /* who declares it */
	char value[64], fallback[64];
	char low[32], high[32]; /* "" where unbounded */
	char help[160];
	bool tuned; /* value was set from outside … */
	bool live;  /* … while running */
};

/* All tunables by policy and place; a new array, owned by the caller. */
struct policy_param *policy_set_params(const struct policy_set *set, size_t *count);

/*
 * Give a tunable another value, by the configuration or while running, which goes first.
 * One that no policy declares yet may be set too (`known` tells; NULL where nobody asks):
 * it holds when such a policy is loaded.
 *
 * Shape:  a number as the language writes it, true, false, or else a string.
 * Errors: -EINVAL not a number where the default is one; -ERANGE out of its bounds.
 */
int policy_set_configure(struct policy_set *set, const char *name, const char *value,
	bool *known, struct err *err);
int policy_set_tune(struct policy_set *set, const char *name, const char *value,
	bool *known, struct err *err);

/* Back to what is configured. Errors: -ENOENT it was not set while running. */
int policy_set_untune(struct policy_set *set, const char *name, struct err *err);

/* ---- a run ----------------------------------------------------------------------------
 */

/* One top-level expression's value; for `policy eval`. */
struct policy_outcome {
	struct wish *wishes; /* one a guest of the facts, in their order */
	size_t wish_count, wish_capacity;
	struct host_wish knobs[HOST_KNOB_COUNT];

	bool has_shadow; /* shadow policies ran; what they would have wished: */
	struct wish *shadow_wishes;
	size_t shadow_capacity;
	struct host_wish shadow_knobs[HOST_KNOB_COUNT];

	struct policy_message *messages; /* the first of them … */
	size_t message_count, message_capacity;
	size_t messages_dropped; /* … and how many more there were */

	size_t failed_policies; /* ended by an error */
	size_t failed_rounds;   /* guests' rounds lost to one */
	uint64_t steps;         /* taken */

	bool keep_values;     /* asked for before the run: values of top-level forms */
	struct value *values; /* valid until the set's next run */
	size_t value_count, value_capacity;
};

void policy_outcome_done(struct policy_outcome *outcome);

/*
 * Run all policies in the order of their names. `outcome` is zeroed before its first use
 * and may be used again: a run empties it.
 *
 * Shape:  always comes back, with a wish for each guest that a policy set one for; the
 *         last policy that sets a knob wins. What a failed policy, or a failed guest's
 *         round, had set is dropped, and what stood before stands.
 * Units:  targets in KiB, a negative one told as 0: the guard has the last word.
 */
void policy_run(struct policy_set *set, const struct policy_facts *facts,
	divide_fn divide, struct policy_outcome *outcome);

/* Where the shadow policies would have decided otherwise. */
struct policy_difference {
	char guest[GUEST_NAME_MAX]; /* "" for a knob of the host */
	char knob[32];
	bool has_active, has_shadow;
	int64_t active, shadow;
	char active_because[REASON_MAX], shadow_because[REASON_MAX];
};

/* A new array, owned by the caller. */
struct policy_difference *policy_diff(const struct policy_facts *facts,
	const struct policy_outcome *outcome, size_t *count);

/*
 * A policy's source in canonical layout, comments kept; a new string, owned by the
 * caller, or NULL with the syntax error in `notes`.
 */
char *policy_format(const struct policy_source *source, struct policy_notes *notes);
