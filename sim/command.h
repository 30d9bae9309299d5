/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of momsim, and what they are told. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"
#include "sim/scenario.h"

struct command {
	const char *name;
	char **scenarios;
	size_t scenario_count;
	const char *managers; /* "a,b"; NULL all */
	const char *policies;
	uint64_t seed, host_kib; /* 0: the scenario's */
	char **sets;             /* "KEY=VALUE"; owned */
	size_t set_count;
	struct scenario_trace trace; /* its file NULL: a scenario is played */
	const char *recording;       /* NULL: a scenario or a trace is played */
	struct {
		char **policies; /* in place of the recorded ones; owned */
		size_t policy_count;
		uint64_t first; /* so many differences are listed */
	} replay;
	bool json, guarded;
	const char *svg;
};

/*
 * Each returns 0 all is well, 1 an expectation failed.
 *
 * Errors: a scenario, a policy or a file that can't be read.
 */
int command_run(const struct command *command, struct err *err);
int command_compare(const struct command *command, struct err *err);
int command_least(const struct command *command, struct err *err);
int command_replay(const struct command *command, struct err *err);
int command_test(const struct command *command, struct err *err);
