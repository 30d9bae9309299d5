/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/engine.h"

#include <stdio.h>
#include <string.h>

#include "mom/announce.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"

#define BALLOON_MS      500  /* a balloon's answer to an order, until one was measured */
#define BALLOON_MOST_MS 3000 /* slower ones are no measure for the others */
#define SWAP_OVER_S     0.5  /* swapping is told as a rate over this at least */

/* Who may only look at the hypervisor orders nothing, there or on the host. */
bool engine_dry_run(const struct engine *engine)
{
	struct hypervisor_status status = {0};
	engine->env.hypervisor->status(engine->hypervisor_self, &status);
	return engine->env.dry_run || engine->config->dry_run || status.read_only;
}

static struct guard_terms guard_terms(const struct config *config)
{
	return (struct guard_terms){
		.follow =
			{
				.hold_off_ms = config->balloon.hold_off_ms,
				.stuck_ms = config->balloon.stuck_ms,
				.stuck_most_ms = config->balloon.stuck_pause_ms,
				.step_kib = config->balloon.step_kib,
				.step_ratio = config->balloon.step_ratio,
			},
		.settle_ms = config->balloon.settle_ms,
		.shrink_ratio = config->balloon.shrink_ratio,
		.safety_kib = config->balloon.safety_kib,
	};
}

/* From a guest's growth to memory given: a tick, and the balloon that gives it up. */
static uint64_t reaction_ms(const struct engine *engine)
{
	uint64_t sum_ms = 0, count = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		uint64_t answer_ms = engine->roster.guests[i]->balloon.answer_ms;
		sum_ms += answer_ms;
		count += answer_ms > 0;
	}
	uint64_t balloon_ms = count ? sum_ms / count : BALLOON_MS;
	return engine_period_ms(engine) + min_u64(balloon_ms, BALLOON_MOST_MS);
}

/* ---- collect ---- */

/* Run one collector; its first failure is a line, its recovery another. */
static void collect_one(struct engine *engine, struct engine_collector *collector)
{
	struct err err;
	if (!collector->self)
		return;
	bool failed =
		collector->part->sample(collector->self, &engine->snapshot, &err) < 0;
	if (failed && !collector->failing)
		announce_part(engine, LOG_LEVEL_WARNING, collector->part->name, err.text,
			"; going on without it");
	else if (!failed && collector->failing)
		announce_part(
			engine, LOG_LEVEL_INFO, collector->part->name, "works again", "");
	collector->failing = failed;
	if (failed)
		collector->trouble = err;
}

/*
 * Swapping as a rate; the amount in swap is history, not pressure. The kernel swaps in
 * bursts and ticks may follow one another at once, so it takes a while to tell a rate.
 */
static void follow_swapping(struct engine *engine)
{
	const struct snapshot *snapshot = &engine->snapshot;
	struct host_sample *host = &engine->snapshot.host;
	struct swap_track *track = &engine->swapping;
	uint64_t in = snapshot->host_swap_in_pages, out = snapshot->host_swap_out_pages;
	if (!host->has_vmstat) {
		track->seen = false;
		return;
	}
	if (!track->seen)
		*track =
			(struct swap_track){true, engine->now_ms, in, out, in, out, 0, 0};
	host->swap_in_pages = sub_u64(in, track->in_pages);
	host->swap_out_pages = sub_u64(out, track->out_pages);
	track->in_pages = in;
	track->out_pages = out;
	double seconds = (double)(engine->now_ms - track->since_ms) / 1000;
	if (seconds >= SWAP_OVER_S) {
		track->in_per_s = (double)sub_u64(in, track->since_in_pages) / seconds;
		track->out_per_s = (double)sub_u64(out, track->since_out_pages) / seconds;
		track->since_ms = engine->now_ms;
		track->since_in_pages = in;
		track->since_out_pages = out;
	}
	host->swap_in_pages_per_s = track->in_per_s;
	host->swap_out_pages_per_s = track->out_per_s;
}

/* One of the host's nodes ran short, or has memory again; nobody is moved for it. */
static void follow_nodes(struct engine *engine)
{
	const struct snapshot *snapshot = &engine->snapshot;
	char text[NODE_TEXT_MAX];
	if (engine->node_short == snapshot->has_short_node)
		return;
	engine->node_short = snapshot->has_short_node;
	announce_part(engine, engine->node_short ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		"numa",
		engine->node_short ? snapshot_node_text(text, snapshot)
				   : "every node has memory again",
		"");
}

static void guest_arrived(void *context, struct guest *guest)
{
	announce_arrived(context, guest);
}

static void guest_gone(void *context, struct guest *guest)
{
	announce_gone(context, guest);
}

static void collect(struct engine *engine)
{
	snapshot_reset(&engine->snapshot);
	engine->snapshot.now_ms = engine->now_ms;
	for (size_t i = 0; i < engine->collector_count; i++)
		collect_one(engine, &engine->collectors[i]);
	if (engine->env.collected)
		engine->env.collected(engine->env.collected_context, &engine->snapshot);
	follow_swapping(engine);
	follow_nodes(engine);
	roster_follow(
		&engine->roster, &engine->snapshot, guest_arrived, guest_gone, engine);
	pools_follow(&engine->pools, &engine->snapshot, &engine->roster);
	engine_reserve_follow(engine);
}

/* ---- estimate ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Settings are worked out anew when the configuration or the guest's metadata changed. */
static void resolve_settings(struct engine *engine, struct guest *guest)
{
	const struct guest_facts *facts = &guest->facts;
	if (guest->resolved && is_same_text(guest->resolved_from, facts->metadata))
		return;
	struct err err;
	int result = config_guest(engine->config, facts->name, facts->uuid,
		facts->metadata, &guest->settings, &err);
	if (result < 0 && !is_same_text(guest->settings_trouble, err.text))
		announce_settings(engine, guest, err.text);
	mem_replace(&guest->settings_trouble, result < 0 ? err.text : NULL);
	live_apply(&engine->live, facts->uuid, &guest->settings);
	mem_replace(&guest->resolved_from, facts->metadata);
	guest->resolved = true;
}

/* What is known of a guest's state beside its statistics: who said "hands off". */
static enum guest_state overrule(const struct engine *engine, const struct guest *guest)
{
	const struct balloon_track *balloon = &guest->balloon;
	bool ours = guest->state == GUEST_STATE_MANAGED ||
		    guest->state == GUEST_STATE_BOOTING ||
		    guest->state == GUEST_STATE_FIXED;
	if (ours && live_is_paused(&engine->live, guest->facts.uuid))
		return GUEST_STATE_PAUSED;
	bool held = engine->now_ms < balloon->held_until_ms;
	if (held && (guest->state == GUEST_STATE_MANAGED ||
			    guest->state == GUEST_STATE_FIXED))
		return GUEST_STATE_HELD;
	if (guest->state != GUEST_STATE_MANAGED)
		return guest->state;
	if (balloon->fixed)
		return GUEST_STATE_FIXED;
	return engine->now_ms < balloon->stuck_until_ms ? GUEST_STATE_STUCK
							: guest->state;
}

static void follow_guest(
	struct engine *engine, struct guest *guest, const struct follow_terms *terms)
{
	uint64_t before_kib = guest->balloon.target_kib;
	guest->followed =
		follow_balloon(&guest->balloon, &guest->facts, terms, engine->now_ms);
	guest->facts.sample.target_kib = guest->balloon.target_kib;
	announce_balloon(engine, guest, before_kib, terms);
}

static void remember(struct engine *engine, struct guest *guest)
{
	bool due = !guest->history.count ||
		   engine->now_ms - guest->history_ms >=
			   (int64_t)engine->config->sampling.period_ms;
	if (due)
		guest->history_ms = engine->now_ms;
	guest_history_put(&guest->history, &guest->facts.sample, due);
}

static void estimate(struct engine *engine)
{
	struct guard_terms guard = guard_terms(engine->config);
	struct estimate_terms terms = {
		.stats_period_ms = engine->config->hypervisor.stats_period_ms,
		.reaction_ms = reaction_ms(engine),
		.safety_kib = engine->config->balloon.safety_kib,
	};
	for (size_t i = 0; i < engine->roster.count; i++) {
		struct guest *guest = engine->roster.guests[i];
		resolve_settings(engine, guest);
		estimate_size(&guest->track, &guest->facts, guest->balloon.target_kib,
			engine->now_ms);
		follow_guest(engine, guest, &guard.follow);
		if (guest->followed == FOLLOW_RELEASED)
			estimate_learn_floor(
				&guest->track, &guest->facts.sample, engine->now_ms);
		estimate_guest(&guest->track, &guest->facts, &guest->settings, &terms,
			engine->now_ms, &guest->quality, &guest->state);
		guest->fresh = estimate_is_fresh(&guest->track, &terms);
		guest->state = overrule(engine, guest);
		announce_state(engine, guest);
	}
	pools_estimate(&engine->pools, &engine->snapshot.host, engine->config,
		&engine->roster, reaction_ms(engine), engine->now_ms);
	engine_reserve_judge(engine);
	for (size_t i = 0; i < engine->roster.count; i++)
		remember(engine, engine->roster.guests[i]);
	for (size_t i = 0; i < engine->pools.count; i++)
		announce_pool(engine, &engine->pools.items[i]);
}

/* ---- wish ---- */

void engine_facts(struct engine *engine, size_t pool, struct policy_guest *members,
	struct policy_facts *facts)
{
	*facts = (struct policy_facts){
		.host = &engine->pools.items[pool].history,
		.host_vars = &engine->pools.items[pool].vars,
		.guests = members,
	};
	for (size_t i = 0; i < engine->roster.count; i++) {
		struct guest *guest = engine->roster.guests[i];
		if (guest->pool != pool)
			continue;
		members[facts->guest_count++] = (struct policy_guest){
			.facts = &guest->facts,
			.history = &guest->history,
			.state = guest_state_name(guest->state),
			.quality = guest_quality_name(guest->quality),
			.has_managed = true,
			.managed = guest->state == GUEST_STATE_MANAGED && guest->fresh,
			.vars = &guest->vars,
		};
	}
}

/* The wishes stand in the order of the facts' guests, which is the roster's. */
static void take_wishes(struct engine *engine, size_t pool)
{
	size_t next = 0;
	for (size_t i = 0; i < engine->roster.count; i++)
		if (engine->roster.guests[i]->pool == pool)
			engine->roster.guests[i]->wish = engine->outcome.wishes[next++];
}

/* Add what the shadow policies wish otherwise for one pool's guests. */
static void keep_differences(struct engine *engine, const struct policy_facts *facts)
{
	size_t count;
	auto_free struct policy_difference *found =
		policy_diff(facts, &engine->outcome, &count);
	if (!count)
		return;
	size_t all = engine->difference_count + count;
	engine->differences =
		mem_resize(engine->differences, all, sizeof(*engine->differences));
	memcpy(engine->differences + engine->difference_count, found,
		count * sizeof(*found));
	engine->difference_count = all;
}

/* Where nobody knows what is left, nobody is moved. */
static void wish_nothing(struct engine *engine, size_t pool)
{
	static const struct wish nothing = {
		.because = "what memory is left isn't known: its target stays"};
	for (size_t i = 0; i < engine->roster.count; i++)
		if (engine->roster.guests[i]->pool == pool)
			engine->roster.guests[i]->wish = nothing;
}

/* Each pool's guests see it as their host; the host's own knobs are set by the host's
 * run, the last one. */
static void wish(struct engine *engine)
{
	auto_free struct policy_guest *members =
		mem_array(engine->roster.count, sizeof(*members));
	struct policy_facts facts;
	bool ran = false;
	engine->difference_count = 0;
	for (size_t pool = engine->pools.count; pool-- > 0;) {
		if (engine->pools.items[pool].blind) {
			wish_nothing(engine, pool);
			continue;
		}
		engine_facts(engine, pool, members, &facts);
		policy_run(engine->policies, &facts, share_divide, &engine->outcome);
		take_wishes(engine, pool);
		engine_reserve_explain(engine, pool);
		keep_differences(engine, &facts);
		for (size_t i = 0; i < engine->outcome.message_count; i++)
			announce_message(engine, &engine->outcome.messages[i]);
		ran = true;
	}
	if (ran)
		announce_recovered(engine);
	if (!engine->pools.items[0].blind)
		memcpy(engine->plan.knobs, engine->outcome.knobs,
			sizeof(engine->plan.knobs));
}

/* ---- guard ---- */

static void write_down(struct engine *engine, struct guest *guest,
	const struct guard_guest *judged, enum host_state host_state)
{
	const struct guest_sample *sample = &guest->facts.sample;
	struct decision decision = {
		.at_ms = engine->now_ms,
		.until_ms = engine->now_ms,
		.tick = engine->ticks,
		.state = guest->state,
		.host_state = host_state,
		.has_used = sample->has_used,
		.has_wish = guest->wish.has_target,
		.has_order = judged->ordered,
		.used_kib = sample->used_kib,
		.demand_kib = sample->demand_kib,
		.cost_kib = sample->cost_kib,
		.actual_kib = sample->actual_kib,
		.wish_kib = guest->wish.target_kib,
		.target_kib =
			judged->ordered ? judged->to_kib : guest->balloon.target_kib,
	};
	memcpy(decision.policy, guest->wish.policy, sizeof(decision.policy));
	memcpy(decision.because, guest->wish.because, sizeof(decision.because));
	const char *own = judged->ordered && judged->own ? judged->own : "";
	snprintf(decision.guard, sizeof(decision.guard), "%s%s%s", own,
		*own && judged->verdict[0] ? "; " : "", judged->verdict);
	if (judged->ordered && engine_dry_run(engine))
		snprintf(decision.outcome, sizeof(decision.outcome), "dry run: not sent");
	journal_add(&guest->journal, &decision);
	tally_decision(&engine->tally, judged->ordered, judged->verdict);
}

/* A host that nothing is known of doesn't bind those who have a budget of their own. */
static struct guard_ledger ledger_of(const struct pool *pool)
{
	return (struct guard_ledger){
		.budget_kib = pool->blind ? INT64_MAX / 2 : pool->sample.budget_kib,
		.cost_kib = pool->sample.cost_kib,
		.reserve_kib = pool->sample.reserve_kib,
		.divisible_kib = pool->sample.divisible_kib,
	};
}

static void guard_pool(struct engine *engine, size_t index, struct guard_ledger *host,
	struct guard_guest *judged)
{
	struct pool *pool = &engine->pools.items[index];
	struct guard_terms terms = guard_terms(engine->config);
	struct guard_ledger own = ledger_of(pool);
	size_t count = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		struct guest *guest = engine->roster.guests[i];
		if (guest->pool != index)
			continue;
		judged[count++] = (struct guard_guest){
			.facts = &guest->facts,
			.state = guest->state,
			.fresh = guest->fresh,
			.wish = &guest->wish,
			.track = &guest->balloon,
			.owner = guest,
		};
	}
	if (engine->env.unguarded) {
		guard_obey(judged, count, &engine->plan);
		return;
	}
	uint64_t takeable = guard_plan(judged, count, pool->sample.state,
		index ? &own : host, host, &terms, engine->now_ms, &engine->plan);
	pool->exhausted = count && takeable < terms.follow.step_kib;
	for (size_t i = 0; i < count; i++)
		write_down(engine, judged[i].owner, &judged[i], pool->sample.state);
}

static void guard(struct engine *engine)
{
	struct guard_ledger host = ledger_of(&engine->pools.items[0]);
	auto_free struct guard_guest *judged =
		mem_array(engine->roster.count, sizeof(*judged));
	for (size_t i = 0; i < engine->pools.count; i++)
		guard_pool(engine, i, &host, judged);
}

/* ---- act ---- */

static void apply(struct engine *engine, struct engine_controller *controller)
{
	struct err err;
	if (!controller->self)
		return;
	bool failed = controller->part->apply(controller->self, &engine->plan, &err) < 0;
	if (failed && !controller->failing)
		announce_part(
			engine, LOG_LEVEL_WARNING, controller->part->name, err.text, "");
	controller->failing = failed;
	if (failed)
		controller->trouble = err;
}

static void act(struct engine *engine)
{
	announce_orders(engine);
	announce_knobs(engine);
	if (engine->plan.order_count)
		engine->moved_ms = engine->now_ms;
	if (engine_dry_run(engine))
		return;
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		struct guest *guest = roster_find(&engine->roster, order->uuid);
		follow_order(&guest->balloon, guest->facts.sample.actual_kib,
			order->to_kib, engine->now_ms);
		guest->facts.sample.target_kib = order->to_kib;
		engine->orders++;
		tally_order(&engine->tally, order);
	}
	engine->plan.host = &engine->pools.items[0].sample;
	engine->plan.state = pools_state(&engine->pools);
	for (size_t i = 0; i < engine->controller_count; i++)
		apply(engine, &engine->controllers[i]);
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		if (order->result < 0) /* else its event follows */
			engine_order_done(
				engine, order->uuid, order->to_kib, order->result, "");
	}
}

/* ---- the tick ---- */

void engine_look(struct engine *engine, int64_t now_ms)
{
	engine->now_ms = now_ms;
	plan_reset(&engine->plan);
	collect(engine);
	estimate(engine);
}

void engine_tick(struct engine *engine, int64_t now_ms)
{
	engine->ticks++;
	engine_look(engine, now_ms);
	if (engine->connected) {
		wish(engine);
		guard(engine);
		act(engine);
	}
}
