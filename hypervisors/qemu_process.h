/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The QEMU process behind a domain, as /proc shows it: libvirt doesn't tell its number,
 * and a process that is stopped needn't be asked to find out that it doesn't answer.
 */

#include <stdbool.h>
#include <stddef.h>

#include "mom/model.h"

struct qemu_wanted {
	char uuid[UUID_TEXT_MAX];
	int pid; /* found, or 0 */
};

/*
 * Find the processes that were started with `-uuid UUID`, all in one walk.
 *
 * Errors: none; where /proc can't be read nothing is found.
 * Source: /proc/PID/cmdline; libvirt gives every QEMU its domain's UUID so.
 */
void qemu_process_find(const char *proc_root, struct qemu_wanted *wanted, size_t count);

enum qemu_process_state {
	QEMU_RUNS,    /* or nothing can be seen of it */
	QEMU_STOPPED, /* or traced: it answers nobody */
	QEMU_BLOCKED, /* waits for its host (storage, memory, a frozen cgroup): may not
		       * answer
		       */
};

enum qemu_process_state qemu_process_state(const char *proc_root, int pid);
