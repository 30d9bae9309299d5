/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mom/journal.h"

static struct decision decision_at(int64_t now_ms, const char *because)
{
	struct decision decision = {
		.at_ms = now_ms,
		.until_ms = now_ms,
		.state = GUEST_STATE_MANAGED,
		.used_kib = (uint64_t)now_ms,
	};
	snprintf(decision.because, sizeof(decision.because), "%s", because);
	return decision;
}

static struct decision order_at(int64_t now_ms, uint64_t target_kib)
{
	struct decision decision = decision_at(now_ms, "it must move");
	decision.has_order = true;
	decision.target_kib = target_kib;
	return decision;
}

static void add(struct journal *journal, struct decision decision)
{
	journal_add(journal, &decision);
}

static void a_new_journal_is_empty(void **state)
{
	(void)state;
	struct journal journal = {0};
	assert_null(journal_at(&journal, 0));
	journal_outcome(&journal, 1, "nobody asked for it");
	assert_null(journal_at(&journal, 0));
}

static void the_same_judgement_is_one_entry(void **state)
{
	(void)state;
	struct journal journal = {0};
	for (int64_t now_ms = 1000; now_ms <= 5000; now_ms += 1000)
		add(&journal, decision_at(now_ms, "all is well"));
	const struct decision *entry = journal_at(&journal, 0);
	assert_int_equal(entry->at_ms, 1000);
	assert_int_equal(entry->until_ms, 5000);
	assert_int_equal(entry->used_kib, 5000); /* the figures are the latest */
	assert_null(journal_at(&journal, 1));
}

static void another_reason_state_or_verdict_is_another_entry(void **state)
{
	(void)state;
	struct journal journal = {0};
	struct decision other = decision_at(3000, "none");
	add(&journal, decision_at(1000, "one"));
	add(&journal, decision_at(2000, "none"));
	other.state = GUEST_STATE_HELD;
	add(&journal, other);
	snprintf(other.guard, sizeof(other.guard), "cut to its maximum");
	add(&journal, other);
	assert_non_null(journal_at(&journal, 3));
	assert_null(journal_at(&journal, 4));
	assert_string_equal(journal_at(&journal, 3)->because, "one");
}

static void every_order_has_its_own_entry(void **state)
{
	(void)state;
	struct journal journal = {0};
	add(&journal, order_at(1000, 500));
	add(&journal, order_at(2000, 500));
	assert_non_null(journal_at(&journal, 1));
}

static void the_oldest_entries_make_room(void **state)
{
	(void)state;
	struct journal journal = {0};
	for (int i = 0; i < 3 * JOURNAL_ENTRIES + 1; i++)
		add(&journal, order_at(i, (uint64_t)i));
	for (size_t age = 0; age < JOURNAL_ENTRIES; age++)
		assert_int_equal(
			journal_at(&journal, age)->at_ms, 3 * JOURNAL_ENTRIES - (int)age);
	assert_null(journal_at(&journal, JOURNAL_ENTRIES));
}

static void what_came_of_an_order_is_told_at_the_latest_of_its_size(void **state)
{
	(void)state;
	struct journal journal = {0};
	add(&journal, order_at(1000, 500));
	add(&journal, order_at(2000, 400));
	add(&journal, order_at(3000, 500));
	add(&journal, decision_at(4000, "all is well"));
	journal_outcome(&journal, 500, "taken");
	journal_outcome(&journal, 400, "refused");
	journal_outcome(&journal, 300, "nobody ordered that");
	assert_string_equal(journal_at(&journal, 0)->outcome, "");
	assert_string_equal(journal_at(&journal, 1)->outcome, "taken");
	assert_string_equal(journal_at(&journal, 2)->outcome, "refused");
	assert_string_equal(journal_at(&journal, 3)->outcome, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_journal_is_empty),
		cmocka_unit_test(the_same_judgement_is_one_entry),
		cmocka_unit_test(another_reason_state_or_verdict_is_another_entry),
		cmocka_unit_test(every_order_has_its_own_entry),
		cmocka_unit_test(the_oldest_entries_make_room),
		cmocka_unit_test(what_came_of_an_order_is_told_at_the_latest_of_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
