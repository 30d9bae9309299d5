/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/replay_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/utf8.h"
#include "mom/mem.h"
#include "mom/units.h"

#define DROPPED SIZE_MAX /* an episode that goes on but isn't kept */

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* As a recording has it: valid text, and cut where that made it longer. */
static bool same_text(const char *recorded, const char *now, size_t size)
{
	auto_free char *repaired = utf8_repair(now);
	return strncmp(recorded, repaired, size - 1) == 0;
}

/* ---- both sides ---- */

static const struct order *order_of(
	const struct order *orders, size_t count, const char *uuid)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(orders[i].uuid, uuid) == 0)
			return &orders[i];
	return NULL;
}

/* Why it is so: an order has its own reason, else the guard has the last word. */
static void say_why(struct replay_side *side, const struct order *order,
	const char *because, const char *guard)
{
	const char *why = order && order->reason[0] ? order->reason
			  : guard[0]                ? guard
						    : because;
	snprintf(side->reason, sizeof(side->reason), "%s", why);
}

static struct replay_side recorded_side(
	const struct recorded_guest *guest, const struct recorded_tick *tick)
{
	const struct recorded_decision *decision = &guest->decision;
	struct replay_side side = {
		.ordered = decision->has_order,
		.target_kib = decision->target_kib,
	};
	memcpy(side.policy, decision->policy, sizeof(side.policy));
	say_why(&side, order_of(tick->orders, tick->order_count, guest->facts.uuid),
		decision->because, decision->guard);
	return side;
}

static struct replay_side now_side(const struct decision *decision,
	const struct guest *guest, const struct engine *engine)
{
	struct replay_side side = {
		.ordered = decision->has_order,
		.target_kib = decision->target_kib,
	};
	memcpy(side.policy, decision->policy, sizeof(side.policy));
	say_why(&side,
		order_of(
			engine->plan.orders, engine->plan.order_count, guest->facts.uuid),
		decision->because, decision->guard);
	return side;
}

static bool same_words(
	const struct recorded_decision *recorded, const struct decision *now)
{
	return same_text(recorded->policy, now->policy, sizeof(recorded->policy)) &&
	       same_text(recorded->because, now->because, sizeof(recorded->because)) &&
	       same_text(recorded->guard, now->guard, sizeof(recorded->guard));
}

static bool same_facts(
	const struct recorded_decision *recorded, const struct decision *now)
{
	return recorded->state == now->state && recorded->host_state == now->host_state &&
	       recorded->has_used == now->has_used &&
	       recorded->used_kib == now->used_kib &&
	       recorded->demand_kib == now->demand_kib &&
	       recorded->cost_kib == now->cost_kib &&
	       recorded->has_wish == now->has_wish && recorded->wish_kib == now->wish_kib;
}

/* ---- episodes ---- */

static size_t begin_episode(
	struct replay_result *result, const struct replay_episode *episode)
{
	if (result->episode_count == REPLAY_EPISODES_MOST) {
		result->episodes_dropped++;
		return DROPPED;
	}
	result->episodes = mem_grow(result->episodes, result->episode_count,
		&result->episode_capacity, sizeof(*result->episodes));
	result->episodes[result->episode_count++] = *episode;
	return result->episode_count;
}

/* One tick more of the one that is open; false where none is. */
static bool goes_on(struct replay_result *result, size_t open)
{
	if (open && open != DROPPED)
		result->episodes[open - 1].ticks++;
	return open != 0;
}

static struct replay_episode episode_of(const struct replay_result *result,
	const struct recorded_tick *tick, const char *name)
{
	struct replay_episode episode = {
		.at_ms = tick->clock_ms - result->began_ms,
		.clock_ms = tick->clock_ms,
		.ticks = 1,
	};
	snprintf(episode.name, sizeof(episode.name), "%s", name);
	return episode;
}

static void note_other(struct replay_result *result, struct replay_guest *guest,
	const struct recorded_tick *tick, const struct replay_side *recorded,
	const struct replay_side *now)
{
	uint64_t apart = distance(recorded->target_kib, now->target_kib);
	struct replay_episode episode = episode_of(result, tick, guest->name);
	episode.recorded = *recorded;
	episode.now = *now;
	guest->other++;
	result->other++;
	if (apart > guest->biggest_kib) {
		guest->biggest_kib = apart;
		guest->biggest = episode;
	}
	if (!goes_on(result, guest->open))
		guest->open = begin_episode(result, &episode);
}

/* ---- one guest ---- */

static struct replay_guest *guest_of(
	struct replay_result *result, const struct guest_facts *facts)
{
	for (size_t i = 0; i < result->guest_count; i++)
		if (strcmp(result->guests[i].uuid, facts->uuid) == 0)
			return &result->guests[i];
	result->guests = mem_grow(result->guests, result->guest_count,
		&result->guest_capacity, sizeof(*result->guests));
	struct replay_guest *guest = &result->guests[result->guest_count++];
	*guest = (struct replay_guest){0};
	memcpy(guest->uuid, facts->uuid, sizeof(guest->uuid));
	memcpy(guest->name, facts->name, sizeof(guest->name));
	return guest;
}

/* What an order moves, counted from the order before it. */
static uint64_t moved(const struct replay_side *side, uint64_t *target_kib)
{
	uint64_t from_kib = *target_kib;
	if (!side->ordered)
		return 0;
	*target_kib = side->target_kib;
	return distance(from_kib, side->target_kib);
}

static void add_moves(struct replay_result *result, struct replay_guest *guest,
	const struct recorded_guest *then, const struct replay_side *recorded,
	const struct replay_side *now)
{
	if (!guest->seen) {
		guest->recorded_target_kib = guest->now_target_kib =
			recorded->ordered ? then->facts.sample.actual_kib
					  : recorded->target_kib;
		guest->seen = true;
	}
	uint64_t recorded_kib = moved(recorded, &guest->recorded_target_kib);
	uint64_t now_kib = moved(now, &guest->now_target_kib);
	guest->recorded_kib += recorded_kib;
	guest->now_kib += now_kib;
	result->recorded_kib += recorded_kib;
	result->now_kib += now_kib;
}

static void add_point(struct replay_result *result, const struct replay_guest *guest,
	const struct recorded_guest *then, const struct recorded_tick *tick)
{
	result->points = mem_grow(result->points, result->point_count,
		&result->point_capacity, sizeof(*result->points));
	result->points[result->point_count++] = (struct replay_point){
		.at_ms = tick->clock_ms - result->began_ms,
		.guest = (size_t)(guest - result->guests),
		.used_kib = then->estimate.used_kib,
		.recorded_kib = guest->recorded_target_kib,
		.now_kib = guest->now_target_kib,
	};
}

static void compare_guest(struct replay_result *result, const struct recorded_tick *tick,
	const struct recorded_guest *then, const struct engine *engine, bool draw)
{
	const struct guest *known = roster_find(&engine->roster, then->facts.uuid);
	const struct decision *latest = known ? journal_at(&known->journal, 0) : NULL;
	bool decided = latest && latest->tick == engine->ticks;
	if (!decided || !then->decided)
		return;
	struct replay_guest *guest = guest_of(result, &then->facts);
	struct replay_side recorded = recorded_side(then, tick);
	struct replay_side now = now_side(latest, known, engine);
	add_moves(result, guest, then, &recorded, &now);
	if (draw)
		add_point(result, guest, then, tick);
	if (recorded.ordered != now.ordered || recorded.target_kib != now.target_kib) {
		note_other(result, guest, tick, &recorded, &now);
		return;
	}
	bool words = same_words(&then->decision, latest);
	bool facts = same_facts(&then->decision, latest);
	guest->alike++;
	guest->other_words += !words;
	guest->other_facts += !facts;
	result->alike++;
	result->other_words += !words;
	result->other_facts += !facts;
	guest->open = 0;
}

/* ---- the host's knobs ---- */

static void knob_side(struct replay_side *side, const struct host_wish *wish)
{
	*side = (struct replay_side){
		.ordered = wish->has_value,
		.target_kib = (uint64_t)wish->value,
	};
	memcpy(side->policy, wish->policy, sizeof(side->policy));
	memcpy(side->reason, wish->because, sizeof(side->reason));
}

static void compare_knob(struct replay_result *result, const struct recorded_tick *tick,
	const struct engine *engine, enum host_knob knob)
{
	const struct host_wish *then = &tick->knobs[knob];
	const struct host_wish *now = &engine->plan.knobs[knob];
	bool same = then->has_value == now->has_value &&
		    (!then->has_value || then->value == now->value);
	if (same) {
		result->knob_open[knob] = 0;
		return;
	}
	result->knobs_other++;
	if (goes_on(result, result->knob_open[knob]))
		return;
	struct replay_episode episode = episode_of(result, tick, host_knob_name(knob));
	episode.knob = true;
	knob_side(&episode.recorded, then);
	knob_side(&episode.now, now);
	result->knob_open[knob] = begin_episode(result, &episode);
}

/* ---- a tick ---- */

void replay_compare(struct replay_result *result, const struct recorded_tick *tick,
	const struct engine *engine, bool draw)
{
	if (!result->ticks++)
		result->began_ms = tick->clock_ms;
	result->ended_ms = tick->clock_ms;
	for (size_t i = 0; i < tick->guest_count; i++)
		compare_guest(result, tick, &tick->guests[i], engine, draw);
	for (int knob = 0; knob < HOST_KNOB_COUNT; knob++)
		compare_knob(result, tick, engine, (enum host_knob)knob);
}

void replay_pause(struct replay_result *result)
{
	for (size_t i = 0; i < result->guest_count; i++)
		result->guests[i].open = 0;
	memset(result->knob_open, 0, sizeof(result->knob_open));
}
