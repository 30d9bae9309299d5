/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/replay.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mom/engine.h"
#include "mom/mem.h"
#include "mom/recording/file.h"
#include "mom/units.h"
#include "sim/replay_compare.h"
#include "sim/replay_parts.h"
#include "sim/replay_setup.h"

struct replay {
	const struct replay_terms *terms;
	struct replay_result *result;
	struct recording_file *file;
	struct replay_view view;
	struct engine engine;
	bool opened;
	bool joined;   /* the state is that of the tick before */
	uint64_t skip; /* events of the next tick that the state knows */
};

/* ---- what is in force ---- */

static char *names_of(const struct policy_set *set)
{
	char *names = mem_dup("");
	for (size_t i = 0; i < policy_set_count(set); i++) {
		auto_free char *before = names;
		struct policy_info info = policy_set_at(set, i);
		names = mem_printf("%s%s%s", before, i ? ", " : "", info.name);
	}
	return names;
}

static char *recorded_names(const struct recorded_setup *setup)
{
	char *names = mem_dup("");
	for (size_t i = 0; i < setup->policy_count; i++) {
		auto_free char *before = names;
		names = mem_printf(
			"%s%s%s", before, i ? ", " : "", setup->policies[i].name);
	}
	return names;
}

static void tell_policies(struct replay *replay, const struct recorded_setup *setup)
{
	struct replay_result *result = replay->result;
	free(result->recorded_policies);
	free(result->policies);
	result->recorded_policies = recorded_names(setup);
	result->policies = names_of(replay->engine.policies);
}

static void close_engine(struct replay *replay)
{
	if (replay->opened)
		engine_close(&replay->engine);
	replay->opened = replay->joined = false;
}

static int open_engine(
	struct replay *replay, const struct recorded_setup *setup, struct err *err)
{
	struct config *config;
	struct engine_env env = {
		.hypervisor = &replay_hypervisor,
		.hypervisor_context = &replay->view,
		.collectors = replay_collectors,
		.controllers = replay_controllers,
		.proc_root = "",
		.sys_root = "",
		.dry_run = true,
	};
	close_engine(replay);
	int r = replay_config(setup, replay->terms, &config, err);
	if (r == 0)
		r = engine_open(&replay->engine, config, &env, err);
	if (r < 0)
		return r;
	replay->opened = true;
	r = replay_arm(&replay->engine, setup, replay->terms, err);
	if (r == 0)
		tell_policies(replay, setup);
	return r;
}

/* Another configuration or other policies, with all that was learned. */
static int change_setup(
	struct replay *replay, const struct recorded_setup *setup, struct err *err)
{
	struct config *config;
	int r = replay_config(setup, replay->terms, &config, err);
	if (r == 0)
		r = engine_reconfigure(&replay->engine, config, err);
	if (r == 0)
		r = replay_arm(&replay->engine, setup, replay->terms, err);
	if (r == 0)
		tell_policies(replay, setup);
	return r;
}

/* ---- what is kept in mind ---- */

static void nothing(void *context, struct guest *guest)
{
	(void)context;
	(void)guest;
}

static void take_minds(struct engine *engine, struct recorded_state *state)
{
	struct snapshot snapshot = {0};
	for (size_t i = 0; i < state->guest_count; i++) {
		const struct recorded_mind *mind = &state->guests[i];
		const struct guest_sample *latest = guest_history_at(&mind->history, 0);
		struct guest_facts *facts = snapshot_add_guest(&snapshot);
		memcpy(facts->uuid, mind->uuid, sizeof(facts->uuid));
		memcpy(facts->name, mind->name, sizeof(facts->name));
		if (latest)
			facts->sample = *latest;
	}
	roster_follow(&engine->roster, &snapshot, nothing, nothing, NULL);
	snapshot_done(&snapshot);
	for (size_t i = 0; i < state->guest_count; i++) {
		struct recorded_mind *mind = &state->guests[i];
		struct guest *guest = roster_find(&engine->roster, mind->uuid);
		guest->track = mind->track;
		guest->balloon = mind->balloon;
		guest->history = mind->history;
		guest->history_ms = mind->history_ms;
		policy_vars_free(guest->vars);
		guest->vars = take(mind->vars);
	}
}

static struct pool *find_pool(struct pools *pools, const char *path)
{
	for (size_t i = 0; i < pools->count; i++)
		if (strcmp(pools->items[i].path, path) == 0)
			return &pools->items[i];
	return NULL;
}

/* In the order of then: the host's budget is given out pool by pool. */
static void take_pools(struct engine *engine, struct recorded_state *state)
{
	struct snapshot snapshot = {0};
	for (size_t i = 0; i < state->pool_count; i++)
		if (state->pools[i].path[0])
			memcpy(snapshot_add_pool(&snapshot)->path, state->pools[i].path,
				CGROUP_PATH_MAX);
	pools_follow(&engine->pools, &snapshot, &engine->roster);
	snapshot_done(&snapshot);
	for (size_t i = 0; i < state->pool_count; i++) {
		struct recorded_pool *from = &state->pools[i];
		struct pool *pool = find_pool(&engine->pools, from->path);
		const struct host_sample *latest = host_history_at(&from->history, 0);
		pool->track = from->track;
		pool->history = from->history;
		pool->history_ms = from->history_ms;
		pool->exhausted = from->exhausted;
		if (latest)
			pool->sample = *latest;
		policy_vars_free(pool->vars);
		pool->vars = take(from->vars);
	}
}

static struct swap_track swapping_of(const struct recorded_swapping *from)
{
	return (struct swap_track){
		.seen = from->seen,
		.since_ms = from->since_ms,
		.since_in_pages = from->since_in_pages,
		.since_out_pages = from->since_out_pages,
		.in_pages = from->in_pages,
		.out_pages = from->out_pages,
		.in_per_s = from->in_per_s,
		.out_per_s = from->out_per_s,
	};
}

static int take_state(struct replay *replay, struct json_object *json, struct err *err)
{
	struct recorded_state state;
	int r = recorded_state_read(&state, json, err);
	if (r < 0)
		return r;
	r = open_engine(replay, &state.setup, err);
	if (r == 0) {
		struct engine *engine = &replay->engine;
		take_minds(engine, &state);
		take_pools(engine, &state);
		engine->ticks = state.number;
		engine->now_ms = state.now_ms;
		engine->moved_ms = state.moved_ms;
		engine->connected = state.connected;
		engine->unmet = state.unmet;
		engine->swapping = swapping_of(&state.swapping);
		replay->skip = state.events;
		replay->joined = true;
	}
	recorded_state_done(&state);
	return r;
}

/* ---- a tick ---- */

/* The recorded world obeyed the recorded orders. */
static void follow_orders(struct engine *engine, const struct recorded_tick *tick)
{
	for (size_t i = 0; tick->sent && i < tick->order_count; i++) {
		const struct order *order = &tick->orders[i];
		struct guest *guest = roster_find(&engine->roster, order->uuid);
		if (!guest)
			continue;
		follow_order(&guest->balloon, guest->facts.sample.actual_kib,
			order->to_kib, engine->now_ms);
		guest->facts.sample.target_kib = order->to_kib;
	}
	for (size_t i = 0; tick->sent && i < tick->order_count; i++)
		if (tick->orders[i].result < 0)
			engine_order_done(engine, tick->orders[i].uuid,
				tick->orders[i].to_kib, tick->orders[i].result, "");
}

static void decide(struct replay *replay, const struct recorded_tick *tick)
{
	struct engine *engine = &replay->engine;
	for (size_t i = replay->skip; i < tick->event_count; i++)
		engine_event(engine, &tick->events[i]);
	replay->skip = 0;
	engine->connected = tick->connected;
	int64_t moved_ms = tick->order_count ? tick->now_ms : engine->moved_ms;
	replay->view.tick = tick;
	engine_tick(engine, tick->now_ms);
	replay->view.tick = NULL;
	replay_compare(replay->result, tick, engine, replay->terms->draw);
	engine->moved_ms = moved_ms;
	follow_orders(engine, tick);
}

static int play_tick(
	struct replay *replay, const struct recorded_tick *tick, struct err *err)
{
	replay->joined = replay->joined && tick->number == replay->engine.ticks + 1;
	if (!replay->joined) {
		replay->result->undecided++;
		return 0;
	}
	if (tick->now_ms < replay->engine.now_ms)
		return err_set(err, -EBADMSG, "its time lies before the tick before");
	if (tick->setup) {
		int r = change_setup(replay, tick->setup, err);
		if (r < 0)
			return r;
	}
	decide(replay, tick);
	return 0;
}

static int take_tick(struct replay *replay, struct json_object *json, struct err *err)
{
	struct recorded_tick tick;
	int r = recorded_tick_read(&tick, json, err);
	if (r < 0)
		return r;
	r = play_tick(replay, &tick, err);
	recorded_tick_done(&tick);
	return r;
}

static void take_gap(struct replay *replay, struct json_object *json)
{
	struct json_object *missed;
	replay->joined = false;
	replay->result->gaps++;
	if (json_object_object_get_ex(json, "missed", &missed))
		replay->result->missed += json_object_get_uint64(missed);
	replay_pause(replay->result);
}

static int take_line(
	struct replay *replay, const struct recording_line *line, struct err *err)
{
	int r = 0;
	if (line->kind == RECORDING_STATE)
		r = take_state(replay, line->data, err);
	else if (line->kind == RECORDING_TICK)
		r = take_tick(replay, line->data, err);
	else if (line->kind == RECORDING_GAP)
		take_gap(replay, line->data);
	return r < 0 ? recording_fail(replay->file, err) : 0;
}

int replay_play(const char *path, const struct replay_terms *terms,
	struct replay_result *result, struct err *err)
{
	struct replay replay = {.terms = terms, .result = result};
	struct recording_line line = {0};
	*result = (struct replay_result){.path = mem_dup(path)};
	int r = recording_open(&replay.file, path, err);
	while (r == 0) {
		r = recording_next(replay.file, &line, err);
		if (r < 0 || line.kind == RECORDING_END)
			break;
		r = take_line(&replay, &line, err);
	}
	if (r == 0) {
		result->cut = recording_was_cut(replay.file);
		result->version = mem_dup(recording_version(replay.file));
	}
	close_engine(&replay);
	recording_close(replay.file);
	if (r < 0)
		replay_done(result);
	return r;
}

void replay_done(struct replay_result *result)
{
	free(result->path);
	free(result->version);
	free(result->recorded_policies);
	free(result->policies);
	free(result->guests);
	free(result->episodes);
	free(result->points);
	*result = (struct replay_result){0};
}
