/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/run.h"

#include <errno.h>
#include <string.h>

#include "mom/config.h"
#include "mom/mem.h"
#include "sim/expect.h"
#include "sim/manager.h"

#define TUNABLE "tunable."

/* ---- settings ---- */

static void add_tunable(struct config *config, const struct scenario_setting *setting)
{
	config->tunables = mem_resize(
		config->tunables, config->tunable_count + 1, sizeof(*config->tunables));
	config->tunables[config->tunable_count++] = (struct tunable){
		.name = mem_dup(setting->key + strlen(TUNABLE)),
		.text = mem_dup(setting->value),
		.number = true,
		.where = mem_dup(setting->where),
	};
}

static struct guest_rule *rule_for(struct config *config, const char *match)
{
	for (size_t i = config->rule_count; i-- > 0;)
		if (strcmp(config->rules[i].match, match) == 0)
			return &config->rules[i];
	config->rules =
		mem_resize(config->rules, config->rule_count + 1, sizeof(*config->rules));
	struct guest_rule *rule = &config->rules[config->rule_count++];
	*rule = (struct guest_rule){.match = mem_dup(match)};
	return rule;
}

static int add_rule(
	struct config *config, const struct scenario_setting *setting, struct err *err)
{
	struct guest_rule *rule = rule_for(config, setting->match);
	int r = guest_settings_set(&rule->values, setting->key, setting->value, err);
	for (uint32_t row = 0; r == 0 && guest_keys[row].name; row++)
		if (strcmp(guest_keys[row].name, setting->key) == 0)
			rule->given |= 1u << row;
	return r;
}

static int apply_setting(
	struct config *config, const struct scenario_setting *setting, struct err *err)
{
	if (setting->match)
		return add_rule(config, setting, err);
	if (strncmp(setting->key, TUNABLE, strlen(TUNABLE)) == 0) {
		add_tunable(config, setting);
		return 0;
	}
	if (strcmp(setting->key, "policies") == 0)
		return err_set(err, -EINVAL, "who manages is said by --manager");
	return config_set(config, setting->key, setting->value, err);
}

/* "fair-share+ksm" is two policies at once. */
static int set_policies(struct config *config, const char *manager, struct err *err)
{
	auto_free char *list = mem_dup(manager);
	for (char *at = list; (at = strchr(at, '+'));)
		*at = ',';
	return config_set(config, "policies", list, err);
}

/* momd.conf as the scenario has it. */
static int make_config(const struct scenario *scenario, const struct run_terms *terms,
	struct config *config, struct err *err)
{
	int r = config_load(config, NULL, NULL, 0, err);
	if (r == 0)
		r = config_set(config, "policy.directory", "", err);
	if (r == 0)
		r = set_policies(config, terms->manager, err);
	if (r == 0 && terms->policies)
		r = config_set(config, "policy.shipped", terms->policies, err);
	for (size_t i = 0; r == 0 && i < scenario->setting_count; i++) {
		r = apply_setting(config, &scenario->settings[i], err);
		if (r < 0)
			err_prefix(err, "%s", scenario->settings[i].where);
	}
	if (r < 0)
		config_done(config);
	return r;
}

static struct guest_settings *resolve(
	const struct config *config, const struct sim_world *world)
{
	struct guest_settings *settings = mem_array(world->count, sizeof(*settings));
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		config_guest(config, guest->name, guest->uuid, NULL, &settings[i], NULL);
	}
	return settings;
}

/* ---- the run ---- */

static void note_broken(void *context, const char *text)
{
	struct run_result *result = context;
	if (result->broken_count < BROKEN_TOLD)
		result->broken[result->broken_count++] = mem_dup(text);
}

static void begin_verdicts(struct run_result *result, const struct scenario *scenario)
{
	result->verdicts =
		mem_array(scenario->expectation_count, sizeof(*result->verdicts));
	for (size_t i = 0; i < scenario->expectation_count; i++)
		if (expect_is_for(&scenario->expectations[i], result->manager))
			result->verdicts[result->verdict_count++].expectation =
				&scenario->expectations[i];
}

/* Judge what is due by now; at the end all the rest. */
static void judge(struct run_result *result, int64_t now_ms, bool at_end)
{
	for (size_t i = 0; i < result->verdict_count; i++) {
		struct run_verdict *verdict = &result->verdicts[i];
		int64_t at_ms = verdict->expectation->at_ms;
		bool due = at_end || (at_ms >= 0 && at_ms <= now_ms);
		if (verdict->judged || !due)
			continue;
		verdict->judged = true;
		verdict->value = expect_value(verdict->expectation, &result->measure);
		verdict->holds = expect_holds(verdict->expectation, verdict->value);
	}
}

static void play(const struct scenario *scenario, const struct manager *manager,
	void *self, struct run_result *result)
{
	struct sim_world *world = &result->world;
	bool settled = !scenario->settle_ms;
	while (world->now_ms < scenario->length_ms) {
		world_step(world, scenario->step_ms);
		manager->act(self, world->now_ms);
		enum host_state state = manager->state(self);
		measure_step(&result->measure, state, scenario->step_ms);
		record_step(&result->record, world, state);
		if (!settled && world->now_ms >= scenario->settle_ms) {
			measure_restart(&result->measure, world);
			settled = true;
		}
		judge(result, world->now_ms, false);
	}
	judge(result, world->now_ms, true);
}

int run_play(const struct scenario *scenario, const struct run_terms *terms,
	struct run_result *result, struct err *err)
{
	struct config *config = mem_alloc(sizeof(*config));
	int r = make_config(scenario, terms, config, err);
	if (r < 0) {
		free(config);
		return r;
	}
	*result = (struct run_result){
		.manager = mem_dup(terms->manager),
		.seed = terms->seed ? terms->seed : scenario->seed,
	};
	scenario_build(scenario, result->seed, &result->world);
	if (terms->host_kib)
		result->world.make.memory_kib = terms->host_kib;
	result->settings = resolve(config, &result->world);
	measure_begin(&result->measure, &result->world, result->settings);
	begin_verdicts(result, scenario);
	if (terms->record)
		record_begin(&result->record, &result->world, scenario->length_ms);
	const struct manager *manager = manager_find(terms->manager);
	struct manager_env env = {
		.world = &result->world,
		.settings = result->settings,
		.config = config,
		.name = terms->manager,
		.guarded = terms->guarded,
		.peers_ms = scenario->peers_ms,
		.measure = &result->measure,
		.broken = note_broken,
		.context = result,
	};
	void *self;
	r = manager->open(&self, &env, err);
	if (r < 0) {
		run_done(result);
		return r;
	}
	play(scenario, manager, self, result);
	manager->close(self);
	return 0;
}

void run_done(struct run_result *result)
{
	for (size_t i = 0; i < result->broken_count; i++)
		free(result->broken[i]);
	world_done(&result->world);
	record_done(&result->record);
	free(result->settings);
	free(result->verdicts);
	free(result->manager);
	*result = (struct run_result){0};
}
