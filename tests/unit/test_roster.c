/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/roster.h"

struct bench {
	struct roster roster;
	struct snapshot snapshot;
	char came[64], went[64]; /* names, as they came and went */
};

static int set_up(void **state)
{
	*state = mem_alloc(sizeof(struct bench));
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	roster_done(&bench->roster);
	snapshot_done(&bench->snapshot);
	free(bench);
	return 0;
}

static void seen(struct bench *bench, const char *uuid, const char *name)
{
	struct guest_facts *facts = snapshot_add_guest(&bench->snapshot);
	snprintf(facts->uuid, sizeof(facts->uuid), "%s", uuid);
	snprintf(facts->name, sizeof(facts->name), "%s", name);
	facts->metadata = mem_printf("<%s/>", name);
}

static void note(char *names, const struct guest *guest)
{
	size_t length = strlen(names);
	snprintf(names + length, 64 - length, "%.8s", guest->facts.name);
}

static void came(void *context, struct guest *guest)
{
	note(((struct bench *)context)->came, guest);
}

static void went(void *context, struct guest *guest)
{
	note(((struct bench *)context)->went, guest);
}

static void follow(struct bench *bench)
{
	bench->came[0] = bench->went[0] = '\0';
	roster_follow(&bench->roster, &bench->snapshot, came, went, bench);
}

static void guests_come_stay_and_go(void **state)
{
	struct bench *bench = *state;
	seen(bench, "2", "b");
	seen(bench, "1", "a");
	follow(bench);
	assert_string_equal(bench->came, "ba");
	struct guest *b = roster_find(&bench->roster, "2");
	b->history_ms = 77; /* something remembered */

	seen(bench, "3", "c");
	seen(bench, "2", "b");
	follow(bench);
	assert_string_equal(bench->came, "c");
	assert_string_equal(bench->went, "a");
	assert_ptr_equal(roster_find(&bench->roster, "2"), b);
	assert_int_equal(b->history_ms, 77);
	assert_string_equal(b->facts.metadata, "<b/>");
	assert_null(roster_find(&bench->roster, "1"));
}

static void guests_are_found_by_uuid_first_and_by_name(void **state)
{
	struct bench *bench = *state;
	seen(bench, "1", "one");
	seen(bench, "2", "1"); /* a name like another's UUID */
	follow(bench);
	assert_string_equal(roster_find(&bench->roster, "1")->facts.name, "one");
	assert_string_equal(roster_find(&bench->roster, "one")->facts.uuid, "1");
	assert_null(roster_find(&bench->roster, "three"));
}

static void e35_another_guest_of_the_same_name_is_another_guest(void **state)
{
	struct bench *bench = *state;
	seen(bench, "1", "vm");
	follow(bench);
	roster_find(&bench->roster, "vm")->balloon.fixed = true;
	seen(bench, "2", "vm");
	follow(bench);
	assert_string_equal(bench->went, "vm");
	assert_int_equal(bench->roster.count, 1);
	assert_false(roster_find(&bench->roster, "vm")->balloon.fixed);
}

/* It went and came between two looks: its balloon is another one, and nothing is proved.
 */
static void e32_a_guest_started_anew_between_two_looks_is_a_new_one(void **state)
{
	struct bench *bench = *state;
	seen(bench, "0", "other");
	seen(bench, "1", "vm");
	bench->snapshot.guests[1].id = 6;
	follow(bench);
	struct guest *other = roster_find(&bench->roster, "other");
	other->balloon.fixed = roster_find(&bench->roster, "vm")->balloon.fixed = true;
	seen(bench, "0", "other");
	seen(bench, "1", "vm");
	bench->snapshot.guests[1].id = 7;
	follow(bench);
	assert_string_equal(bench->went, "vm");
	assert_string_equal(bench->came, "vm");
	assert_int_equal(bench->roster.count, 2);
	assert_false(roster_find(&bench->roster, "1")->balloon.fixed);
	assert_int_equal(roster_find(&bench->roster, "1")->facts.id, 7);
	assert_true(other->balloon.fixed);
}

static void e54_a_guest_told_of_twice_is_one_guest(void **state)
{
	struct bench *bench = *state;
	seen(bench, "1", "vm");
	follow(bench);
	seen(bench, "1", "vm");
	seen(bench, "1", "renamed");
	follow(bench);
	assert_int_equal(bench->roster.count, 1);
	seen(bench, "2", "new");
	seen(bench, "2", "new");
	follow(bench);
	assert_int_equal(bench->roster.count, 1);
}

static void nobody_left_is_nothing_left(void **state)
{
	struct bench *bench = *state;
	seen(bench, "1", "vm");
	follow(bench);
	follow(bench);
	assert_string_equal(bench->went, "vm");
	assert_int_equal(bench->roster.count, 0);
	follow(bench);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guests_come_stay_and_go),
		TEST(guests_are_found_by_uuid_first_and_by_name),
		TEST(e35_another_guest_of_the_same_name_is_another_guest),
		TEST(e32_a_guest_started_anew_between_two_looks_is_a_new_one),
		TEST(e54_a_guest_told_of_twice_is_one_guest),
		TEST(nobody_left_is_nothing_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
