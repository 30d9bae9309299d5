/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One tick: collect, estimate, wish, guard, act, write down. The engine knows interfaces,
 * never a real part; time is handed in, so that the same code runs on a clock that is a
 * number.
 */

#include "mom/collector.h"
#include "mom/config.h"
#include "mom/controller.h"
#include "mom/hypervisor.h"
#include "mom/live.h"
#include "mom/model.h"
#include "mom/occurrence.h"
#include "mom/policy/policy.h"
#include "mom/pools.h"
#include "mom/reserve.h"
#include "mom/roster.h"
#include "mom/tally.h"

/* A part that is at work, and whether it failed last time. */
struct engine_collector {
	const struct collector *part;
	void *self; /* NULL: it couldn't be opened */
	bool failing;
	struct err trouble; /* why it isn't there, or failed last */
};

struct engine_controller {
	const struct controller *part;
	void *self;
	bool failing;
	struct err trouble; /* why it failed last */
};

/* The host's swapping, from counters to rates. */
struct swap_track {
	bool seen;
	int64_t since_ms; /* the rates are told anew from here */
	uint64_t since_in_pages, since_out_pages;
	uint64_t in_pages, out_pages; /* at the last tick */
	double in_per_s, out_per_s;
};

struct engine_env {
	const struct hypervisor *hypervisor;
	void *hypervisor_context;                    /* handed to its open() */
	const struct collector *const *collectors;   /* ends with NULL */
	const struct controller *const *controllers; /* ends with NULL */
	const char *proc_root, *sys_root;
	const char *live_path;  /* NULL: live settings aren't kept */
	bool dry_run;           /* whatever the configuration says */
	occurrence_fn occurred; /* told all that is worth a line; NULL: just logged */
	void *occurred_context;
	/* Shown what was collected, before anything is made of it; may be NULL. */
	void (*collected)(void *context, const struct snapshot *snapshot);
	void *collected_context;
	bool unguarded; /* wishes are orders: for made-up hosts alone */
};

/* What policies complained of in one tick. */
struct complaints {
	struct policy_message *items;
	size_t count, capacity;
};

struct engine {
	struct config *config; /* owned */
	struct engine_env env;
	void *hypervisor_self;
	struct engine_collector *collectors;
	size_t collector_count;
	struct engine_controller *controllers;
	size_t controller_count;

	struct policy_set *policies;
	struct policy_outcome outcome;
	struct policy_difference *differences; /* of shadow policies, in the last tick */
	size_t difference_count;
	struct live live;

	struct snapshot snapshot;
	struct snapshot glance;
	struct swap_track swapping;
	bool node_short; /* a NUMA node is, and it was told */
	struct roster roster;
	struct pools pools;
	struct plan plan;
	struct host_wish told_knobs[HOST_KNOB_COUNT];

	bool connected;
	bool unmet;      /* what is reserved isn't all there yet */
	size_t ask_next; /* whose turn it is to be asked for statistics */
	uint64_t ticks;
	int64_t now_ms, moved_ms; /* this tick, the last order */
	uint64_t orders, orders_failed;
	struct tally tally;
	struct complaints complained,
		complaining; /* last tick and this, to say it once */
};

/*
 * Begin to work with a configuration, which is the engine's from then on (whatever is
 * returned).
 *
 * Errors: -EINVAL a policy that can't be loaded or a hypervisor URI that can't be one. A
 *         collector that can't be opened is said once and left out.
 */
int engine_open(struct engine *engine, struct config *config,
	const struct engine_env *env, struct err *err);
void engine_close(struct engine *engine);

/*
 * Swap the whole configuration and its policies, or nothing. Parts are opened anew; what
 * was learned of guests stays, but where the hypervisor's own settings changed.
 *
 * Errors: as engine_open(); the old configuration goes on then, and `config` is freed.
 */
int engine_reconfigure(struct engine *engine, struct config *config, struct err *err);

/*
 * A round begins: guests that may move are asked for new statistics, ahead of their
 * period. Returns how long their answers take (ms); engine_sample() follows then.
 */
uint64_t engine_begin(struct engine *engine);

/* Have the hypervisor sample; a tick follows its EVENT_ROUND_DONE. */
void engine_sample(struct engine *engine);

/*
 * What policies see of one pool: fills `facts`, with `members` (room for the whole
 * roster) as its guests. Good until the next tick.
 */
void engine_facts(struct engine *engine, size_t pool, struct policy_guest *members,
	struct policy_facts *facts);

/* What an event calls for. */
enum engine_need {
	NEED_NOTHING,
	NEED_ROUND, /* engine_begin(), ahead of time */
	NEED_TICK,  /* engine_tick() */
};

enum engine_need engine_event(
	struct engine *engine, const struct hypervisor_event *event);

void engine_tick(struct engine *engine, int64_t now_ms);

/* What became of an order: 0, or a negative errno of mom/hypervisor.h. */
void engine_order_done(struct engine *engine, const char *uuid, uint64_t target_kib,
	int result, const char *text);

/*
 * A cheap look at the memory left, between ticks. True when it fell so far that a tick is
 * due at once, with the figures there are.
 */
bool engine_glance(struct engine *engine);

/* The first half of a tick: facts and figures are brought up to date, nothing is
 * decided. */
void engine_look(struct engine *engine, int64_t now_ms);

/* How long after the last tick the next one should begin. */
uint64_t engine_period_ms(const struct engine *engine);

/*
 * Order every squeezed guest back to its maximum, where the host has room for all.
 * Returns how many orders left.
 */
size_t engine_release(struct engine *engine);

/* Whether this is the answer to such an order; true once for each. */
bool engine_released(struct engine *engine, const struct hypervisor_event *event);

bool engine_dry_run(const struct engine *engine);

/* ---- reservations: mom/engine_reserve.c ---- */

/*
 * Keep memory for a guest that is to come.
 *
 * Shape:  `wanted` has name, size and expiry; `pool` is the name of a pool, "host" or
 * NULL (where most guests live). Gives its number, or 0 where even with all guests at
 * their least there isn't room: then nothing is kept. `*look` tells how it stands.
 * Errors: -EAGAIN what is left isn't known; -EEXIST the guest is there already; -ENOENT
 * no such pool.
 */
int engine_reserve(struct engine *engine, struct reservation *wanted, const char *pool,
	struct reserve_look *look, struct err *err);

/* How one stands that is kept, or that would be. Errors: -ENOENT no such pool. */
int engine_reserve_pool(const struct engine *engine, const char *name,
	struct reservation *wanted, struct err *err);
void engine_reserve_look(const struct engine *engine,
	const struct reservation *reservation, struct reserve_look *look);

/* For the tick: end those that are over, and set the pools' claims. */
void engine_reserve_follow(struct engine *engine);

/* For the tick, once all is estimated: whether more has to be made free. */
void engine_reserve_judge(struct engine *engine);

/* For the tick: wishes for less say for whom. */
void engine_reserve_explain(struct engine *engine, size_t pool);
