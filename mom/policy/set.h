/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A policy set from inside: its sources, and the program that was made of them. */

#include "mom/policy/run.h"

/* One loaded policy: what it was made from, and what came of it. */
struct entry {
	struct policy_source source; /* owns its strings */
	size_t warnings;
	uint64_t runs, failures;
	char trouble[640];
};

struct policy_set {
	struct entry *entries; /* by name */
	size_t count, capacity;
	struct program program; /* its policies are the entries, in the same order */
	struct tunes tunes;
	struct policy_limits limits;

	/* Kept from run to run, to be filled anew. */
	struct arena arena;
	struct hidden *trail;
	size_t trail_capacity;
};
