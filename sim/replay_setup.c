/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/replay_setup.h"

#include <errno.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policies.h"

#define TUNABLE "tunable."

/* ---- settings ---- */

/* It goes before the rules that were recorded: the first that gives a key decides. */
static int set_guests(struct config *config, const char *match, const char *key,
	const char *value, struct err *err)
{
	struct guest_rule rule = {0};
	int r = guest_settings_set(&rule.values, key, value, err);
	if (r < 0)
		return r;
	for (uint32_t row = 0; guest_keys[row].name; row++)
		if (strcmp(guest_keys[row].name, key) == 0)
			rule.given |= 1u << row;
	rule.match = mem_dup(match);
	config->rules =
		mem_resize(config->rules, config->rule_count + 1, sizeof(*config->rules));
	memmove(config->rules + 1, config->rules,
		config->rule_count * sizeof(*config->rules));
	config->rules[0] = rule;
	config->rule_count++;
	return 0;
}

static int set_one(struct config *config, const char *set, struct err *err)
{
	size_t equals = strcspn(set, "=");
	size_t colon = strcspn(set, ":");
	const char *value = set + equals + (set[equals] == '=');
	if (strncmp(set, TUNABLE, strlen(TUNABLE)) == 0)
		return 0; /* the policies' */
	int r;
	if (colon < equals) {
		auto_free char *match = mem_ndup(set, colon);
		auto_free char *key = mem_ndup(set + colon + 1, equals - colon - 1);
		r = set_guests(config, match, key, value, err);
	} else {
		auto_free char *key = mem_ndup(set, equals);
		r = config_set(config, key, value, err);
	}
	return r < 0 ? err_prefix(err, "--set") : 0;
}

/* Nothing is loaded by name: the texts are in the recording. */
static void forget_policies(struct config *config)
{
	for (size_t i = 0; i < config->policies.count; i++)
		free(config->policies.items[i]);
	free(config->policies.items);
	config->policies = (struct config_strings){0};
	mem_replace(&config->policy.directory, "");
}

int replay_config(const struct recorded_setup *setup, const struct replay_terms *terms,
	struct config **config, struct err *err)
{
	struct config *loaded = mem_alloc(sizeof(*loaded));
	int r = config_load_text(loaded, "its configuration", setup->config, err);
	if (r < 0) {
		free(loaded);
		return r;
	}
	forget_policies(loaded);
	for (size_t i = 0; r == 0 && i < terms->set_count; i++)
		r = set_one(loaded, terms->sets[i], err);
	if (r < 0) {
		config_done(loaded);
		free(loaded);
		return r;
	}
	*config = loaded;
	return 0;
}

/* ---- policies ---- */

static int load_recorded(
	struct policy_set *set, const struct recorded_setup *setup, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < setup->policy_count; i++) {
		const struct recorded_policy *policy = &setup->policies[i];
		struct policy_source source = {
			.name = policy->name,
			.text = policy->text,
			.length = strlen(policy->text),
			.shadow = policy->shadow,
		};
		r = policy_set_load(set, &source, NULL, err);
	}
	return r;
}

static int tune_recorded(
	struct policy_set *set, const struct config *config, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < config->tunable_count; i++)
		r = policy_set_configure(set, config->tunables[i].name,
			config->tunables[i].text, NULL, err);
	return r;
}

/* Named ones as momd finds them, with the recorded tunables. */
static int load_named(struct policy_set **set, const struct config *config,
	const struct replay_terms *terms, struct err *err)
{
	struct config borrowed = *config;
	char *shipped = mem_dup(terms->shipped);
	borrowed.policies.items = terms->policies;
	borrowed.policies.count = terms->policy_count;
	borrowed.policy.shipped = shipped;
	int r = policies_load(&borrowed, NULL, set, err);
	free(shipped);
	return r < 0 ? err_prefix(err, "--policy") : r;
}

static int load_policies(struct policy_set **set, const struct config *config,
	const struct recorded_setup *setup, const struct replay_terms *terms,
	struct err *err)
{
	if (terms->policy_count)
		return load_named(set, config, terms, err);
	*set = policies_none(config);
	int r = load_recorded(*set, setup, err);
	if (r == 0)
		r = tune_recorded(*set, config, err);
	if (r < 0)
		policy_set_free(*set);
	return r;
}

static int tune(struct policy_set *set, const struct recorded_setup *setup,
	const struct replay_terms *terms, struct err *err)
{
	bool known = true;
	int r = 0;
	for (size_t i = 0; r == 0 && i < setup->tunable_count; i++)
		r = policy_set_tune(set, setup->tunables[i].key, setup->tunables[i].value,
			&known, err);
	for (size_t i = 0; r == 0 && i < terms->set_count; i++) {
		const char *word = terms->sets[i];
		if (strncmp(word, TUNABLE, strlen(TUNABLE)) != 0)
			continue;
		size_t equals = strcspn(word, "=");
		auto_free char *name =
			mem_ndup(word + strlen(TUNABLE), equals - strlen(TUNABLE));
		r = policy_set_tune(
			set, name, word + equals + (word[equals] == '='), &known, err);
		if (r == 0 && !known)
			r = err_set(err, -ENOENT, "no policy has a tunable \"%s\"", name);
		if (r < 0)
			err_prefix(err, "--set");
	}
	return r;
}

/* ---- what was said while the daemon ran ---- */

static void take_live(struct live *live, const struct recorded_setup *setup)
{
	live_done(live);
	for (size_t i = 0; i < setup->paused_count; i++)
		live_pause(live, setup->paused_guests[i], true);
	live->paused = setup->paused;
	for (size_t i = 0; i < setup->live_count; i++)
		live_set(live, setup->live[i].uuid, setup->live[i].key,
			setup->live[i].value);
	for (size_t i = 0; i < setup->reservation_count; i++) {
		const struct recorded_reservation *from = &setup->reservations[i];
		struct reservation reservation = {
			.size_kib = from->size_kib,
			.expires_ms = from->expires_ms,
			.known_id = from->known_id,
		};
		memcpy(reservation.name, from->name, sizeof(reservation.name));
		memcpy(reservation.pool, from->pool, sizeof(reservation.pool));
		reservations_put(&live->reservations, &reservation);
	}
}

int replay_arm(struct engine *engine, const struct recorded_setup *setup,
	const struct replay_terms *terms, struct err *err)
{
	struct policy_set *set;
	int r = load_policies(&set, engine->config, setup, terms, err);
	if (r < 0)
		return r;
	r = tune(set, setup, terms, err);
	if (r < 0) {
		policy_set_free(set);
		return r;
	}
	policy_set_free(engine->policies);
	engine->policies = set;
	take_live(&engine->live, setup);
	for (size_t i = 0; i < engine->roster.count; i++)
		engine->roster.guests[i]->resolved = false;
	return 0;
}
