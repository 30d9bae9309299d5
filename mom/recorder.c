/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/recorder.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/recording/recording.h"

#define EVENTS_MOST 4096 /* between two ticks; more is a storm without end */

void recorder_event(struct recorder *recorder, const struct hypervisor_event *event)
{
	if (event->kind == EVENT_ROUND_DONE || recorder->count == EVENTS_MOST)
		return;
	recorder->events = mem_grow(recorder->events, recorder->count,
		&recorder->capacity, sizeof(*recorder->events));
	recorder->events[recorder->count++] = *event;
}

void recorder_collected(struct recorder *recorder, const struct snapshot *snapshot)
{
	recorder->host = snapshot->host;
	recorder->guest_count = 0;
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		recorder->guests = mem_grow(recorder->guests, recorder->guest_count,
			&recorder->guest_capacity, sizeof(*recorder->guests));
		recorder->guests[recorder->guest_count] = snapshot->guests[i];
		recorder->guests[recorder->guest_count++].metadata = NULL;
	}
}

void recorder_done(struct recorder *recorder)
{
	free(recorder->events);
	free(recorder->setup);
	free(recorder->guests);
	*recorder = (struct recorder){0};
}

/* ---- what is in force ---- */

/* The settings that decide. Those of parts tell how facts are collected, and the URI may
 * name the host. */
static char *config_text(const struct config *config)
{
	static char nowhere[] = "recorded:";
	struct config shown = *config;
	shown.hypervisor.uri = nowhere;
	shown.part_count = 0;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		abort();
	config_print(&shown, out);
	fclose(out);
	return text;
}

static void copy_text(char *into, size_t size, const char *text)
{
	snprintf(into, size, "%s", text);
}

static void take_policies(struct recorded_setup *setup, const struct policy_set *set)
{
	setup->policy_count = policy_set_count(set);
	setup->policies = mem_array(setup->policy_count, sizeof(*setup->policies));
	for (size_t i = 0; i < setup->policy_count; i++) {
		struct policy_info info = policy_set_at(set, i);
		setup->policies[i] = (struct recorded_policy){
			.name = mem_dup(info.name),
			.text = mem_ndup(info.text, info.length),
			.shadow = info.shadow,
		};
	}
}

/* What is configured stands in the configuration. */
static void take_tunables(struct recorded_setup *setup, const struct policy_set *set)
{
	size_t count;
	auto_free struct policy_param *params = policy_set_params(set, &count);
	setup->tunables = mem_array(count, sizeof(*setup->tunables));
	for (size_t i = 0; i < count; i++) {
		if (!params[i].live)
			continue;
		struct recorded_pair *pair = &setup->tunables[setup->tunable_count++];
		copy_text(pair->key, sizeof(pair->key), params[i].name);
		copy_text(pair->value, sizeof(pair->value), params[i].value);
	}
}

static void take_live(struct recorded_setup *setup, const struct live *live)
{
	setup->paused = live->paused;
	setup->paused_guests =
		mem_array(live->paused_count, sizeof(*setup->paused_guests));
	setup->paused_count = live->paused_count;
	for (size_t i = 0; i < live->paused_count; i++)
		memcpy(setup->paused_guests[i], live->paused_guests[i], UUID_TEXT_MAX);
	setup->live = mem_array(live->setting_count, sizeof(*setup->live));
	for (size_t i = 0; i < live->setting_count; i++) {
		const struct live_setting *setting = &live->settings[i];
		if (!strcmp(setting->uuid, LIVE_TUNABLES))
			continue;
		struct recorded_pair *pair = &setup->live[setup->live_count++];
		copy_text(pair->uuid, sizeof(pair->uuid), setting->uuid);
		copy_text(pair->key, sizeof(pair->key), setting->key);
		copy_text(pair->value, sizeof(pair->value), setting->value);
	}
}

static void take_reservations(
	struct recorded_setup *setup, const struct reservations *reservations)
{
	setup->reservations =
		mem_array(reservations->count, sizeof(*setup->reservations));
	setup->reservation_count = reservations->count;
	for (size_t i = 0; i < reservations->count; i++) {
		const struct reservation *from = &reservations->items[i];
		struct recorded_reservation *into = &setup->reservations[i];
		into->number = from->number;
		into->size_kib = from->size_kib;
		into->expires_ms = from->expires_ms;
		into->known_id = from->known_id;
		memcpy(into->name, from->name, sizeof(into->name));
		memcpy(into->pool, from->pool, sizeof(into->pool));
	}
}

static void take_setup(struct recorded_setup *setup, const struct engine *engine)
{
	*setup = (struct recorded_setup){
		.config = config_text(engine->config),
		.dry_run = engine_dry_run(engine),
	};
	take_policies(setup, engine->policies);
	take_tunables(setup, engine->policies);
	take_live(setup, &engine->live);
	take_reservations(setup, &engine->live.reservations);
}

/* Whether it is another one than the tick before told. */
static bool is_news(struct recorder *recorder, const struct recorded_setup *setup)
{
	struct json_object *json = recorded_setup_write(setup);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	bool news = !recorder->setup || strcmp(recorder->setup, text) != 0;
	if (news)
		mem_replace(&recorder->setup, text);
	json_object_put(json);
	return news;
}

/* ---- a tick ---- */

static void take_decision(struct recorded_guest *into, const struct guest *guest,
	const struct engine *engine)
{
	const struct decision *latest = journal_at(&guest->journal, 0);
	into->decided = latest && latest->tick == engine->ticks;
	if (!into->decided)
		return;
	into->decision = (struct recorded_decision){
		.state = latest->state,
		.host_state = latest->host_state,
		.has_used = latest->has_used,
		.has_wish = latest->has_wish,
		.has_order = latest->has_order,
		.used_kib = latest->used_kib,
		.demand_kib = latest->demand_kib,
		.cost_kib = latest->cost_kib,
		.actual_kib = latest->actual_kib,
		.wish_kib = latest->wish_kib,
		.target_kib = latest->target_kib,
	};
	memcpy(into->decision.policy, latest->policy, sizeof(latest->policy));
	memcpy(into->decision.because, latest->because, sizeof(latest->because));
	memcpy(into->decision.guard, latest->guard, sizeof(latest->guard));
}

/*
 * What was collected of it, with what was made of that beside: the engine may put better
 * figures in the place of those collected.
 */
static void take_guest(struct recorded_guest *into, const struct guest *guest,
	const struct recorder *recorder)
{
	const struct guest_facts *facts = &guest->facts;
	const struct guest_facts *raw = facts;
	for (size_t i = 0; raw == facts && i < recorder->guest_count; i++)
		if (strcmp(recorder->guests[i].uuid, facts->uuid) == 0)
			raw = &recorder->guests[i];
	into->facts = *raw;
	into->facts.metadata = facts->metadata;
	into->estimate = facts->sample;
}

/* What it points to stays the engine's, but for the guests and the setup. */
static void take_tick(struct recorded_tick *tick, const struct recorder *recorder,
	const struct engine *engine, int64_t clock_ms)
{
	*tick = (struct recorded_tick){
		.number = engine->ticks,
		.now_ms = engine->now_ms,
		.clock_ms = clock_ms,
		.connected = engine->connected,
		.sent = !engine_dry_run(engine),
		.events = recorder->events,
		.event_count = recorder->count,
		.host = recorder->host,
		.swap_in_pages = engine->snapshot.host_swap_in_pages,
		.swap_out_pages = engine->snapshot.host_swap_out_pages,
		.pools = engine->snapshot.pools,
		.pool_count = engine->snapshot.pool_count,
		.guest_count = engine->roster.count,
		.orders = engine->plan.orders,
		.order_count = engine->plan.order_count,
	};
	memcpy(tick->knobs, engine->plan.knobs, sizeof(tick->knobs));
	tick->guests = mem_array(tick->guest_count, sizeof(*tick->guests));
	for (size_t i = 0; i < tick->guest_count; i++) {
		const struct guest *guest = engine->roster.guests[i];
		take_guest(&tick->guests[i], guest, recorder);
		take_decision(&tick->guests[i], guest, engine);
	}
}

struct json_object *recorder_tick(
	struct recorder *recorder, const struct engine *engine, int64_t clock_ms)
{
	struct recorded_setup setup;
	struct recorded_tick tick;
	take_setup(&setup, engine);
	take_tick(&tick, recorder, engine, clock_ms);
	tick.setup = is_news(recorder, &setup) ? &setup : NULL;
	struct json_object *json = recorded_tick_write(&tick);
	free(tick.guests);
	recorded_setup_done(&setup);
	recorder->count = 0;
	return json;
}

/* ---- between ticks ---- */

static void take_mind(struct recorded_mind *mind, const struct guest *guest)
{
	*mind = (struct recorded_mind){
		.track = guest->track,
		.balloon = guest->balloon,
		.history = guest->history,
		.history_ms = guest->history_ms,
		.vars = guest->vars,
	};
	memcpy(mind->uuid, guest->facts.uuid, sizeof(mind->uuid));
	memcpy(mind->name, guest->facts.name, sizeof(mind->name));
}

static void take_pool(struct recorded_pool *into, const struct pool *pool)
{
	*into = (struct recorded_pool){
		.track = pool->track,
		.history = pool->history,
		.history_ms = pool->history_ms,
		.exhausted = pool->exhausted,
		.vars = pool->vars,
	};
	memcpy(into->path, pool->path, sizeof(into->path));
}

static struct recorded_swapping swapping_of(const struct swap_track *track)
{
	return (struct recorded_swapping){
		.seen = track->seen,
		.since_ms = track->since_ms,
		.since_in_pages = track->since_in_pages,
		.since_out_pages = track->since_out_pages,
		.in_pages = track->in_pages,
		.out_pages = track->out_pages,
		.in_per_s = track->in_per_s,
		.out_per_s = track->out_per_s,
	};
}

struct json_object *recorder_state(
	const struct recorder *recorder, const struct engine *engine, int64_t clock_ms)
{
	struct recorded_state state = {
		.number = engine->ticks,
		.now_ms = engine->now_ms,
		.clock_ms = clock_ms,
		.moved_ms = engine->moved_ms,
		.events = recorder->count,
		.connected = engine->connected,
		.unmet = engine->unmet,
		.swapping = swapping_of(&engine->swapping),
		.pool_count = engine->pools.count,
		.guest_count = engine->roster.count,
	};
	take_setup(&state.setup, engine);
	state.pools = mem_array(state.pool_count, sizeof(*state.pools));
	for (size_t i = 0; i < state.pool_count; i++)
		take_pool(&state.pools[i], &engine->pools.items[i]);
	state.guests = mem_array(state.guest_count, sizeof(*state.guests));
	for (size_t i = 0; i < state.guest_count; i++)
		take_mind(&state.guests[i], engine->roster.guests[i]);
	struct json_object *json = recorded_state_write(&state);
	free(state.pools);
	free(state.guests);
	recorded_setup_done(&state.setup);
	return json;
}
