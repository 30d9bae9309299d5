/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The administrator's program that is run when the host's state changes (`on_state`): one
 * at a time, for a bounded time, never waited for. It isn't a shell's command, and of the
 * daemon it has nothing but its standard error.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mom/err.h"
#include "mom/model.h"

struct daemon;
struct event;

struct hook {
	struct event *ended, *limit;
	pid_t child; /* 0: none runs */
	int failure; /* where the child says that it couldn't begin; -1 closed */
	bool killed; /* its time was up */
	bool told;   /* it was run for a state, for … */
	enum host_state state, former; /* … this one, and the one it was run for before */
	bool had_former;
	uint64_t runs, failures;
};

/* Errors: -ENOMEM libevent can't. */
int hook_open(struct daemon *daemon, struct err *err);
void hook_close(struct daemon *daemon);

/*
 * After a tick: run the program where the state is another one than it was last run for
 * and none runs; one that runs keeps the next from beginning, so that it is told the
 * latest state alone. The state is the worst of the host's and its pools'.
 */
void hook_tick(struct daemon *daemon);
