/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Texts that say where something is (a hypervisor, a socket, a program), within
 * mom/config*.c: kept as they stand, once they were found to be that.
 */

#include <stdbool.h>

#include "mom/config.h"
#include "mom/err.h"

/* Whether a key of this type is one. */
bool config_place_is(enum config_type type);

/*
 * Replace the text of such a key.
 *
 * Errors: -EINVAL it is no such thing; others as loopback_parse(), or why a program can't
 *         be run. The value is kept.
 */
int config_place_set(
	enum config_type type, char **value, const char *text, struct err *err);
