/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One answer while it is written, within mom/metrics*.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mom/metrics.h"
#include "mom/tally.h"

struct guest;

/* A guest and what its samples are labelled with: `guest="…"`. */
struct metrics_guest {
	const struct guest *guest;
	char *name;   /* safe, and no other guest's */
	char *labels; /* from its name */
};

struct metrics {
	const struct daemon *daemon;
	FILE *out;
	bool openmetrics;
	struct metrics_guest *guests; /* by name */
	size_t guest_count, guests_omitted;
	size_t pool_count, pools_omitted; /* beside the host */
};

/* Texts are escaped here. */
struct metrics_label {
	const char *name, *value; /* NULL value: no label */
};

/* One sample: `labels` are those of its scope, written already. */
void metrics_whole(struct metrics *metrics, const struct metric *metric,
	const char *labels, struct metrics_label label, uint64_t value);
void metrics_real(struct metrics *metrics, const struct metric *metric,
	const char *labels, struct metrics_label label, double value);
void metrics_spread(struct metrics *metrics, const struct metric *metric,
	const struct spread *spread);

/* A text as a label's value, between its quotes; a new string. */
char *metrics_escape(const char *text);

/*
 * The guests, by name, each with a name that no other has: what is no UTF-8 is replaced,
 * and those that are called alike have their UUID behind it.
 */
void metrics_name_guests(struct metrics *metrics);
void metrics_names_done(struct metrics *metrics);
