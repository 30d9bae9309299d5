/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the history answers, as JSON text in the shapes of doc/control-protocol.md: from
 * the disk and from what isn't there yet.
 */

#include "mom/history/keeper.h"

#define ANSWER_ROWS_MOST 4000 /* of all lines together */

struct answer_question {
	bool pools_only;
	const char *guest;          /* name or UUID; NULL all */
	int64_t since_ms, until_ms; /* since the epoch */
	int64_t step_s;             /* 0: what makes `points` */
	int64_t points;             /* or events */
};

/*
 * Figures over time; `*json` is the caller's.
 *
 * Errors: -ENOENT no such guest; what reading met with.
 */
int answer_series(struct keeper *keeper, const struct answer_question *question,
	char **json, struct err *err);

/* Events, the latest `points`. Errors: as answer_series(). */
int answer_events(struct keeper *keeper, const struct answer_question *question,
	char **json, struct err *err);
