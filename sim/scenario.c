/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/scenario.h"

#include <fnmatch.h>

#include "mom/mem.h"

void scenario_done(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->work_count; i++) {
		work_done(scenario->works[i]);
		free(scenario->works[i]);
	}
	for (size_t i = 0; i < scenario->setting_count; i++) {
		struct scenario_setting *setting = &scenario->settings[i];
		free(setting->match);
		free(setting->key);
		free(setting->value);
		free(setting->where);
	}
	for (size_t i = 0; i < scenario->deed_count; i++)
		free(scenario->deeds[i].match);
	for (size_t i = 0; i < scenario->expectation_count; i++) {
		struct expectation *expectation = &scenario->expectations[i];
		free(expectation->metric);
		free(expectation->guest);
		free(expectation->managers);
		free(expectation->text);
	}
	free(scenario->guests);
	free(scenario->works);
	free(scenario->settings);
	free(scenario->deeds);
	free(scenario->expectations);
	free(scenario->path);
	free(scenario->title);
	*scenario = (struct scenario){0};
}

struct work *scenario_add_work(struct scenario *scenario)
{
	scenario->works = mem_grow(scenario->works, scenario->work_count,
		&scenario->work_capacity, sizeof(*scenario->works));
	struct work *work = mem_alloc(sizeof(*work));
	work_init(work);
	scenario->works[scenario->work_count++] = work;
	return work;
}

struct scenario_guest *scenario_add_guest(struct scenario *scenario)
{
	scenario->guests = mem_grow(scenario->guests, scenario->guest_count,
		&scenario->guest_capacity, sizeof(*scenario->guests));
	return &scenario->guests[scenario->guest_count++];
}

void scenario_add_setting(struct scenario *scenario, const char *match, const char *key,
	const char *value, const char *where)
{
	scenario->settings = mem_grow(scenario->settings, scenario->setting_count,
		&scenario->setting_capacity, sizeof(*scenario->settings));
	scenario->settings[scenario->setting_count++] = (struct scenario_setting){
		.match = mem_dup(match),
		.key = mem_dup(key),
		.value = mem_dup(value),
		.where = mem_dup(where),
	};
}

static void add_deed(const struct scenario_deed *deed, const struct scenario *scenario,
	struct sim_world *world)
{
	struct world_event event = deed->event;
	if (!deed->match) {
		world_add_event(world, &event);
		return;
	}
	for (size_t i = 0; i < scenario->guest_count; i++) {
		event.guest = i;
		if (fnmatch(deed->match, scenario->guests[i].name, 0) == 0)
			world_add_event(world, &event);
	}
}

void scenario_build(
	const struct scenario *scenario, uint64_t seed, struct sim_world *world)
{
	world_init(world, &scenario->host);
	for (size_t i = 0; i < scenario->guest_count; i++) {
		const struct scenario_guest *made = &scenario->guests[i];
		struct sim_guest *guest = world_add_guest(world, made->name, &made->make,
			scenario->works[made->work], seed);
		guest->shift_ms = made->shift_ms;
		world_add_event(world,
			&(struct world_event){
				.at_ms = made->start_ms, .deed = DEED_START, .guest = i});
	}
	for (size_t i = 0; i < scenario->deed_count; i++)
		add_deed(&scenario->deeds[i], scenario, world);
	world_ready(world);
}
