/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The known name that a mistyped one most likely means, for "did you mean": hand every
 * known name to near_try(), then look at `best`.
 *
 *	struct near near = {.word = "perod"};
 *	near_try(&near, "period");
 *	if (near.best) …
 */

struct near {
	const char *word;
	const char *best;  /* as handed in; NULL while nothing is near enough */
	unsigned distance; /* letters added, dropped or changed; of `best` */
};

void near_try(struct near *near, const char *name);
