/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From a configuration to a set of policies: finds the files, reads them, tunes them. The
 * policy language itself knows no files.
 */

#include "mom/config.h"
#include "mom/err.h"
#include "mom/policy/policy.h"

/* A set that holds none yet, within the limits of the configuration. */
struct policy_set *policies_none(const struct config *config);

/*
 * Load every policy that the configuration names: those of `policies` (names of shipped
 * ones, or paths), then every *.policy of the directory. A policy's name is its file's,
 * without the ending; a later one of the same name replaces an earlier one.
 *
 * Shape:  `said` is called for each warning, with one formatted note.
 * Errors: -ENOENT and others a file can't be read; -EINVAL "file:line:column: text" a
 * policy or a tunable is refused. `*set` is written on success only.
 */
int policies_load(const struct config *config, void (*said)(const char *note),
	struct policy_set **set, struct err *err);

/*
 * Read one policy's file whole.
 *
 * Errors: any of reading a file; -EINVAL no plain file; -EFBIG over a megabyte.
 */
int policies_read_file(const char *path, char **text, size_t *length, struct err *err);
