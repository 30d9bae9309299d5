/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The guests the engine knows: facts of this tick and what is remembered of each between
 * ticks. Kept by UUID; a guest that left the snapshot is forgotten, and so is one that
 * was started anew meanwhile: its number is another one.
 */

#include "mom/config.h"
#include "mom/estimate.h"
#include "mom/follow.h"
#include "mom/journal.h"
#include "mom/model.h"
#include "mom/rates.h"

struct policy_vars;

struct guest {
	struct guest_facts facts;
	struct guest_settings settings;
	struct guest_track track;
	struct balloon_track balloon;
	enum follow_event followed; /* what this tick found of its balloon */
	enum guest_quality quality;
	enum guest_state state;
	enum guest_state announced; /* the state last logged */
	bool fresh;
	size_t pool; /* index into the engine's pools */
	struct guest_history history;
	int64_t history_ms; /* when the latest sample was pushed */
	struct policy_vars *vars;
	struct wish wish;
	struct journal journal;
	bool resolved;          /* settings are those of … */
	char *resolved_from;    /* … this metadata; owned */
	char *settings_trouble; /* what its settings said last that wasn't right, or NULL
				 */
	uint64_t releasing_kib; /* ordered back to this at the end; 0 not */
	int refusal;            /* of its latest order, to say it once; 0 none */
	uint64_t dry_kib;       /* dry run: the order last told */
	int64_t lines_ms;       /* since then … */
	unsigned lines;         /* … so many lines told of it */
	bool present;           /* in this tick's snapshot */
	struct rates rates;     /* shown, not decided by */
};

struct roster {
	struct guest **guests; /* by UUID */
	size_t count, capacity;
};

/*
 * Take over the snapshot's guests. Their facts move; the snapshot's own are empty after.
 * `gone` is called for each guest that isn't there any more, before it is freed.
 */
void roster_follow(struct roster *roster, struct snapshot *snapshot,
	void (*arrived)(void *context, struct guest *guest),
	void (*gone)(void *context, struct guest *guest), void *context);

void roster_done(struct roster *roster);

/* By UUID, or by name; NULL where there is none. */
struct guest *roster_find(const struct roster *roster, const char *name_or_uuid);
