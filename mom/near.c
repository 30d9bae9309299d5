/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/near.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define WORD_MAX 40 /* longer words get no suggestion */

/*
 * Levenshtein's distance, one row of the table at a time: `row[j]` is what it takes to
 * turn the letters of `a` seen so far into the first j of `b`.
 */
static unsigned distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	unsigned row[WORD_MAX + 1];
	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < length; j++) {
			unsigned change = diagonal + (a[i] != b[j]);
			diagonal = row[j + 1];
			unsigned add_or_drop =
				(diagonal < row[j] ? diagonal : row[j]) + 1;
			row[j + 1] = change < add_or_drop ? change : add_or_drop;
		}
	}
	return row[length];
}

/* A third of the letters may be wrong: "mni" is near "min", "cpu" is near nothing. */
static unsigned tolerance(const char *word)
{
	size_t length = strlen(word);
	return length <= 2 ? 1 : length <= 5 ? 2 : 3;
}

void near_try(struct near *near, const char *name)
{
	if (strlen(near->word) > WORD_MAX || strlen(name) > WORD_MAX)
		return;
	unsigned found = distance(near->word, name);
	if (found > tolerance(near->word) || found >= strlen(name))
		return;
	if (near->best && found >= near->distance)
		return;
	near->best = name;
	near->distance = found;
}
