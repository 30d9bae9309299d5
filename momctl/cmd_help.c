/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "momctl/momctl.h"

static void print_all(const struct momctl *ctl)
{
	fprintf(ctl->out.file,
		"usage: momctl [-s SOCKET] [--json] [--kib] COMMAND [ARGUMENTS]\n\n");
	momctl_list(ctl, "", momctl_commands);
	fprintf(ctl->out.file,
		"\n"
		"  -s, --socket PATH       momd's socket (else $MOM_SOCKET, else %s)\n"
		"  --json                  print what momd answers, for programs\n"
		"  --kib                   print sizes as exact KiB\n"
		"  -h, --help              print this, or more about a command\n"
		"  -V, --version           print momctl's version\n"
		"\n"
		"exit status: 0 done, 1 momd refused or failed, 2 bad usage, 3 no momd,\n"
		"4 not allowed, 5 momd is of another version, 6 only a part of what was\n"
		"reserved, or not before room is made, 7 impossible; doctor: 10 advice,\n"
		"11 warnings, 12 something serious\n",
		MOM_RUNDIR "/momd.sock");
}

int cmd_help(const struct momctl *ctl, int argc, char **argv)
{
	if (argc == 1) {
		print_all(ctl);
		return MOMCTL_OK;
	}
	if (strcmp(argv[1], "policy") == 0) {
		momctl_list(ctl, "policy ", policy_commands);
		return MOMCTL_OK;
	}
	const struct command *c = momctl_commands;
	while (c->name && strcmp(c->name, argv[1]) != 0)
		c++;
	if (!c->name)
		return momctl_fail(MOMCTL_USAGE,
			"there is no command \"%s\"; try \"momctl help\"", argv[1]);
	fprintf(ctl->out.file, "usage: momctl %s%s%s\n%s\n", c->name,
		*c->arguments ? " " : "", c->arguments, c->help);
	return MOMCTL_OK;
}
