/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "mom/mem.h"
#include "sim/command.h"
#include "sim/replay.h"
#include "sim/replay_report.h"

static int draw(const char *path, const struct replay_result *result, struct err *err)
{
	auto_fclose FILE *file = fopen(path, "we");
	if (!file)
		return err_errno(err, errno, "cannot write \"%s\"", path);
	replay_draw(file, result);
	return fflush(file) ? err_errno(err, errno, "cannot write \"%s\"", path) : 0;
}

int command_replay(const struct command *command, struct err *err)
{
	struct replay_terms terms = {
		.policies = command->replay.policies,
		.policy_count = command->replay.policy_count,
		.shipped = command->policies,
		.sets = command->sets,
		.set_count = command->set_count,
		.draw = command->svg != NULL,
	};
	struct replay_result result;
	if (command->scenario_count != 1)
		return err_set(err, -EINVAL, "replay takes one recording");
	int r = replay_play(command->scenarios[0], &terms, &result, err);
	if (r < 0)
		return r;
	if (command->json)
		replay_report_json(stdout, &result);
	else
		replay_report(stdout, &result, command->replay.first);
	if (command->svg)
		r = draw(command->svg, &result, err);
	replay_done(&result);
	return r;
}
