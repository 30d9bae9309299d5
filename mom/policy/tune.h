/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tunables: what (param …) declares, and the values that were set from outside. */

#include "mom/policy/run.h"

void tunes_done(struct tunes *tunes);

/* What holds for a name: set while running, else configured; NULL with neither. */
const struct tune *tune_find(const struct tunes *tunes, const char *name);

/* The value of a (param …) form: the one from outside where it fits, else its default. */
struct value tune_value(const struct tunes *tunes, const struct node *param);

/*
 * Would this value fit this (param …)?
 *
 * Errors: -EINVAL another kind; -ERANGE out of bounds.
 */
int tune_fits(const char *text, const struct node *param, struct err *err);

/* A note for each value from outside that doesn't fit and is left out. */
void tunes_check(const struct tunes *tunes, const struct policy *policy,
	struct policy_notes *notes);

/* What a text says as a number or a boolean; nil where it is neither. */
struct value tune_read(const char *text);

void tunes_set(struct tunes *tunes, const char *name, const char *text, bool live);
bool tunes_unset(struct tunes *tunes, const char *name, bool live);

void tune_describe(const struct tunes *tunes, const struct policy *policy,
	const struct node *param, struct policy_param *into);
