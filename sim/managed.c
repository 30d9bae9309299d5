/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mom/engine.h"
#include "mom/mem.h"
#include "mom/units.h"
#include "sim/hypervisor.h"
#include "sim/manager.h"

#define IN_DISTRESS    0.5  /* the guard's mark: beyond it growth may use the reserve */
#define FRESH_PERIODS  3    /* statistics older than so many periods, and … */
#define FRESH_LEAST_MS 3000 /* … than this, are too old to shrink by */

/*
 * Other managers at home: no guard behind them, and a pace of their own. They look so
 * often, and decide every so many looks.
 */
struct cadence {
	const char *policy;
	int64_t period_ms;
	unsigned looks;
};

static const struct cadence cadences[] = {
	{"mom-balloon", 5000, 2},
	{"proxmox", 10000, 1},
	{"squeezed", 1000, 1},
	{"esx", 15000, 1},
};

struct managed {
	struct manager_env env;
	struct engine engine;
	struct cadence cadence; /* period_ms 0: the engine's own */
	int64_t due_ms, watch_ms;
	uint64_t looks;
	int64_t *grown_ms; /* by the guest's number: its last order was one to grow; owned
			    */
};

static enum host_state managed_state(void *self)
{
	struct managed *managed = self;
	return pools_state(&managed->engine.pools);
}

static void managed_close(void *self)
{
	struct managed *managed = self;
	if (!managed)
		return;
	engine_close(&managed->engine);
	free(managed->grown_ms);
	free(managed);
}

static bool is_peer(const struct managed *managed)
{
	return managed->cadence.period_ms != 0;
}

static struct cadence cadence_of(const struct manager_env *env)
{
	for (size_t i = 0; i < ARRAY_SIZE(cadences); i++) {
		if (strcmp(cadences[i].policy, env->name) != 0)
			continue;
		return env->peers_ms ? (struct cadence){env->name, env->peers_ms, 1}
				     : cadences[i];
	}
	return (struct cadence){0};
}

static int managed_open(void **self, const struct manager_env *env, struct err *err)
{
	struct managed *managed = mem_alloc(sizeof(*managed));
	managed->env = *env;
	managed->grown_ms = mem_array(env->world->count, sizeof(*managed->grown_ms));
	managed->cadence = env->guarded ? (struct cadence){0} : cadence_of(env);
	if (is_peer(managed))
		env->config->sampling.period_ms = env->config->sampling.tight_period_ms =
			(uint64_t)managed->cadence.period_ms;
	struct engine_env parts = {
		.hypervisor = &sim_hypervisor,
		.hypervisor_context = env->world,
		.collectors = sim_collectors,
		.controllers = sim_controllers,
		.proc_root = "",
		.sys_root = "",
		.unguarded = is_peer(managed),
	};
	int r = engine_open(&managed->engine, env->config, &parts, err);
	if (r < 0) {
		free(managed->grown_ms);
		free(managed);
		return r;
	}
	*self = managed;
	return 0;
}

/* ---- promises ---- */

static void broken(struct managed *managed, const char *promise, const char *guest)
{
	char text[256];
	snprintf(text, sizeof(text), "at %.1f s: %s%s%s",
		(double)managed->engine.now_ms / 1000, promise, *guest ? ": guest " : "",
		guest);
	managed->env.measure->broken++;
	managed->env.broken(managed->env.context, text);
}

/* What a plan adds to the most that a guest may cost. */
static double added(const struct guest *guest, const struct order *order)
{
	const struct guest_sample *sample = &guest->facts.sample;
	uint64_t after =
		guest_cost_kib(sample, max_u64(order->to_kib, sample->actual_kib));
	return fmax((double)after - (double)sample->cost_kib, 0);
}

static size_t number_of(const struct managed *managed, const struct order *order)
{
	struct sim_world *world = managed->env.world;
	return (size_t)(world_find(world, order->uuid) - world->guests);
}

/* Held against what the world knows, not against what the engine made of it. */
static void check_order(
	struct managed *managed, const struct guest *guest, const struct order *order)
{
	size_t number = number_of(managed, order);
	const struct sim_guest *made = &managed->env.world->guests[number];
	const struct guest_settings *settings = &managed->env.settings[number];
	uint64_t max_kib = made->make.max_kib;
	bool reset = guest->state == GUEST_STATE_BOOTING;
	if (order->to_kib > (reset ? max_kib : guest_limit_kib(settings, max_kib)))
		broken(managed, "an order beyond the maximum", order->name);
	if (order->to_kib < guest_floor_kib(settings, max_kib) &&
		order->to_kib < order->from_kib)
		broken(managed, "an order below the minimum", order->name);
	/* the guard's own: a stuck balloon's target goes back, a fixed one's memory too
	 */
	bool returned =
		guest->state == GUEST_STATE_STUCK || guest->state == GUEST_STATE_FIXED;
	bool up = order->to_kib >= order->from_kib;
	if (guest->state != GUEST_STATE_MANAGED && !reset && !(returned && up))
		broken(managed, "an order to a guest that isn't managed", order->name);
	int64_t age_ms = managed->engine.now_ms - made->reported_ms;
	int64_t fresh_ms = (int64_t)managed->engine.config->hypervisor.stats_period_ms *
			   FRESH_PERIODS;
	fresh_ms = fresh_ms > FRESH_LEAST_MS ? fresh_ms : FRESH_LEAST_MS;
	if (order->to_kib < order->from_kib && (!made->reported || age_ms > fresh_ms))
		broken(managed, "a shrink by old statistics", order->name);
}

/* Or boots, and may need its share at any moment. */
static bool somebody_suffers(const struct engine *engine)
{
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest *guest = engine->roster.guests[i];
		if (guest->facts.sample.distress >= IN_DISTRESS ||
			guest->state == GUEST_STATE_BOOTING)
			return true;
	}
	return false;
}

/* What was just given isn't taken back, but for somebody who suffers. */
static void check_steady(struct managed *managed, bool calm)
{
	const struct engine *engine = &managed->engine;
	int64_t settle_ms = (int64_t)engine->config->balloon.settle_ms;
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		int64_t *grown_ms = &managed->grown_ms[number_of(managed, order)];
		bool grows = order->to_kib > order->from_kib;
		if (!grows && calm && *grown_ms && engine->now_ms - *grown_ms < settle_ms)
			broken(managed, "taken back what was just given", order->name);
		*grown_ms = grows ? engine->now_ms : 0;
	}
}

/* The reserve is kept, or the state says why not. */
static enum host_state least_state(const struct host_sample *host)
{
	if (host->available_kib < host->reserve_kib / 5)
		return HOST_CRITICAL;
	if (host->available_kib < host->reserve_kib / 2)
		return HOST_TIGHT;
	return host->available_kib < host->reserve_kib ? HOST_SNUG : HOST_ROOMY;
}

/* The books are never overdrawn, but from the reserve for a guest in distress. */
static void check_plan(struct managed *managed)
{
	const struct engine *engine = &managed->engine;
	const struct host_sample *host = &engine->pools.items[0].sample;
	double more = 0;
	bool distress = false;
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		const struct guest *guest = roster_find(&engine->roster, order->uuid);
		check_order(managed, guest, order);
		more += added(guest, order);
		distress = distress || guest->facts.sample.distress >= IN_DISTRESS;
	}
	double bound = fmax((double)host->budget_kib, (double)host->cost_kib);
	if (distress)
		bound = fmax(bound, (double)(host->budget_kib + host->reserve_kib / 2));
	if (more > 0 && (double)host->cost_kib + more > bound + 1)
		broken(managed, "a plan that costs more than the budget", "");
	check_steady(managed, host->state < HOST_CRITICAL && !somebody_suffers(engine));
	if (host->state < least_state(host))
		broken(managed, "less than the reserve, and the state doesn't say so",
			"");
}

/* What guests may take without asking, in the world's own figures: by the size that their
 * balloons have, and by the one that QEMU told last. */
struct promised {
	double true_kib, told_kib;
};

static struct promised promised(const struct sim_world *world)
{
	struct promised sum = {0};
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present)
			continue;
		sum.true_kib += sim_guest_most(guest, guest->actual);
		sum.told_kib += sim_guest_most(guest, guest->told_actual);
	}
	return sum;
}

/* It is there, or was promised before, whatever the engine's books say; nobody can know
 * better than one of the two. */
static void check_world(struct managed *managed, struct promised before)
{
	const struct sim_world *world = managed->env.world;
	struct promised after = promised(world);
	double has_kib = world_for_guests(world) + world->host.merged;
	if (after.true_kib > fmax(has_kib, before.true_kib) + 1 &&
		after.told_kib > fmax(has_kib, before.told_kib) + 1)
		broken(managed, "more is promised than the host has", "");
}

/* ---- time ---- */

static enum engine_need drain(struct managed *managed)
{
	struct engine *engine = &managed->engine;
	struct hypervisor_event event;
	enum engine_need most = NEED_NOTHING;
	while (sim_hypervisor.next_event(engine->hypervisor_self, &event) > 0) {
		enum engine_need need = engine_event(engine, &event);
		if (need == NEED_TICK || most == NEED_NOTHING)
			most = need;
	}
	return most;
}

static bool is_to_decide(const struct managed *managed)
{
	return !is_peer(managed) || managed->looks % managed->cadence.looks == 0;
}

/* momd's fast watch between ticks, which peers don't have. */
static bool is_urgent(struct managed *managed, int64_t now_ms)
{
	if (is_peer(managed) || now_ms < managed->watch_ms)
		return false;
	const struct engine *engine = &managed->engine;
	managed->watch_ms = now_ms + (int64_t)engine->config->sampling.watch_period_ms;
	return pools_state(&engine->pools) != HOST_ROOMY &&
	       engine_glance(&managed->engine);
}

static void decide(struct managed *managed, int64_t now_ms)
{
	struct promised before = promised(managed->env.world);
	engine_tick(&managed->engine, now_ms);
	if (is_peer(managed))
		return;
	check_plan(managed);
	check_world(managed, before);
}

/* The answers to what engine_begin() asks are there within a step of the world. */
static void look_and_decide(struct managed *managed, int64_t now_ms)
{
	struct engine *engine = &managed->engine;
	engine_begin(engine);
	engine_sample(engine);
	if (drain(managed) != NEED_TICK)
		return;
	if (is_to_decide(managed))
		decide(managed, now_ms);
	else
		engine_look(engine, now_ms);
	managed->looks++;
	managed->due_ms = now_ms + (is_peer(managed) ? managed->cadence.period_ms
						     : (int64_t)engine_period_ms(engine));
}

static void managed_act(void *self, int64_t now_ms)
{
	struct managed *managed = self;
	if (drain(managed) == NEED_ROUND && !is_peer(managed))
		managed->due_ms = now_ms;
	if (now_ms >= managed->due_ms)
		look_and_decide(managed, now_ms);
	else if (is_urgent(managed, now_ms))
		decide(managed, now_ms);
}

const struct manager manager_engine = {
	.help = "mom with this policy",
	.open = managed_open,
	.act = managed_act,
	.state = managed_state,
	.close = managed_close,
};
