/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/engine.h"

#define MOVING_FOR_MS 5000 /* the pace stays quick so long after the last order */
#define ANSWER_MS     50   /* until a guest's answer has come */
#define ASK_AT_MOST   16   /* guests asked for statistics ahead of time in one round */
#define EASY          0.25 /* distress under this needs no hurry */

/* Something moves, or somebody may soon need what isn't there yet. */
static bool is_moving(const struct engine *engine)
{
	enum host_state state = pools_state(&engine->pools);
	if (engine->unmet)
		return true;
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

/* Its figures are old before its period is over: its balloon is on its way, or it wants
 * more than it has. */
static bool is_lively(const struct guest *guest)
{
	const struct guest_sample *sample = &guest->facts.sample;
	return !guest->balloon.arrived || sample->distress > EASY ||
	       (sample->has_demand && sample->demand_kib > guest->balloon.target_kib);
}

/* Ask those of the guests, from the first on; who comes after the last is next. */
static size_t ask(struct engine *engine, size_t first, bool lively, size_t most)
{
	size_t count = engine->roster.count, asked = 0;
	for (size_t i = 0; i < count && asked < most; i++) {
		const struct guest *guest = engine->roster.guests[(first + i) % count];
		if (guest->state != GUEST_STATE_MANAGED || is_lively(guest) != lively)
			continue;
		engine->env.hypervisor->ask_statistics(
			engine->hypervisor_self, guest->facts.uuid);
		engine->ask_next = (first + i + 1) % count;
		asked++;
	}
	return asked;
}

/*
 * Statistics come once a second by themselves; where memory moves, guests are asked at
 * once. Each answer is two jobs of the hypervisor's, so where guests are many, those on
 * the move come first, and the others in turn.
 */
uint64_t engine_begin(struct engine *engine)
{
	size_t first = engine->ask_next;
	if (!is_moving(engine))
		return 0;
	size_t asked = ask(engine, first, true, ASK_AT_MOST);
	asked += ask(engine, first, false, ASK_AT_MOST - asked);
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
