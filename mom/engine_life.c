/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/announce.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/policies.h"
#include "mom/units.h"

/* ---- events ---- */

/* A job or a guest that went are nobody's fault; the rest is said once a guest. */
static void tell_refusal(
	const struct engine *engine, struct guest *guest, int result, const char *outcome)
{
	bool quiet = result == -EBUSY || result == -ENOENT || result == guest->refusal;
	guest->refusal = result;
	announce_refused(engine, guest, quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		outcome,
		result == -ETIMEDOUT ? "it may yet be carried out"
				     : "its target stays where it was");
}

void engine_order_done(struct engine *engine, const char *uuid, uint64_t target_kib,
	int result, const char *text)
{
	struct guest *guest = roster_find(&engine->roster, uuid);
	tally_answer(&engine->tally, result);
	if (!guest)
		return;
	if (result == 0) {
		guest->refusal = 0;
		follow_taken(&guest->balloon, target_kib);
		journal_outcome(&guest->journal, target_kib, "taken by the hypervisor");
		return;
	}
	engine->orders_failed++;
	char outcome[REASON_MAX];
	snprintf(outcome, sizeof(outcome), "%s: %.140s",
		result == -ETIMEDOUT ? "late" : "refused",
		*text ? text : strerror(-result));
	journal_outcome(&guest->journal, target_kib, outcome);
	if (guest->balloon.target_kib == target_kib)
		follow_refused(&guest->balloon, guest->facts.sample.actual_kib, result,
			engine->now_ms);
	tell_refusal(engine, guest, result, outcome);
}

enum engine_need engine_event(struct engine *engine, const struct hypervisor_event *event)
{
	struct guest *guest =
		event->uuid[0] ? roster_find(&engine->roster, event->uuid) : NULL;
	switch (event->kind) {
	case EVENT_ROUND_DONE:
		return NEED_TICK;
	case EVENT_CONNECTED:
		announce_hypervisor(engine, OCCURRENCE_CONNECTED, "connected to ",
			engine->config->hypervisor.uri);
		engine->connected = true;
		return NEED_ROUND;
	case EVENT_DISCONNECTED:
		announce_hypervisor(
			engine, OCCURRENCE_DISCONNECTED, "not connected: ", event->text);
		engine->connected = false;
		return NEED_NOTHING;
	case EVENT_GUEST_REBOOTED:
		if (guest)
			announce_rebooted(engine, guest);
		return NEED_ROUND;
	case EVENT_GUEST_ARRIVED:
	case EVENT_GUEST_GONE:
	case EVENT_GUEST_CHANGED:
		return NEED_ROUND;
	case EVENT_ORDER_DONE:
		engine_order_done(engine, event->uuid, event->value_kib, event->result,
			event->text);
		return NEED_NOTHING;
	case EVENT_NOTE:
		announce_hypervisor(engine, OCCURRENCE_NOTE, "", event->text);
		return NEED_NOTHING;
	case EVENT_BALLOON_MOVED:
		return NEED_NOTHING;
	}
	return NEED_NOTHING;
}

/* ---- opening and closing ---- */

static void say_warning(const char *note)
{
	log_warning("%s", note);
}

static void open_collectors(struct engine *engine)
{
	struct collector_env env = {
		.config = engine->config,
		.hypervisor = engine->env.hypervisor,
		.hypervisor_self = engine->hypervisor_self,
		.proc_root = engine->env.proc_root,
		.sys_root = engine->env.sys_root,
	};
	size_t count = 0;
	while (engine->env.collectors[count])
		count++;
	engine->collectors = mem_array(count, sizeof(*engine->collectors));
	engine->collector_count = count;
	for (size_t i = 0; i < count; i++) {
		struct engine_collector *collector = &engine->collectors[i];
		struct err err;
		collector->part = engine->env.collectors[i];
		if (collector->part->open(&collector->self, &env, &err) == 0)
			continue;
		collector->self = NULL;
		collector->trouble = err;
		log_warning(
			"%s: %s; going on without it", collector->part->name, err.text);
	}
}

static void open_controllers(struct engine *engine)
{
	struct controller_env env = {
		.config = engine->config,
		.hypervisor = engine->env.hypervisor,
		.hypervisor_self = engine->hypervisor_self,
		.sys_root = engine->env.sys_root,
	};
	size_t count = 0;
	while (engine->env.controllers[count])
		count++;
	engine->controllers = mem_array(count, sizeof(*engine->controllers));
	engine->controller_count = count;
	for (size_t i = 0; i < count; i++) {
		struct engine_controller *controller = &engine->controllers[i];
		struct err err;
		controller->part = engine->env.controllers[i];
		if (controller->part->open(&controller->self, &env, &err) == 0)
			continue;
		controller->self = NULL;
		log_warning(
			"%s: %s; going on without it", controller->part->name, err.text);
	}
}

static void close_parts(struct engine *engine)
{
	for (size_t i = 0; i < engine->controller_count; i++)
		if (engine->controllers[i].self)
			engine->controllers[i].part->close(engine->controllers[i].self);
	for (size_t i = 0; i < engine->collector_count; i++)
		if (engine->collectors[i].self)
			engine->collectors[i].part->close(engine->collectors[i].self);
	free(engine->controllers);
	free(engine->collectors);
	engine->controllers = NULL;
	engine->collectors = NULL;
	engine->controller_count = engine->collector_count = 0;
}

static int open_hypervisor(struct engine *engine, struct err *err)
{
	const struct config *config = engine->config;
	struct hypervisor_env env = {
		.uri = config->hypervisor.uri,
		.call_deadline_ms = config->hypervisor.call_deadline_ms,
		.resync_period_ms = config->hypervisor.resync_period_ms,
		.stats_period_s = max_u64(config->hypervisor.stats_period_ms / 1000, 1),
		.set_stats_period = config->hypervisor.set_stats_period,
		.workers = (uint32_t)config->hypervisor.workers,
		.proc_root = engine->env.proc_root,
		.context = engine->env.hypervisor_context,
	};
	return engine->env.hypervisor->open(&engine->hypervisor_self, &env, err);
}

static void free_config(struct config *config)
{
	if (!config)
		return;
	config_done(config);
	free(config);
}

/* What was tuned to outlive a reload holds again, where it still fits. */
static void tune_again(const struct live *live, struct policy_set *policies)
{
	struct err err;
	for (size_t i = 0; i < live->setting_count; i++) {
		const struct live_setting *setting = &live->settings[i];
		if (!strcmp(setting->uuid, LIVE_TUNABLES) &&
			policy_set_tune(
				policies, setting->key, setting->value, NULL, &err) < 0)
			log_warning("tunable %s; as configured for now", err.text);
	}
}

int engine_open(struct engine *engine, struct config *config,
	const struct engine_env *env, struct err *err)
{
	*engine = (struct engine){.config = config, .env = *env};
	struct err trouble;
	if (live_load(&engine->live, env->live_path, &trouble) < 0)
		log_warning("%s", trouble.text);
	int result = policies_load(config, say_warning, &engine->policies, err);
	if (result == 0)
		tune_again(&engine->live, engine->policies);
	if (result == 0)
		result = open_hypervisor(engine, err);
	if (result < 0) {
		engine_close(engine);
		return result;
	}
	open_collectors(engine);
	open_controllers(engine);
	return 0;
}

void engine_close(struct engine *engine)
{
	close_parts(engine);
	if (engine->hypervisor_self)
		engine->env.hypervisor->close(engine->hypervisor_self);
	policy_outcome_done(&engine->outcome);
	free(engine->differences);
	free(engine->complained.items);
	free(engine->complaining.items);
	policy_set_free(engine->policies);
	roster_done(&engine->roster);
	pools_done(&engine->pools);
	snapshot_done(&engine->snapshot);
	snapshot_done(&engine->glance);
	plan_done(&engine->plan);
	live_done(&engine->live);
	free_config(engine->config);
	*engine = (struct engine){0};
}

/* Its settings are handed over when it opens, so another one begins with new ones. */
static bool is_same_hypervisor(const struct config *a, const struct config *b)
{
	return !strcmp(a->hypervisor.uri, b->hypervisor.uri) &&
	       a->hypervisor.call_deadline_ms == b->hypervisor.call_deadline_ms &&
	       a->hypervisor.resync_period_ms == b->hypervisor.resync_period_ms &&
	       a->hypervisor.stats_period_ms == b->hypervisor.stats_period_ms &&
	       a->hypervisor.set_stats_period == b->hypervisor.set_stats_period &&
	       a->hypervisor.workers == b->hypervisor.workers;
}

int engine_reconfigure(struct engine *engine, struct config *config, struct err *err)
{
	struct policy_set *policies;
	int result = policies_load(config, say_warning, &policies, err);
	if (result < 0) {
		free_config(config);
		return result;
	}
	struct config *old = engine->config;
	bool other_hypervisor = !is_same_hypervisor(old, config);
	engine->config = config;
	if (other_hypervisor) {
		void *old_self = engine->hypervisor_self;
		result = open_hypervisor(engine, err);
		if (result < 0) {
			engine->hypervisor_self = old_self;
			engine->config = old;
			policy_set_free(policies);
			free_config(config);
			return result;
		}
		engine->env.hypervisor->close(old_self);
		engine->connected = false;
	}
	policy_set_free(engine->policies);
	engine->policies = policies;
	tune_again(&engine->live, policies);
	for (size_t i = 0; i < engine->roster.count; i++)
		engine->roster.guests[i]->resolved = false;
	close_parts(engine);
	open_collectors(engine);
	open_controllers(engine);
	free_config(old);
	return 0;
}

/* ---- the end ---- */

static bool has_room_for_all(
	const struct engine *engine, const struct pool *pool, size_t index)
{
	uint64_t whole = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest *guest = engine->roster.guests[i];
		const struct guest_sample *sample = &guest->facts.sample;
		if (guest->pool == index || index == 0)
			whole += max_u64(sample->cost_kib,
				sample->limit_kib + sample->overhead_kib);
	}
	return whole <= pool->sample.budget_kib;
}

size_t engine_release(struct engine *engine)
{
	size_t sent = 0;
	bool host_has_room = engine->pools.count &&
			     has_room_for_all(engine, &engine->pools.items[0], 0);
	for (size_t i = 0; i < engine->roster.count && host_has_room; i++) {
		struct guest *guest = engine->roster.guests[i];
		const struct guest_sample *sample = &guest->facts.sample;
		bool squeezed = guest->state == GUEST_STATE_MANAGED &&
				guest->balloon.target_kib < sample->limit_kib;
		if (!squeezed || engine_dry_run(engine) ||
			!has_room_for_all(
				engine, &engine->pools.items[guest->pool], guest->pool))
			continue;
		if (engine->env.hypervisor->set_target(engine->hypervisor_self,
			    guest->facts.uuid, sample->limit_kib, NULL) < 0)
			continue;
		guest->releasing_kib = sample->limit_kib;
		sent++;
	}
	return sent;
}

bool engine_released(struct engine *engine, const struct hypervisor_event *event)
{
	struct guest *guest = roster_find(&engine->roster, event->uuid);
	if (!guest || !guest->releasing_kib || guest->releasing_kib != event->value_kib)
		return false;
	guest->releasing_kib = 0;
	return true;
}
