/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A source of facts about the host or its guests. A collector is one file that ends in
 * one `const struct collector collector_NAME`, and one line in collectors/list.def.
 */

#include "mom/config.h"
#include "mom/err.h"
#include "mom/model.h"

struct hypervisor;

struct collector_env {
	const struct config *config;
	const struct hypervisor *hypervisor;
	void *hypervisor_self;
	const char *proc_root; /* "/proc", another one in tests */
	const char *sys_root;  /* "/sys" */
};

struct collector {
	const char *name; /* its section in momd.conf */
	const char *help; /* one line for `momctl collectors` */
	const struct config_key
		*keys;        /* its own keys, ends with a NULL name; may be NULL */
	size_t settings_size; /* of the struct that `keys` lay out */

	/* Errors: any; the daemon says so once and goes on without this source. */
	int (*open)(void **self, const struct collector_env *env, struct err *err);

	/* Fill its part of the snapshot; must not wait. On error its part stays unset. */
	int (*sample)(void *self, struct snapshot *into, struct err *err);

	/* A cheap look between ticks at the memory that is left: what sample() finds of
	 * it, in microseconds. May be NULL. */
	int (*glance)(void *self, struct snapshot *into, struct err *err);

	/* Readable when the tick should come early, or -1; may be NULL. */
	int (*wake_fd)(void *self);

	void (*close)(void *self);
};
