/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From libconfig's tree to settings, within mom/config*.c.
 */

#include <libconfig.h>

#include "mom/config.h"
#include "mom/err.h"

/*
 * Take every setting of `tree` into `config`, which holds the defaults and its parts.
 *
 * Errors: as config_load(); `config` is then half read.
 */
int config_read_tree(
	struct config *config, const config_t *tree, const char *path, struct err *err);
