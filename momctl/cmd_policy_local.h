/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The `momctl policy` commands that need no daemon. Each takes its own arguments (argv[0]
 * is its name), writes to `out` and `errors`, and gives the exit status: 0; 1 on an error
 * in a policy or a file; 2 on bad usage.
 */

#include <stdbool.h>
#include <stdio.h>

#include "mom/err.h"

struct policy_local {
	FILE *in, *out, *errors;
	bool json; /* where there are two forms of output */

	/* Facts of the running daemon as JSON (facts_json.h), for `eval --live`; a new
	 * string. NULL here: there is no daemon to ask. */
	char *(*live_facts)(void *context, struct err *err);
	void *context;
};

/* eval [--facts FILE.json | --live] [--controls] FILE|- */
int policy_local_eval(const struct policy_local *local, int argc, char *const argv[]);

/* check FILE|-… */
int policy_local_check(const struct policy_local *local, int argc, char *const argv[]);

/* fmt [--write | --check] FILE|-… */
int policy_local_fmt(const struct policy_local *local, int argc, char *const argv[]);

/* fields: one a line, or with local->json one array */
int policy_local_fields(const struct policy_local *local, int argc, char *const argv[]);
