/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A knob: carries out its part of a plan. A controller is one file that ends in one
 * `const struct controller controller_NAME`, and one line in controllers/list.def. Dry
 * run lives in the engine: a controller that is called acts.
 */

#include "mom/config.h"
#include "mom/err.h"
#include "mom/model.h"

struct hypervisor;

struct controller_env {
	const struct config *config;
	const struct hypervisor *hypervisor;
	void *hypervisor_self;
	const char *sys_root;
};

struct controller {
	const char *name;
	const char *help;
	const struct config_key *keys;
	size_t settings_size; /* of the struct that `keys` lay out */
	int (*open)(void **self, const struct controller_env *env, struct err *err);

	/* Idempotent: the same plan twice does what it does once. */
	int (*apply)(void *self, const struct plan *plan, struct err *err);

	void (*close)(void *self);
};
