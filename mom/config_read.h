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

/* What is read, and into what. */
struct reader {
	const char *path;
	struct config *config;
	struct err *err;
};

/* The free-form parts: `guests = ( … )` and `tunables = { … }`. */
int reader_guests(struct reader *reader, const config_setting_t *list);
int reader_tunables(struct reader *reader, const config_setting_t *group);

/* Take one value of a key of the table. */
int reader_value(struct reader *reader, const config_setting_t *setting,
	const struct config_key *key, void *base);

/* Element number `index` of a group, list or array. */
const config_setting_t *reader_elem(const config_setting_t *setting, int index);

/* A number, a truth or a text as text, to be freed; NULL where it is none. */
char *reader_text(const config_setting_t *setting);

/* "FILE:LINE", to be freed. */
char *reader_where(const struct reader *reader, const config_setting_t *setting);

/* Tell "FILE:LINE: " and what is wrong with a setting; gives `code`. */
int reader_fail(struct reader *reader, const config_setting_t *setting, int code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Tell of a name that isn't known `place` ("of a guest"); `best` may have been meant. */
int reader_unknown(struct reader *reader, const config_setting_t *setting,
	const char *place, const char *best);
