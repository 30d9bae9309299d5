/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "mom/log.h"
#include "mom/mem.h"
#include "sim/command.h"
#include "sim/words.h"

#define DAY_MS (24 * 3600 * 1000ll)

static const struct known_command {
	const char *name;
	int (*run)(const struct command *command, struct err *err);
	bool draws, tells_json;
} commands[] = {
	{"run", command_run, .draws = true, .tells_json = true},
	{"compare", command_compare, .tells_json = true},
	{"least", command_least, .tells_json = true},
	{"test", command_test, .draws = false},
	{"replay", command_replay, .draws = true, .tells_json = true},
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"Usage: momsim run|compare|least|test [OPTION]... SCENARIO...\n"
		"       momsim replay [OPTION]... RECORDING\n"
		"Play a made-up host and its guests under mom's engine, and say what "
		"came "
		"of it.\n"
		"\n"
		"  run       play it by one manager, show every guest\n"
		"  compare   play it by several managers, side by side\n"
		"  least     find the least host memory by which each manager manages\n"
		"  test      hold managers against what the scenario expects (TAP)\n"
		"  replay    decide a recording of momctl record again, and tell what "
		"differs\n"
		"\n"
		"  -m, --manager A,B    policies (or A+B), none, static, oracle\n"
		"                       [run: fair-share; else all there are]\n"
		"      --policies DIR   where policies are [%s]\n"
		"      --seed N         other luck\n"
		"      --host SIZE      another host memory; with --trace the host's\n"
		"      --set KEY=VALUE  a setting of momd.conf, tunable.NAME, or a "
		"guest's\n"
		"                       as GUEST:KEY=VALUE\n"
		"      --trace FILE     instead of a scenario: guests that live a trace\n"
		"      --recording FILE instead of a scenario: what momctl record wrote\n"
		"      --vms N          so many of its machines [20]\n"
		"      --pick N         chosen by this seed [1]\n"
		"      --length TIME    so long [1d]\n"
		"      --tick TIME      decide so often [10s]\n"
		"      --guarded        others' policies at momd's pace, with its guard\n"
		"      --policy POLICY  in place of those recorded, by name or path "
		"(replay)\n"
		"      --first N        list so many differences [20] (replay)\n"
		"      --json           tell it as JSON (not test)\n"
		"      --svg FILE, --plot FILE  draw it (run, replay)\n"
		"  -v, --verbose        show the engine's log\n"
		"  -V, --version        print the version and end\n"
		"  -h, --help           print this and end\n"
		"\n"
		"Exit status: 0 done, 1 it couldn't be played or an expectation failed, "
		"2 bad usage.\n",
		MOM_POLICYDIR);
}

static int bad_usage(const char *text, const char *word)
{
	fprintf(stderr, "momsim: %s \"%s\"; see momsim --help\n", text, word);
	return -EINVAL;
}

static int bad_options(const char *text)
{
	fprintf(stderr, "momsim: %s; see momsim --help\n", text);
	return -EINVAL;
}

enum {
	OPT_POLICIES = 256,
	OPT_SEED,
	OPT_HOST,
	OPT_SET,
	OPT_TRACE,
	OPT_VMS,
	OPT_PICK,
	OPT_LENGTH,
	OPT_TICK,
	OPT_GUARDED,
	OPT_JSON,
	OPT_SVG,
	OPT_POLICY,
	OPT_FIRST,
	OPT_RECORDING,
};

static const struct option known[] = {
	{"manager", required_argument, NULL, 'm'},
	{"policies", required_argument, NULL, OPT_POLICIES},
	{"seed", required_argument, NULL, OPT_SEED},
	{"host", required_argument, NULL, OPT_HOST},
	{"set", required_argument, NULL, OPT_SET},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"vms", required_argument, NULL, OPT_VMS},
	{"pick", required_argument, NULL, OPT_PICK},
	{"length", required_argument, NULL, OPT_LENGTH},
	{"tick", required_argument, NULL, OPT_TICK},
	{"guarded", no_argument, NULL, OPT_GUARDED},
	{"json", no_argument, NULL, OPT_JSON},
	{"svg", required_argument, NULL, OPT_SVG},
	{"plot", required_argument, NULL, OPT_SVG},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"recording", required_argument, NULL, OPT_RECORDING},
	{"first", required_argument, NULL, OPT_FIRST},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_value(
	enum word_type type, const char *text, void *value, const char *option)
{
	struct err err;
	if (word_set(type, text, value, &err) == 0)
		return 0;
	fprintf(stderr, "momsim: --%s: %s\n", option, err.text);
	return -EINVAL;
}

/* 0 go on, 1 all is said, -EINVAL bad usage. */
static int take_option(int option, struct command *command)
{
	switch (option) {
	case 'm':
		command->managers = optarg;
		return 0;
	case OPT_POLICIES:
		command->policies = optarg;
		return 0;
	case OPT_SEED:
		return take_value(WORD_COUNT, optarg, &command->seed, "seed");
	case OPT_HOST:
		return take_value(WORD_SIZE, optarg, &command->host_kib, "host");
	case OPT_SET:
		command->sets = mem_resize(
			command->sets, command->set_count + 1, sizeof(*command->sets));
		command->sets[command->set_count++] = optarg;
		return strchr(optarg, '=') ? 0 : bad_usage("no KEY=VALUE:", optarg);
	case OPT_TRACE:
		command->trace.file = optarg;
		return 0;
	case OPT_VMS:
		return take_value(WORD_COUNT, optarg, &command->trace.vms, "vms");
	case OPT_PICK:
		return take_value(WORD_COUNT, optarg, &command->trace.pick, "pick");
	case OPT_LENGTH:
		return take_value(WORD_TIME, optarg, &command->trace.length_ms, "length");
	case OPT_TICK:
		return take_value(WORD_TIME, optarg, &command->trace.tick_ms, "tick");
	case OPT_GUARDED:
		command->guarded = true;
		return 0;
	case OPT_JSON:
		command->json = true;
		return 0;
	case OPT_SVG:
		command->svg = optarg;
		return 0;
	case OPT_POLICY:
		command->replay.policies = mem_resize(command->replay.policies,
			command->replay.policy_count + 1, sizeof(char *));
		command->replay.policies[command->replay.policy_count++] = optarg;
		return 0;
	case OPT_RECORDING:
		command->recording = optarg;
		return 0;
	case OPT_FIRST:
		return take_value(WORD_COUNT, optarg, &command->replay.first, "first");
	case 'v':
		log_set_level(LOG_LEVEL_DEBUG);
		return 0;
	case 'V':
		printf("momsim %s\n", PACKAGE_VERSION);
		return 1;
	case 'h':
		print_usage(stdout);
		return 1;
	default:
		return -EINVAL;
	}
}

static const struct known_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* What is asked for is what the command does. */
static int check_options(
	struct command *command, const struct known_command *known_command)
{
	if (!!command->trace.file + !!command->recording + !!command->scenario_count != 1)
		return bad_options("expected one of a scenario, --trace and --recording");
	if (command->svg && !known_command->draws)
		return bad_usage("nothing is drawn by", command->name);
	if (command->json && !known_command->tells_json)
		return bad_usage("there is no JSON of", command->name);
	command->trace.host_kib = command->host_kib;
	if (!command->trace.file || command->host_kib)
		return 0;
	if (known_command->run != command_least)
		return bad_options("--trace needs a host, as in --host 40GiB");
	command->trace.host_kib = 1; /* it tries its own */
	return 0;
}

static int read_options(int argc, char **argv, struct command *command)
{
	*command = (struct command){
		.policies = MOM_POLICYDIR,
		.trace = {.vms = 20, .pick = 1, .length_ms = DAY_MS, .tick_ms = 10000},
		.replay = {.first = 20},
	};
	int option;
	while ((option = getopt_long(argc, argv, "m:vVh", known, NULL)) != -1) {
		int said = take_option(option, command);
		if (said)
			return said;
	}
	command->name = optind < argc ? argv[optind++] : NULL;
	command->scenarios = argv + optind;
	command->scenario_count = (size_t)(argc - optind);
	if (!command->name)
		return bad_options("expected a command");
	const struct known_command *found = find_command(command->name);
	if (!found)
		return bad_usage("no command", command->name);
	return check_options(command, found);
}

int main(int argc, char **argv)
{
	struct command command;
	log_set_level(LOG_LEVEL_ERROR);
	int said = read_options(argc, argv, &command);
	if (said) {
		free(command.sets);
		free(command.replay.policies);
		return said < 0 ? 2 : EXIT_SUCCESS;
	}
	struct err err;
	int r = find_command(command.name)->run(&command, &err);
	free(command.sets);
	free(command.replay.policies);
	if (r < 0)
		fprintf(stderr, "momsim: %s\n", err.text);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
