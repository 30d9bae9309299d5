/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Parts of the daemon's answers that more than one command shows.
 */

#include "momctl/momctl.h"
#include "momctl/table.h"

/* A table of the guests in `guests`, an array. */
void show_guests(const struct momctl *ctl, struct json_object *guests);

/* A cell with the size, count or text `key` of `object`; "-" where it isn't known. */
void show_size(const struct momctl *ctl, struct table *table, struct json_object *object,
	const char *key);
void show_count(struct table *table, struct json_object *object, const char *key);
void show_text(struct table *table, struct json_object *object, const char *key);

/* The style of a guest's or the host's state. */
enum style show_state_style(const char *state);
