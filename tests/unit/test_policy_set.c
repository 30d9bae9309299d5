/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"

#define GUESTS 3

/* Three guests of 1000, 2000 and 3000 KiB on a host of 10000. */
struct world {
	struct host_history host;
	struct guest_facts facts[GUESTS];
	struct guest_history histories[GUESTS];
	struct policy_vars *stores[GUESTS];
	struct policy_guest guests[GUESTS];
	struct policy_facts all;
	struct policy_set *set;
	struct policy_outcome outcome;
};

static int setup(void **state)
{
	struct world *world = mem_alloc(sizeof(*world));
	host_history_put(&world->host,
		&(struct host_sample){.has_meminfo = true, .mem_total_kib = 10000}, true);
	for (uint64_t i = 0; i < GUESTS; i++) {
		snprintf(world->facts[i].name, GUEST_NAME_MAX, "vm%d", (int)i + 1);
		guest_history_put(&world->histories[i],
			&(struct guest_sample){
				.has_actual = true, .actual_kib = 1000 * (i + 1)},
			true);
		world->guests[i] = (struct policy_guest){.facts = &world->facts[i],
			.history = &world->histories[i],
			.state = "managed",
			.vars = &world->stores[i]};
	}
	world->all = (struct policy_facts){
		.host = &world->host, .guests = world->guests, .guest_count = GUESTS};
	world->set = policy_set_new(NULL);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < GUESTS; i++)
		policy_vars_free(world->stores[i]);
	policy_outcome_done(&world->outcome);
	policy_set_free(world->set);
	free(world);
	return 0;
}

static int load_as(struct world *world, const char *name, const char *text, bool shadow,
	struct err *err)
{
	struct policy_source source = {
		.name = name, .text = text, .length = strlen(text), .shadow = shadow};
	return policy_set_load(world->set, &source, NULL, err);
}

static void load(struct world *world, const char *name, const char *text)
{
	struct err err;
	if (load_as(world, name, text, false, &err) < 0)
		fail_msg("%s", err.text);
}

static void run(struct world *world)
{
	policy_run(world->set, &world->all, NULL, &world->outcome);
}

static void wishes_are(struct world *world, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t wanted[GUESTS] = {a, b, c};
	run(world);
	for (size_t i = 0; i < GUESTS; i++) {
		assert_int_equal(world->outcome.wishes[i].target_kib, wanted[i]);
		assert_int_equal(world->outcome.wishes[i].has_target, wanted[i] != 0);
	}
}

#define SET_ALL "(with Guests g (g.Control \"balloon_target\" 500))"

static void the_last_policy_wins(void **state)
{
	struct world *world = *state;
	load(world, "b", "(with Guests g (g.Control \"balloon_target\" 700))");
	load(world, "a", SET_ALL);
	wishes_are(world, 700, 700, 700);
	assert_string_equal(world->outcome.wishes[0].policy, "b");
	load(world, "c",
		"(with Guests g (if (== g.name \"vm2\") (g.Control \"balloon_target\" "
		"9.9) 0))");
	wishes_are(world, 700, 9, 700);
}

static void a_failed_load_leaves_the_old_policy_in_force(void **state)
{
	struct world *world = *state;
	struct err err;
	load(world, "a", SET_ALL);
	assert_int_equal(load_as(world, "a", "(with Guests g", false, &err), -EINVAL);
	assert_string_equal(err.text, "a:1:1: this '(' is never closed");
	assert_int_equal(load_as(world, "a", "nobody", false, &err), -EINVAL);
	wishes_are(world, 500, 500, 500);
}

static void an_unloaded_policy_is_gone(void **state)
{
	struct world *world = *state;
	struct err err;
	load(world, "a", SET_ALL);
	load(world, "b", "1");
	assert_int_equal(policy_set_unload(world->set, "x", &err), -ENOENT);
	assert_string_equal(err.text, "no policy is called 'x'; loaded: a, b");
	assert_int_equal(policy_set_unload(world->set, "a", &err), 0);
	wishes_are(world, 0, 0, 0);
	assert_int_equal(policy_set_count(world->set), 1);
}

static void an_error_costs_only_the_guest_it_is_at(void **state)
{
	struct world *world = *state;
	load(world, "a", SET_ALL);
	load(world, "b",
		"(with Guests g {(g.Control \"balloon_target\" 600)"
		" (if (== g.name \"vm2\") (/ 1 0) 0)})");
	wishes_are(world, 600, 500, 600);
	assert_int_equal(world->outcome.failed_rounds, 1);
	assert_int_equal(world->outcome.failed_policies, 0);
	assert_int_equal(world->outcome.message_count, 1);
	assert_string_equal(world->outcome.messages[0].guest, "vm2");
	assert_string_equal(world->outcome.messages[0].policy, "b");
	struct policy_info info;
	assert_true(policy_set_find(world->set, "b", &info));
	assert_int_equal(info.failures, 1);
	assert_string_equal(info.trouble, "1:72: division by zero, at guest vm2");
}

static void an_error_ends_its_policy_and_drops_what_it_set(void **state)
{
	struct world *world = *state;
	load(world, "a", SET_ALL);
	load(world, "b",
		"(with Guests g (g.Control \"balloon_target\" 600))"
		"(Host.Control \"ksm_run\" 1) (/ 1 0)");
	load(world, "c", "(Host.Control \"ksm_pages_to_scan\" 64)");
	wishes_are(world, 500, 500, 500);
	assert_int_equal(world->outcome.failed_policies, 1);
	assert_false(world->outcome.knobs[KNOB_KSM_RUN].has_value);
	assert_int_equal(world->outcome.knobs[KNOB_KSM_PAGES_TO_SCAN].value, 64);
}

static void scopes_are_whole_after_a_failed_round(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(defvar x 1) (def f (x) (let ((x 3)) (/ 1 0)))"
		"(with Guests g (f 2))"
		"(with Guests g (g.Control \"balloon_target\" x))");
	wishes_are(world, 1, 1, 1);
}

static void what_a_failed_round_set_is_as_it_was(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(defvar x 1) (with Guests g (let ((y 1)) {(set x (+ x 10)) (set y x)"
		" (defvar x 7) (set x 8) (if (== g.name \"vm2\") (/ 1 0) 0)}))");
	load(world, "b", "(set x 500) (/ 1 0)");
	load(world, "c", "(with Guests g (g.Control \"balloon_target\" x))");
	wishes_are(world, 21, 21, 21);
}

static void a_round_within_a_failed_round_is_taken_back_with_it(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(defvar x 1) (with Guests g {(set x (+ x 1)) (with Guests h (set x 9))"
		" (set x 10) (/ 1 0)}) (with Guests g (g.Control \"balloon_target\" x))");
	wishes_are(world, 1, 1, 1);
}

static void a_reason_holds_to_the_end_of_its_form(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(with Guests g {"
		" (if (== g.name \"vm1\") {(because \"first\")"
		"  (g.Control \"balloon_target\" 1)} 0)"
		" (if (== g.name \"vm2\") (g.Control \"balloon_target\" 2) 0)})"
		"(because \"rest\")"
		"(with Guests g (if (== g.name \"vm3\") (g.Control \"balloon_target\" 3) "
		"0))");
	wishes_are(world, 1, 2, 3);
	assert_string_equal(world->outcome.wishes[0].because, "first");
	assert_string_equal(world->outcome.wishes[1].because, "");
	assert_string_equal(world->outcome.wishes[2].because, "rest");
}

static void kept_variables_last_and_failed_ones_dont(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(with Guests g {(g.SetVar \"n\" (+ 1 (if (valid (g.GetVar \"n\")) "
		"(g.GetVar \"n\") 0)))"
		" (g.Control \"balloon_target\" (g.GetVar \"n\"))"
		" (if (== g.name \"vm2\") (/ 1 0) 0)})");
	run(world);
	wishes_are(world, 2, 0, 2);
	load(world, "a",
		"(with Guests g (g.Control \"balloon_target\" (g.GetVar \"n\")))");
	run(world);
	assert_int_equal(world->outcome.wishes[0].target_kib, 2);
	assert_int_equal(world->outcome.failed_rounds, 1); /* vm2 has none */
}

static void a_guest_keeps_no_more_than_it_may(void **state)
{
	struct world *world = *state;
	load(world, "a",
		"(def fill (n g) (if n {(g.SetVar (* \"k\" n) n) (fill (- n 1) g)} 0))"
		"(with Guests g (fill 65 g))");
	run(world);
	assert_int_equal(world->outcome.failed_rounds, GUESTS);
	assert_non_null(strstr(world->outcome.messages[0].text, "keeps too much"));
}

static void tunables_are_set_within_their_bounds(void **state)
{
	struct world *world = *state;
	struct err err;
	bool known;
	load(world, "a",
		"(param size 500 \"What everybody gets\" 100 1000)"
		"(with Guests g (g.Control \"balloon_target\" size))");
	wishes_are(world, 500, 500, 500);
	assert_int_equal(policy_set_tune(world->set, "size", "700", &known, &err), 0);
	assert_true(known);
	wishes_are(world, 700, 700, 700);
	assert_int_equal(
		policy_set_tune(world->set, "size", "50", &known, &err), -ERANGE);
	assert_string_equal(err.text, "size: 50 is less than 100");
	assert_int_equal(
		policy_set_tune(world->set, "size", "5000", &known, &err), -ERANGE);
	assert_int_equal(
		policy_set_tune(world->set, "size", "much", &known, &err), -EINVAL);
	wishes_are(world, 700, 700, 700);
	assert_int_equal(policy_set_tune(world->set, "other", "1", &known, &err), 0);
	assert_false(known);
	size_t count;
	auto_free struct policy_param *params = policy_set_params(world->set, &count);
	assert_int_equal(count, 1);
	assert_string_equal(params->value, "700");
	assert_string_equal(params->fallback, "500");
	assert_string_equal(params->low, "100");
	assert_string_equal(params->help, "What everybody gets");
	assert_true(params->tuned);
	assert_int_equal(policy_set_untune(world->set, "size", &err), 0);
	wishes_are(world, 500, 500, 500);
}

static void a_tunable_out_of_new_bounds_keeps_its_default(void **state)
{
	struct world *world = *state;
	struct policy_notes notes = {0};
	struct policy_source source = {
		.name = "a", .text = "(param p 5 \"\" 1 9) p", .length = 20};
	assert_int_equal(policy_set_tune(world->set, "p", "70", NULL, NULL), 0);
	assert_int_equal(policy_set_load(world->set, &source, &notes, NULL), 0);
	assert_int_equal(notes.count, 1);
	assert_string_equal(
		notes.items[0].text, "p: 70 is more than 9; the default stands");
	policy_notes_done(&notes);
}

static void what_is_set_while_running_goes_before_the_configuration(void **state)
{
	struct world *world = *state;
	struct err err;
	load(world, "a",
		"(param size 500 \"What everybody gets\" 100 1000)"
		"(with Guests g (g.Control \"balloon_target\" size))");
	assert_int_equal(policy_set_configure(world->set, "size", "600", NULL, &err), 0);
	assert_int_equal(policy_set_untune(world->set, "size", &err), -ENOENT);
	assert_int_equal(policy_set_tune(world->set, "size", "700", NULL, &err), 0);
	assert_int_equal(policy_set_configure(world->set, "size", "650", NULL, &err), 0);
	wishes_are(world, 700, 700, 700);
	assert_int_equal(policy_set_untune(world->set, "size", &err), 0);
	wishes_are(world, 650, 650, 650);
}

static void shadows_only_tell_what_they_would_do(void **state)
{
	struct world *world = *state;
	load(world, "a", SET_ALL "(with Guests g (g.SetVar \"k\" 1))");
	assert_int_equal(load_as(world, "b",
				 "(with Guests g {(g.SetVar \"k\" 2) (g.Control "
				 "\"balloon_target\" "
				 "(if (== g.name \"vm3\") 900 500))}) (Host.Control "
				 "\"ksm_run\" 1)",
				 true, NULL),
		0);
	wishes_are(world, 500, 500, 500);
	assert_true(world->outcome.has_shadow);
	size_t count;
	auto_free struct policy_difference *differences =
		policy_diff(&world->all, &world->outcome, &count);
	assert_int_equal(count, 2);
	assert_string_equal(differences[0].guest, "vm3");
	assert_int_equal(differences[0].active, 500);
	assert_int_equal(differences[0].shadow, 900);
	assert_string_equal(differences[1].knob, "ksm_run");
	assert_false(differences[1].has_active);
	load(world, "a",
		"(with Guests g (g.Control \"balloon_target\" (g.GetVar "
		"\"k\")))");
	wishes_are(world, 1, 1, 1);
}

static void ends_with(struct world *world, const char *text, const char *wanted)
{
	struct policy_source source = {
		.name = "z", .text = text, .length = strlen(text), .unchecked = true};
	load(world, "a", SET_ALL);
	assert_int_equal(policy_set_load(world->set, &source, NULL, NULL), 0);
	run(world);
	assert_true(world->outcome.message_count > 0);
	if (!strstr(world->outcome.messages[0].text, wanted))
		fail_msg(
			"wanted '%s', got '%s'", wanted, world->outcome.messages[0].text);
	assert_int_equal(world->outcome.wishes[0].target_kib, 500);
}

static void no_policy_runs_on_for_ever(void **state)
{
	struct world *world = *state;
	ends_with(world,
		"(defvar l Guests) (def f (n) (if n {(set l (+ l l)) (f (- n 1))} 0)) (f "
		"14) (def g (n) (if n {(count l x 1) (count l x 1) (g (- n 1))} 0)) (g "
		"150)",
		"more than 1000000 steps");
	ends_with(world,
		"(defvar l Guests) (def f (n) (if n {(set l (+ l l)) (f (- n 1))} 0)) (f "
		"14) (defvar s (* \"x\" 60000)) (defvar t (with l x s))"
		"(def g (n) (if n {(== t t) (g (- n 1))} 0)) (g 150)",
		"more than 1000000 steps");
	ends_with(world,
		"(defvar l Guests) (def f (n) (if n {(set l (+ l l)) (f (- n 1))} 0)) (f "
		"14) (defvar s (* \"x\" 60000)) (with Guests g (g.SetVar \"k\" (with l x "
		"s)))",
		"this guest keeps too much");
	ends_with(world, "(def f () (f)) (f)", "calls nest deeper than 200");
	ends_with(world, "(def f (n) (if n (+ (f (- n 1)) (f (- n 1))) 1)) (f 60)",
		"more than 1000000 steps");
	ends_with(world, "(defvar l Guests) (with (* \"x\" 3) i i)", "goes over a list");
	ends_with(world,
		"(defvar s \"x\") (def f (n) (if n {(set s (+ s s)) (f (- n 1))} 0)) (f "
		"100)",
		"a string of more than 65536 bytes");
	ends_with(world,
		"(defvar s (* \"x\" 60000)) (def f (n) (if n {(+ s \"y\") (f (- n 1))} "
		"0))"
		"(def g (n) (if n {(f 150) (g (- n 1))} 0)) (g 40)",
		"KiB of memory");
}

static void it_works_with_nothing_known(void **state)
{
	struct world *world = *state;
	struct policy_guest nobody = {0};
	struct policy_facts nothing = {.guests = &nobody, .guest_count = 1};
	load(world, "a",
		"(with Guests g {(g.SetVar \"k\" 1) (g.Control \"balloon_target\" (if "
		"(null "
		"g.name g.max Host.state Host.mem_free (g.GetVar \"k\")) 7 0))})");
	policy_run(world->set, &nothing, NULL, &world->outcome);
	assert_int_equal(world->outcome.wishes[0].target_kib, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		TEST(the_last_policy_wins),
		TEST(a_failed_load_leaves_the_old_policy_in_force),
		TEST(an_unloaded_policy_is_gone),
		TEST(an_error_costs_only_the_guest_it_is_at),
		TEST(an_error_ends_its_policy_and_drops_what_it_set),
		TEST(scopes_are_whole_after_a_failed_round),
		TEST(what_a_failed_round_set_is_as_it_was),
		TEST(a_round_within_a_failed_round_is_taken_back_with_it),
		TEST(a_reason_holds_to_the_end_of_its_form),
		TEST(kept_variables_last_and_failed_ones_dont),
		TEST(a_guest_keeps_no_more_than_it_may),
		TEST(tunables_are_set_within_their_bounds),
		TEST(what_is_set_while_running_goes_before_the_configuration),
		TEST(a_tunable_out_of_new_bounds_keeps_its_default),
		TEST(shadows_only_tell_what_they_would_do),
		TEST(no_policy_runs_on_for_ever),
		TEST(it_works_with_nothing_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
