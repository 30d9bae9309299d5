/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One value of a key, within mom/config*.c: from text, copied, let go. `base` is the
 * struct that the key's offset counts from. The same reader serves the file, the
 * defaults, a guest's metadata and live settings.
 */

#include <stddef.h>

#include "mom/config.h"
#include "mom/err.h"

/*
 * Set a key from text; a list of strings is split at commas.
 *
 * Errors: -EINVAL not of the key's type; -ERANGE out of its bounds. The value is kept.
 */
int config_value_set(
	const struct config_key *key, void *base, const char *text, struct err *err);

/* Copy a plain value (no string, list or budget) from one struct to its like. */
void config_value_copy(const struct config_key *key, void *to, const void *from);

void config_value_done(const struct config_key *key, void *base);

/* Whether a key of this type holds an owned text, and is written as it stands. */
bool config_value_is_text(enum config_type type);

/* What a key of this type takes, for error messages: "a size with its unit, …". */
const char *config_value_expected(enum config_type type);

/* Append an item; the list owns its copy. */
void config_strings_add(struct config_strings *strings, const char *item);

void config_strings_done(struct config_strings *strings);

/*
 * Key table number `index` and the struct it lays out: 0 is `config_keys`, then the
 * parts' own. NULL behind the last.
 */
const struct config_key *config_table(
	const struct config *config, size_t index, const void **base);
