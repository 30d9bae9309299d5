/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Budgets and those who live on them: the host, and each memory cgroup that limits
 * guests. Every pool is seen by its guests as a host of its own.
 */

#include "mom/config.h"
#include "mom/estimate.h"
#include "mom/guard.h"
#include "mom/model.h"
#include "mom/roster.h"

struct pool {
	char path[CGROUP_PATH_MAX]; /* "" for the host */
	struct pool_facts facts;
	struct host_sample sample; /* the host as the pool's guests see it */
	struct host_history history;
	int64_t history_ms;       /* when the latest sample was pushed */
	struct policy_vars *vars; /* kept by policies' Host.SetVar */
	struct host_track track;
	enum host_state announced; /* the state last logged */
	bool reserve_cut;          /* host.reserve would be too much of it … */
	bool cut_told;             /* … and that was said */
	bool exhausted;            /* nothing could be taken at the last plan */
	uint64_t claim_kib;        /* reserved for guests that are to come */
	bool blind; /* what it has left isn't known: nobody is moved by it */
	size_t guest_count, managed_count;
};

struct pools {
	struct pool *items; /* 0 is the host, always there */
	size_t count, capacity;
};

/* Bring the pools in line with the snapshot's, and put every guest into its own. */
void pools_follow(
	struct pools *pools, const struct snapshot *snapshot, struct roster *roster);
void pools_done(struct pools *pools);

/*
 * Fill each pool's picture and state from the host's sample, the cgroups' figures and the
 * guests' costs. A pool that nothing is known of is blind: it has no budget, and keeps
 * its state.
 */
void pools_estimate(struct pools *pools, const struct host_sample *host,
	const struct config *config, struct roster *roster, uint64_t reaction_ms,
	int64_t now_ms);

/*
 * Whether a glance at the memory left shows a pool worse off than its state says, or
 * critical: then the next tick can't wait.
 */
bool pools_alarm(const struct pools *pools, const struct snapshot *glance);

/* The pool that most guests live in, the host where none has more; its index. */
size_t pools_busiest(const struct pools *pools);

/* The worst state of all pools that have guests; of the host where none has. */
enum host_state pools_state(const struct pools *pools);
