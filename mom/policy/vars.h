/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `SetVar` keeps for a guest from tick to tick. A kept value is a copy of its own;
 * setting one gives the old one back, so that a failed round can be undone.
 */

#include "mom/policy/policy.h"

#define VARS_MOST       64                  /* names a guest */
#define VARS_MOST_BYTES ((size_t)64 * 1024) /* for all of them */

struct kept; /* one value, with all that it points to */

/* Is it small enough to be kept at all? To be asked before a copy is made. */
bool kept_fits(struct value value);

/* A copy, or NULL where the value can't be kept: an object. */
struct kept *kept_new(struct value value);
void kept_free(struct kept *kept);

/* The value, or nil. It is valid until it is set again. */
struct value vars_get(const struct policy_vars *vars, const char *name);

/*
 * Put `kept` (owned from now on; NULL takes the name out) in the place of the old value,
 * which goes to the caller.
 *
 * Errors: false where the store is full; nothing is changed or taken then.
 */
bool vars_swap(struct policy_vars **vars, const char *name, struct kept *kept,
	struct kept **old);
