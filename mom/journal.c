/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/journal.h"

#include <stdio.h>
#include <string.h>

static struct decision *entry_at(struct journal *journal, size_t age)
{
	size_t index = (journal->next + JOURNAL_ENTRIES - 1 - age) % JOURNAL_ENTRIES;
	return age < journal->count ? &journal->entries[index] : NULL;
}

const struct decision *journal_at(const struct journal *journal, size_t age)
{
	return entry_at((struct journal *)journal, age);
}

/* The same judgement, though the figures behind it move a little. */
static bool is_same(const struct decision *a, const struct decision *b)
{
	return !a->has_order && !b->has_order && a->state == b->state &&
	       !strcmp(a->policy, b->policy) && !strcmp(a->because, b->because) &&
	       !strcmp(a->guard, b->guard);
}

struct decision *journal_add(struct journal *journal, const struct decision *decision)
{
	struct decision *latest = entry_at(journal, 0);
	if (latest && is_same(latest, decision)) {
		int64_t first_ms = latest->at_ms;
		*latest = *decision;
		latest->at_ms = first_ms;
		return latest;
	}
	struct decision *entry = &journal->entries[journal->next];
	*entry = *decision;
	journal->next = (journal->next + 1) % JOURNAL_ENTRIES;
	if (journal->count < JOURNAL_ENTRIES)
		journal->count++;
	return entry;
}

void journal_outcome(struct journal *journal, uint64_t target_kib, const char *outcome)
{
	for (size_t age = 0; age < journal->count; age++) {
		struct decision *entry = entry_at(journal, age);
		if (!entry->has_order || entry->target_kib != target_kib)
			continue;
		snprintf(entry->outcome, sizeof(entry->outcome), "%s", outcome);
		return;
	}
}
