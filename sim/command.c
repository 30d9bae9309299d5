/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/command.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/least.h"
#include "sim/plot.h"
#include "sim/report.h"

#define ENDING  ".policy"
#define DEFAULT "fair-share"

/* ---- which managers ---- */

struct names {
	char **items;
	size_t count;
};

static void add_name(struct names *names, char *name)
{
	names->items = mem_resize(names->items, names->count + 1, sizeof(char *));
	names->items[names->count++] = name;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int is_policy(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > strlen(ENDING) &&
	       strcmp(entry->d_name + length - strlen(ENDING), ENDING) == 0;
}

static int list_policies(struct names *names, const char *folder, struct err *err)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_policy, alphasort);
	if (count < 0)
		return err_errno(err, errno, "cannot read policies of \"%s\"", folder);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		add_name(names, mem_ndup(name, strlen(name) - strlen(ENDING)));
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void add_new_name(struct names *names, char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], name) == 0) {
			free(name);
			return;
		}
	}
	add_name(names, name);
}

/* "a,b" */
static void split_names(struct names *names, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, ",");
		if (length)
			add_new_name(names, mem_ndup(list, length));
		list += length + (list[length] == ',');
	}
}

static int list_managers(
	const struct command *command, bool peers, struct names *names, struct err *err)
{
	*names = (struct names){0};
	if (command->managers) {
		split_names(names, command->managers);
		return names->count ? 0 : err_set(err, -EINVAL, "no manager is named");
	}
	if (peers) {
		add_name(names, mem_dup("oracle"));
		add_name(names, mem_dup("none"));
		add_name(names, mem_dup("static"));
	}
	return list_policies(names, command->policies, err);
}

/* Whom a scenario names in what it expects is held against it, too. */
static void add_expected(struct names *names, const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->expectation_count; i++)
		if (scenario->expectations[i].managers)
			split_names(names, scenario->expectations[i].managers);
}

/* ---- what is played ---- */

static void lay_over(const struct command *command, struct scenario *scenario)
{
	for (size_t i = 0; i < command->set_count; i++) {
		const char *set = command->sets[i];
		size_t equals = strcspn(set, "=");
		size_t colon = strcspn(set, ":");
		bool guest = colon < equals;
		auto_free char *match = guest ? mem_ndup(set, colon) : NULL;
		size_t from = guest ? colon + 1 : 0;
		auto_free char *key = mem_ndup(set + from, equals - from);
		scenario_add_setting(scenario, match, key, set + equals + 1, "--set");
	}
}

static int load(const struct command *command, const char *path,
	struct scenario *scenario, struct err *err)
{
	int r;
	if (path)
		r = scenario_load(scenario, path, err);
	else if (command->recording)
		r = scenario_recorded(scenario, command->recording, err);
	else
		r = scenario_traced(scenario, &command->trace, err);
	if (r == 0)
		lay_over(command, scenario);
	return r;
}

static struct run_terms terms_of(const struct command *command, const char *manager)
{
	return (struct run_terms){
		.manager = manager,
		.policies = command->policies,
		.seed = command->seed,
		.host_kib = command->host_kib,
		.guarded = command->guarded,
	};
}

/* ---- run and compare ---- */

static int draw(const struct command *command, const struct scenario *scenario,
	const struct run_result *result, struct err *err)
{
	if (!command->svg)
		return 0;
	auto_fclose FILE *file = fopen(command->svg, "we");
	if (!file)
		return err_errno(err, errno, "cannot write \"%s\"", command->svg);
	plot_draw(file, scenario, result);
	return fflush(file) ? err_errno(err, errno, "cannot write \"%s\"", command->svg)
			    : 0;
}

static int play_one(const struct command *command, const struct scenario *scenario,
	const char *manager, struct err *err)
{
	struct run_result result;
	struct run_terms terms = terms_of(command, manager);
	terms.record = command->svg != NULL;
	int r = run_play(scenario, &terms, &result, err);
	if (r < 0)
		return r;
	const struct run_result *results[] = {&result};
	if (command->json) {
		report_json(stdout, scenario, results, 1);
	} else {
		printf("%s, %llu MiB\n", scenario->title,
			(unsigned long long)result.world.make.memory_kib / KIB_PER_MIB);
		report_table(stdout, results, 1);
		report_guests(stdout, &result);
		for (size_t i = 0; i < result.broken_count; i++)
			printf("broken promise: %s\n", result.broken[i]);
	}
	r = draw(command, scenario, &result, err);
	run_done(&result);
	return r;
}

int command_run(const struct command *command, struct err *err)
{
	const char *manager = command->managers ? command->managers : DEFAULT;
	struct scenario scenario;
	if (command->scenario_count > 1 || strchr(manager, ','))
		return err_set(err, -EINVAL,
			"run plays one scenario by one manager; several are compared");
	int r = load(command, command->scenarios[0], &scenario, err);
	if (r < 0)
		return r;
	r = play_one(command, &scenario, manager, err);
	scenario_done(&scenario);
	return r;
}

static int play_all(const struct command *command, const struct scenario *scenario,
	const struct names *names, struct err *err)
{
	auto_free struct run_result *played = mem_array(names->count, sizeof(*played));
	auto_free const struct run_result **results =
		mem_array(names->count, sizeof(struct run_result *));
	size_t count = 0;
	int r = 0;
	while (r == 0 && count < names->count) {
		struct run_terms terms = terms_of(command, names->items[count]);
		r = run_play(scenario, &terms, &played[count], err);
		if (r == 0) {
			results[count] = &played[count];
			count++;
		}
	}
	if (r == 0 && command->json)
		report_json(stdout, scenario, results, count);
	else if (r == 0)
		report_table(stdout, results, count);
	for (size_t i = 0; i < count; i++)
		run_done(&played[i]);
	return r;
}

int command_compare(const struct command *command, struct err *err)
{
	struct names names;
	int r = list_managers(command, true, &names, err);
	for (size_t i = 0; r == 0 && i < max_u64(command->scenario_count, 1); i++) {
		struct scenario scenario;
		r = load(command, command->scenarios[i], &scenario, err);
		if (r < 0)
			break;
		if (!command->json)
			printf("%s%s\n", i ? "\n" : "", scenario.title);
		r = play_all(command, &scenario, &names, err);
		scenario_done(&scenario);
	}
	names_done(&names);
	return r;
}

int command_least(const struct command *command, struct err *err)
{
	struct names names;
	int r = list_managers(command, true, &names, err);
	for (size_t i = 0; r == 0 && i < max_u64(command->scenario_count, 1); i++) {
		struct scenario scenario;
		r = load(command, command->scenarios[i], &scenario, err);
		if (r < 0)
			break;
		struct run_terms terms = terms_of(command, NULL);
		r = least_find(stdout, &scenario, &terms,
			(const char *const *)names.items, names.count, command->json,
			err);
		scenario_done(&scenario);
	}
	names_done(&names);
	return r;
}

/* ---- test ---- */

static char *as_json(const struct scenario *scenario, const struct run_result *result)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		abort();
	report_json(out, scenario, &result, 1);
	fclose(out);
	return text;
}

struct tap {
	unsigned count, failed;
};

static void point(struct tap *tap, bool holds, const struct scenario *scenario,
	const char *manager, const char *text)
{
	tap->count++;
	tap->failed += !holds;
	printf("%sok %u - %s: %s: %s\n", holds ? "" : "not ", tap->count, scenario->title,
		manager, text);
}

static void tell_verdicts(
	struct tap *tap, const struct scenario *scenario, const struct run_result *result)
{
	for (size_t i = 0; i < result->verdict_count; i++) {
		const struct run_verdict *verdict = &result->verdicts[i];
		point(tap, verdict->holds, scenario, result->manager,
			verdict->expectation->text);
		const struct metric *metric = metric_find(verdict->expectation->metric);
		char text[REPORT_VALUE_MAX];
		if (!verdict->holds)
			printf("# it is %s %s\n",
				report_value(text, metric, verdict->value), metric->unit);
	}
	point(tap, !result->broken_count, scenario, result->manager, "promises hold");
	for (size_t i = 0; i < result->broken_count; i++)
		printf("# %s\n", result->broken[i]);
}

static int test_one(struct tap *tap, const struct command *command,
	const struct scenario *scenario, const char *manager, struct err *err)
{
	auto_free char *texts[2] = {NULL, NULL};
	for (int i = 0; i < 2; i++) {
		struct run_result result;
		struct run_terms terms = terms_of(command, manager);
		terms.guarded = true;
		int r = run_play(scenario, &terms, &result, err);
		if (r < 0) {
			free(take(texts[1]));
			return r;
		}
		texts[i] = as_json(scenario, &result);
		if (i == 0)
			tell_verdicts(tap, scenario, &result);
		run_done(&result);
	}
	point(tap, strcmp(texts[0], texts[1]) == 0, scenario, manager,
		"two runs are alike");
	free(take(texts[1]));
	return 0;
}

static int test_scenario(
	struct tap *tap, const struct command *command, const char *path, struct err *err)
{
	struct names names;
	struct scenario scenario;
	int r = load(command, path, &scenario, err);
	if (r < 0)
		return r;
	r = list_managers(command, false, &names, err);
	if (r == 0 && !command->managers)
		add_expected(&names, &scenario);
	for (size_t m = 0; r == 0 && m < names.count; m++)
		r = test_one(tap, command, &scenario, names.items[m], err);
	names_done(&names);
	scenario_done(&scenario);
	return r;
}

int command_test(const struct command *command, struct err *err)
{
	struct tap tap = {0};
	int r = 0;
	for (size_t i = 0; r == 0 && i < max_u64(command->scenario_count, 1); i++)
		r = test_scenario(&tap, command, command->scenarios[i], err);
	printf("1..%u\n", tap.count);
	return r < 0 ? r : tap.failed > 0;
}
