/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Parts of the daemon's answers that more than one command shows.
 */

#include "momctl/momctl.h"
#include "momctl/table.h"

/* A table of the guests in `guests`, an array. */
void show_guests(const struct momctl *ctl, struct json_object *guests);

/* What `momctl explain` tells, of the answer to it. */
void show_explanation(const struct momctl *ctl, struct json_object *all);

/* The reason of the latest decision; where there is none, what its state means. */
const char *show_reason(struct json_object *guest);

/* A cell with the size, count or text `key` of `object`; "-" where it isn't known. */
void show_size(const struct momctl *ctl, struct table *table, struct json_object *object,
	const char *key);
void show_count(struct table *table, struct json_object *object, const char *key);
void show_text(struct table *table, struct json_object *object, const char *key);

/* Lines that the daemon adds to an answer, an array of texts. */
void show_notes(const struct momctl *ctl, struct json_object *notes);

/* A state of a guest or the host in colour, and in words. */
enum style show_state_style(const char *state);
const char *show_state_meaning(const char *state);
enum style show_quality_style(const char *quality);
const char *show_quality_meaning(const char *quality);

/* Seconds for people, "unknown" where there are none; freed by the caller. */
char *show_age(struct json_object *object, const char *key);
char *show_seconds(double seconds);

/*
 * A value by the unit in its name ("usable_kib": "120 MiB"), and the length of the name
 * without it. Freed by the caller.
 */
char *show_value(const struct momctl *ctl, const char *key, struct json_object *value);
size_t show_name_length(const char *key);
