/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/engine.h"

#include <stdio.h>
#include <string.h>

#include "mom/log.h"
#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"

#define BALLOON_MS    500  /* a balloon's answer to an order, beside the tick itself */
#define MOVING_FOR_MS 5000 /* the pace stays quick so long after the last order */
#define ANSWER_MS     50   /* until a guest's answer has come */
#define ASK_AT_MOST   16   /* guests asked for statistics ahead of time in one round */
#define EASY          0.25 /* distress under this needs no hurry */

bool engine_dry_run(const struct engine *engine)
{
	return engine->env.dry_run || engine->config->dry_run;
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

static uint64_t reaction_ms(const struct engine *engine)
{
	return engine_period_ms(engine) + BALLOON_MS;
}

/* ---- collect ---- */

/* Run one collector; its first failure is a line, its recovery another. */
static void collect_one(struct engine_collector *collector, struct snapshot *snapshot)
{
	struct err err;
	if (!collector->self)
		return;
	bool failed = collector->part->sample(collector->self, snapshot, &err) < 0;
	if (failed && !collector->failing)
		log_warning(
			"%s: %s; going on without it", collector->part->name, err.text);
	else if (!failed && collector->failing)
		log_info("%s: works again", collector->part->name);
	collector->failing = failed;
	if (failed)
		collector->trouble = err;
}

/* Swapping as a rate; the amount in swap is history, not pressure. */
static void follow_swapping(struct engine *engine)
{
	struct snapshot *snapshot = &engine->snapshot;
	struct host_sample *host = &snapshot->host;
	int64_t elapsed_ms = engine->now_ms - engine->last_ms;
	if (host->has_vmstat && engine->has_swap_counters && elapsed_ms > 0) {
		host->swap_in_pages =
			sub_u64(snapshot->host_swap_in_pages, engine->swap_in_pages);
		host->swap_out_pages =
			sub_u64(snapshot->host_swap_out_pages, engine->swap_out_pages);
		double seconds = (double)elapsed_ms / 1000;
		host->swap_in_pages_per_s = (double)host->swap_in_pages / seconds;
		host->swap_out_pages_per_s = (double)host->swap_out_pages / seconds;
	}
	engine->has_swap_counters = host->has_vmstat;
	engine->swap_in_pages = snapshot->host_swap_in_pages;
	engine->swap_out_pages = snapshot->host_swap_out_pages;
}

static void guest_arrived(void *context, struct guest *guest)
{
	(void)context;
	char size[SIZE_TEXT_MAX];
	log_info("guest \"%s\": found, %s%s", guest->facts.name,
		units_format_size(size, guest->facts.sample.max_kib),
		guest->facts.has_balloon ? "" : ", without a balloon device");
}

static void guest_gone(void *context, struct guest *guest)
{
	(void)context;
	log_info("guest \"%s\": gone", guest->facts.name);
}

static void collect(struct engine *engine)
{
	snapshot_reset(&engine->snapshot);
	engine->snapshot.now_ms = engine->now_ms;
	for (size_t i = 0; i < engine->collector_count; i++)
		collect_one(&engine->collectors[i], &engine->snapshot);
	follow_swapping(engine);
	roster_follow(
		&engine->roster, &engine->snapshot, guest_arrived, guest_gone, engine);
	pools_follow(&engine->pools, &engine->snapshot, &engine->roster);
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
		log_warning("guest \"%s\": %s", facts->name, err.text);
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
	if (guest->state != GUEST_STATE_MANAGED)
		return guest->state;
	if (balloon->fixed)
		return GUEST_STATE_FIXED;
	if (engine->now_ms < balloon->held_until_ms)
		return GUEST_STATE_HELD;
	return engine->now_ms < balloon->stuck_until_ms ? GUEST_STATE_STUCK
							: guest->state;
}

static void announce_guest(struct guest *guest)
{
	if (guest->announced == guest->state)
		return;
	log_info("guest \"%s\": %s (was %s), statistics %s", guest->facts.name,
		guest_state_name(guest->state), guest_state_name(guest->announced),
		guest_quality_name(guest->quality));
	guest->announced = guest->state;
}

/* Other hands, a balloon that stopped, memory that can't be had: one line each. */
static void announce_balloon(const struct guest *guest, enum follow_event event,
	uint64_t before_kib, const struct follow_terms *terms)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX], wait[DURATION_TEXT_MAX];
	const char *name = guest->facts.name;
	units_format_size(from, before_kib);
	units_format_size(to, guest->facts.sample.actual_kib);
	switch (event) {
	case FOLLOW_ADOPTED:
		log_notice(
			"guest \"%s\": its balloon was set elsewhere, %s → %s; adopted, "
			"hands off for %s",
			name, from, to, units_format_duration(wait, terms->hold_off_ms));
		break;
	case FOLLOW_STUCK:
		log_notice("guest \"%s\": its balloon stopped at %s short of %s; stays "
			   "there, "
			   "tried again later",
			name, to, from);
		break;
	case FOLLOW_FIXED:
		log_warning(
			"guest \"%s\": obeys, but the host gains nothing (locked memory, "
			"a passed-through device or huge pages?); left at its maximum",
			name);
		break;
	case FOLLOW_RELEASED:
		log_notice(
			"guest \"%s\": took memory back by itself, %s → %s: it ran out",
			name, from, to);
		break;
	case FOLLOW_NOTHING:
		break;
	}
}

static void follow_guest(
	struct engine *engine, struct guest *guest, const struct follow_terms *terms)
{
	uint64_t before_kib = guest->balloon.target_kib;
	guest->followed =
		follow_balloon(&guest->balloon, &guest->facts, terms, engine->now_ms);
	guest->facts.sample.target_kib = guest->balloon.target_kib;
	announce_balloon(guest, guest->followed, before_kib, terms);
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

static void announce_pool(struct pool *pool)
{
	char available[SIZE_TEXT_MAX], reserve[SIZE_TEXT_MAX];
	if (pool->announced == pool->sample.state)
		return;
	log_notice("%s%s: %s (was %s), %s available, reserve %s",
		pool->path[0] ? "cgroup " : "host", pool->path,
		host_state_name(pool->sample.state), host_state_name(pool->announced),
		units_format_size(available, pool->sample.available_kib),
		units_format_size(reserve, pool->sample.reserve_kib));
	pool->announced = pool->sample.state;
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
		follow_guest(engine, guest, &guard.follow);
		if (guest->followed == FOLLOW_RELEASED)
			estimate_learn_floor(
				&guest->track, &guest->facts.sample, engine->now_ms);
		estimate_guest(&guest->track, &guest->facts, &guest->settings, &terms,
			engine->now_ms, &guest->quality, &guest->state);
		guest->fresh = estimate_is_fresh(&guest->track, &terms);
		guest->state = overrule(engine, guest);
		announce_guest(guest);
	}
	pools_estimate(&engine->pools, &engine->snapshot.host, engine->config,
		&engine->roster, reaction_ms(engine), engine->now_ms);
	for (size_t i = 0; i < engine->roster.count; i++)
		remember(engine, engine->roster.guests[i]);
	for (size_t i = 0; i < engine->pools.count; i++)
		announce_pool(&engine->pools.items[i]);
}

/* ---- wish ---- */

/* A policy's complaint is a line when it is new; the same one again is not. */
static void report_message(struct engine *engine, const struct policy_message *message)
{
	enum log_level level = message->level == POLICY_ERROR     ? LOG_LEVEL_ERROR
			       : message->level == POLICY_WARNING ? LOG_LEVEL_WARNING
								  : LOG_LEVEL_DEBUG;
	struct policy_message *last = &engine->complaint;
	if (level != LOG_LEVEL_DEBUG) {
		bool again = last->line == message->line &&
			     last->column == message->column &&
			     !strcmp(last->text, message->text) &&
			     !strcmp(last->policy, message->policy);
		if (again)
			level = LOG_LEVEL_DEBUG;
		*last = *message;
	}
	log_line(level, "policy \"%s\": %s:%u:%u: %s%s%s", message->policy, message->file,
		message->line, message->column, message->text,
		*message->guest ? "; at guest " : "", message->guest);
}

static size_t list_members(struct engine *engine, size_t pool,
	struct policy_guest *members, struct guest **whose)
{
	size_t count = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		struct guest *guest = engine->roster.guests[i];
		if (guest->pool != pool)
			continue;
		whose[count] = guest;
		members[count++] = (struct policy_guest){
			.facts = &guest->facts,
			.history = &guest->history,
			.state = guest_state_name(guest->state),
			.quality = guest_quality_name(guest->quality),
			.has_managed = true,
			.managed = guest->state == GUEST_STATE_MANAGED,
			.vars = &guest->vars,
		};
	}
	return count;
}

struct policy_guest *engine_members(struct engine *engine, size_t pool, size_t *count)
{
	auto_free struct guest **whose =
		mem_array(engine->roster.count, sizeof(struct guest *));
	struct policy_guest *members = mem_array(engine->roster.count, sizeof(*members));
	*count = list_members(engine, pool, members, whose);
	return members;
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
static void wish_nothing(struct guest **whose, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		whose[i]->wish = (struct wish){0};
		snprintf(whose[i]->wish.because, REASON_MAX,
			"what memory is left isn't known: its target stays");
	}
}

/* Each pool's guests see it as their host; the host's own knobs are set by the host's
 * run. */
static void wish(struct engine *engine)
{
	size_t most = engine->roster.count;
	auto_free struct policy_guest *members = mem_array(most, sizeof(*members));
	auto_free struct guest **whose = mem_array(most, sizeof(struct guest *));
	engine->difference_count = 0;
	for (size_t i = engine->pools.count; i-- > 0;) {
		struct pool *pool = &engine->pools.items[i];
		struct policy_facts facts = {
			.host = &pool->history,
			.guests = members,
			.guest_count = list_members(engine, i, members, whose),
		};
		if (pool->blind) {
			wish_nothing(whose, facts.guest_count);
			continue;
		}
		policy_run(engine->policies, &facts, share_divide, &engine->outcome);
		for (size_t g = 0; g < facts.guest_count; g++)
			whose[g]->wish = engine->outcome.wishes[g];
		for (size_t m = 0; m < engine->outcome.message_count; m++)
			report_message(engine, &engine->outcome.messages[m]);
		keep_differences(engine, &facts);
	}
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
	memcpy(decision.guard, judged->verdict, sizeof(decision.guard));
	if (judged->ordered && engine_dry_run(engine))
		snprintf(decision.outcome, sizeof(decision.outcome), "dry run: not sent");
	journal_add(&guest->journal, &decision);
}

/* A host that nothing is known of doesn't bind those who have a budget of their own. */
static struct guard_ledger ledger_of(const struct pool *pool)
{
	return (struct guard_ledger){
		.budget_kib = pool->blind ? INT64_MAX / 2 : pool->sample.budget_kib,
		.cost_kib = pool->sample.cost_kib,
		.reserve_kib = pool->sample.reserve_kib,
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

static void announce_order(const struct engine *engine, const struct order *order)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX];
	log_info("guest \"%s\": %s %s → %s: %s", order->name,
		engine_dry_run(engine) ? "would go" : "target",
		units_format_size(from, order->from_kib),
		units_format_size(to, order->to_kib), order->reason);
}

/* In a dry run the same order comes up tick after tick; it is told when it changes. */
static void tell_orders(struct engine *engine)
{
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		struct guest *guest = roster_find(&engine->roster, order->uuid);
		bool told = engine_dry_run(engine) && guest->dry_kib == order->to_kib;
		guest->dry_kib = order->to_kib;
		if (!told)
			announce_order(engine, order);
	}
}

/* What the host has of a knob now; false where it has none. */
static bool knob_now(const struct host_sample *host, enum host_knob knob, int64_t *value)
{
	const int64_t now[HOST_KNOB_COUNT] = {
		[KNOB_KSM_RUN] = host->ksm_run,
		[KNOB_KSM_PAGES_TO_SCAN] = host->ksm_pages_to_scan,
		[KNOB_KSM_SLEEP_MILLISECS] = host->ksm_sleep_millisecs,
		[KNOB_KSM_MERGE_ACROSS_NODES] = host->ksm_merge_across_nodes,
	};
	*value = now[knob];
	return host->has_ksm;
}

/* A wish that changes a knob is told when it is new; a pace that is tuned is a detail. */
static void tell_knobs(struct engine *engine)
{
	for (int i = 0; i < HOST_KNOB_COUNT; i++) {
		const struct host_wish *wish = &engine->plan.knobs[i];
		struct host_wish *told = &engine->told_knobs[i];
		int64_t now;
		bool same =
			told->has_value == wish->has_value && told->value == wish->value;
		*told = *wish;
		if (same || !wish->has_value ||
			!knob_now(&engine->snapshot.host, i, &now) || now == wish->value)
			continue;
		log_line(i == KNOB_KSM_RUN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			"host: %s %s %lld → %lld: policy \"%s\"%s%s", host_knob_name(i),
			engine_dry_run(engine) ? "would go" : "goes", (long long)now,
			(long long)wish->value, wish->policy,
			wish->because[0] ? ": " : "", wish->because);
	}
}

static void apply(struct engine *engine, struct engine_controller *controller)
{
	struct err err;
	if (!controller->self)
		return;
	bool failed = controller->part->apply(controller->self, &engine->plan, &err) < 0;
	if (failed && !controller->failing)
		log_warning("%s: %s", controller->part->name, err.text);
	controller->failing = failed;
	if (failed)
		controller->trouble = err;
}

static void act(struct engine *engine)
{
	tell_orders(engine);
	tell_knobs(engine);
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
	}
	engine->plan.host = &engine->pools.items[0].sample;
	engine->plan.state = pools_state(&engine->pools);
	for (size_t i = 0; i < engine->controller_count; i++)
		apply(engine, &engine->controllers[i]);
}

/* ---- the tick ---- */

void engine_look(struct engine *engine, int64_t now_ms)
{
	engine->last_ms = engine->now_ms;
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

/* Something moves, or somebody may soon need what isn't there yet. */
static bool is_moving(const struct engine *engine)
{
	enum host_state state = pools_state(&engine->pools);
	if (state == HOST_ROOMY)
		return false;
	if (state >= HOST_TIGHT || engine->now_ms - engine->moved_ms < MOVING_FOR_MS)
		return true;
	for (size_t i = 0; i < engine->roster.count; i++)
		if (engine->roster.guests[i]->facts.sample.distress > EASY)
			return true;
	return false;
}

uint64_t engine_period_ms(const struct engine *engine)
{
	return is_moving(engine) ? engine->config->sampling.tight_period_ms
				 : engine->config->sampling.period_ms;
}

/* Statistics come once a second by themselves; guests on the move are asked at once. */
uint64_t engine_begin(struct engine *engine)
{
	size_t asked = 0;
	if (!is_moving(engine))
		return 0;
	for (size_t i = 0; i < engine->roster.count && asked < ASK_AT_MOST; i++) {
		const struct guest *guest = engine->roster.guests[i];
		if (guest->state != GUEST_STATE_MANAGED)
			continue;
		engine->env.hypervisor->ask_statistics(
			engine->hypervisor_self, guest->facts.uuid);
		asked++;
	}
	return asked ? ANSWER_MS : 0;
}

void engine_sample(struct engine *engine)
{
	engine->env.hypervisor->refresh(engine->hypervisor_self);
}

bool engine_glance(struct engine *engine)
{
	snapshot_reset(&engine->glance);
	for (size_t i = 0; i < engine->collector_count; i++) {
		const struct engine_collector *collector = &engine->collectors[i];
		if (collector->self && collector->part->glance)
			collector->part->glance(collector->self, &engine->glance, NULL);
	}
	return pools_alarm(&engine->pools, &engine->glance);
}
