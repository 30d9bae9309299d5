/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/near.h"
#include "momctl/momctl.h"

#define HELP_COLUMN 26

#define HISTORY_ARGUMENTS                                                                \
	"[GUEST] [--since T] [--until T] [--step T] [--points N] [--csv] "               \
	"[--plot FILE.svg]"

#define RESERVE_ARGUMENTS                                                                \
	"SIZE [--for NAME] [--timeout T] [--expires T] [--cgroup PATH] | "               \
	"--cancel [NAME] | --list"

#define REPLAY_ARGUMENTS                                                                 \
	"FILE [--policy POLICY]... [--set KEY=VALUE]... [--plot FILE.svg] [--first N]"

const struct command momctl_commands[] = {
	{"status", "", 0, 0, "the host, what its memory is for, and every guest",
		cmd_status},
	{"top", "", 0, 0, "the same on the whole terminal, as it changes", cmd_top},
	{"watch", "[--count N] [--topic TOPIC]", 0, -1,
		"a line of JSON for each tick, for scripts", cmd_watch},
	{"guests", "", 0, 0, "the guests alone", cmd_guests},
	{"explain", "GUEST", 1, 1, "what was decided about a guest, and why",
		cmd_explain},
	{"doctor", "[--proc-root DIR] [--sys-root DIR] [GUEST]", 0, -1,
		"what is wrong, what it costs, and what mends it", cmd_doctor},
	{"history", HISTORY_ARGUMENTS, 0, -1, "figures over time, as a table or a plot",
		cmd_history},
	{"events", "[GUEST] [--since T] [--until T] [--limit N] [--follow]", 0, -1,
		"what happened", cmd_events},
	{"set", "GUEST KEY VALUE", 3, 3, "change a guest's setting while momd runs",
		cmd_set},
	{"unset", "GUEST KEY", 2, 2, "take such a change back", cmd_unset},
	{"pause", "[GUEST]", 0, 1, "move no guest, or this one not", cmd_pause},
	{"resume", "[GUEST]", 0, 1, "the end of a pause", cmd_resume},
	{"reserve", RESERVE_ARGUMENTS, 1, -1,
		"make memory free for a guest to come, and keep it", cmd_reserve},
	{"can-start", "SIZE [--for NAME] [--cgroup PATH]", 1, -1,
		"whether there is room for a guest, by exit status", cmd_can_start},
	{"policy", "COMMAND ...", 1, -1,
		"policies and their tunables; see \"help policy\"", cmd_policy},
	{"collectors", "", 0, 0, "where momd reads its facts, and what fails there",
		cmd_collectors},
	{"reload", "", 0, 0, "read momd.conf and the policies again", cmd_reload},
	{"record", "FILE [--for TIME] [--size SIZE]", 1, -1,
		"write down all that momd sees and decides", cmd_record},
	{"replay", REPLAY_ARGUMENTS, 1, -1,
		"what another policy would have decided of it", cmd_replay},
	{"guest-kit", "FILE.iso", 1, 1, "a CD for Windows guests: settings and services",
		cmd_guest_kit},
	{"version", "", 0, 0, "the versions of momctl and momd", cmd_version},
	{"help", "[COMMAND]", 0, 1, "this list, or more about a command", cmd_help},
	{0},
};

static const struct command *find(const struct command *commands, const char *name)
{
	const struct command *command = commands;
	while (command->name && strcmp(command->name, name) != 0)
		command++;
	return command->name ? command : NULL;
}

static int no_command(
	const char *prefix, const struct command *commands, const char *name)
{
	struct near near = {.word = name};
	for (const struct command *c = commands; c->name; c++)
		near_try(&near, c->name);
	if (near.best)
		return momctl_fail(MOMCTL_USAGE,
			"there is no command \"%s%s\"; did you mean \"%s\"?", prefix,
			name, near.best);
	return momctl_fail(MOMCTL_USAGE,
		"there is no command \"%s%s\"; try \"momctl help\"", prefix, name);
}

int momctl_run(const struct momctl *ctl, const char *prefix,
	const struct command *commands, int argc, char **argv)
{
	const struct command *command = find(commands, argv[0]);
	int given = argc - 1;
	if (!command)
		return no_command(prefix, commands, argv[0]);
	if (given < command->least || (command->most >= 0 && given > command->most))
		return momctl_fail(MOMCTL_USAGE, "usage: momctl %s%s%s%s", prefix,
			command->name, *command->arguments ? " " : "",
			command->arguments);
	return command->run(ctl, argc, argv);
}

void momctl_list(
	const struct momctl *ctl, const char *prefix, const struct command *commands)
{
	for (const struct command *c = commands; c->name; c++) {
		int width = fprintf(ctl->out.file, "  %s%s%s%s", prefix, c->name,
			*c->arguments ? " " : "", c->arguments);
		bool fits = width + 2 <= HELP_COLUMN;
		fprintf(ctl->out.file, "%s%*s%s\n", fits ? "" : "\n",
			fits ? HELP_COLUMN - width : HELP_COLUMN, "", c->help);
	}
}
