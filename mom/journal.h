/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What was decided about one guest and why: the last decisions, for `momctl explain`. A
 * tick that decides the same again for the same reason only renews the latest entry.
 */

#include "mom/model.h"

#define JOURNAL_ENTRIES 16

struct decision {
	int64_t at_ms;    /* first decided */
	int64_t until_ms; /* last decided alike */
	uint64_t tick;
	enum guest_state state;
	enum host_state host_state;
	bool has_used, has_wish, has_order;
	uint64_t used_kib, demand_kib, cost_kib, actual_kib;
	uint64_t wish_kib, target_kib;
	char policy[64];
	char because[REASON_MAX];
	char guard[REASON_MAX];   /* what the guard changed and why */
	char outcome[REASON_MAX]; /* what came of the order */
};

struct journal {
	struct decision entries[JOURNAL_ENTRIES]; /* ring */
	size_t next, count;
};

/* Write down a decision; gives the entry, new or renewed. */
struct decision *journal_add(struct journal *journal, const struct decision *decision);

/* Entry number `age` back from the latest (0), or NULL past the oldest. */
const struct decision *journal_at(const struct journal *journal, size_t age);

/* What came of the latest order to this target. */
void journal_outcome(struct journal *journal, uint64_t target_kib, const char *outcome);
