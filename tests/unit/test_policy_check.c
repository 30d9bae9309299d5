/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"

/* All that the checker has to say, one note a line: "1:2: text", "1:2: warning: text". */
static char *check_text(const char *text)
{
	struct policy_notes notes = {0};
	struct policy_source source = {
		.name = "test", .text = text, .length = strlen(text)};
	int result = policy_set_check(NULL, &source, &notes, NULL);
	assert_int_equal(result, notes.errors ? -EINVAL : 0);
	char *said = mem_dup("");
	for (size_t i = 0; i < notes.count; i++) {
		const struct policy_note *note = &notes.items[i];
		char *longer = mem_printf("%s%s%u:%u: %s%s", said, i ? "\n" : "",
			note->line, note->column,
			note->level == POLICY_WARNING ? "warning: " : "", note->text);
		free(said);
		said = longer;
	}
	policy_notes_done(&notes);
	return said;
}

static void says(const char *text, const char *wanted)
{
	auto_free char *said = check_text(text);
	assert_string_equal(said, wanted);
}

static void names_that_nobody_makes_are_refused(void **state)
{
	(void)state;
	says("(defvar free 1) (+ fre 1)",
		"1:20: unknown name 'fre'; did you mean 'free'?");
	says("(set x 1)", "1:6: unknown name 'x'");
	says("(set Guests 1)", "1:6: 'Guests' can't be set");
	says("(let ((Host 1)) (set Host 2))", "");
	says("(let ((x 1)) x) x", "1:17: unknown name 'x'");
	says("(frobnicate 1)", "1:2: unknown function 'frobnicate'");
	says("(def grow (g) 1) (grwo 1) (grow 1)",
		"1:19: unknown function 'grwo'; did you mean 'grow'?");
	says("true", "1:1: unknown name 'true'");
}

static void fields_and_knobs_must_exist(void **state)
{
	(void)state;
	says("Host.mem_fre", "1:1: the host has no field 'mem_fre'; did you mean "
			     "'mem_free'?");
	says("Host.balloon_cur", "1:1: the host has no field 'balloon_cur', but a guest "
				 "has");
	says("(with Guests g g.balloon_curr)", "1:16: a guest has no field "
					       "'balloon_curr'; did you mean "
					       "'balloon_cur'?");
	says("(with Guests g (g.StatAvg \"nothing\"))",
		"1:27: a guest has no field 'nothing'");
	says("(with Guests g (g.StatAvg \"name\"))",
		"1:27: 'name' is a string and has no mean");
	says("(Host.Control \"ksm_rum\" 1)",
		"1:15: the host has no knob 'ksm_rum'; did you mean 'ksm_run'?");
	says("(Host.Control \"balloon_target\" 1)",
		"1:15: the host has no knob 'balloon_target', but a guest has");
	says("(Host.Contrl \"ksm_run\" 1)",
		"1:2: no method is called 'Contrl'; did you mean 'Control'?");
	says("(set Host.mem_free 1)",
		"1:6: 'Host.mem_free': an object's field can't be set");
}

static void fields_are_known_through_variables_and_calls(void **state)
{
	(void)state;
	says("(def f (guest) guest.balloon_curr) (with Guests g (f g))",
		"1:16: a guest has no field 'balloon_curr'; did you mean 'balloon_cur'?");
	says("(defvar h Host) h.mem_fre",
		"1:17: the host has no field 'mem_fre'; did you mean 'mem_free'?");
	says("(with (sort-by (filter Guests g 1) g g.shares) x x.mem_fre)",
		"1:50: a guest has no field 'mem_fre'; did you mean 'mem_free'?");
}

static void forms_must_be_whole(void **state)
{
	(void)state;
	says("(if 1 2)", "1:1: 'if' takes 3 arguments, not 2: (if COND YES NO)");
	says("(cond ((== 1 1) 2))", "1:7: the last case must be (else VALUE)");
	says("(def f (a) a) (f)", "1:15: 'f' takes 1 argument, not 0");
	says("(+ 1 2", "1:1: this '(' is never closed");
	says("(2 + 2)",
		"1:2: warning: a list begins with the name of a form or a function");
}

static void a_knob_is_set_to_a_number_of_its_unit(void **state)
{
	(void)state;
	says("(Host.Control \"ksm_run\" \"1\")",
		"1:25: a knob takes a number, not a string");
	says("(Host.Control \"ksm_run\" Guests)",
		"1:25: a knob takes a number, not a list");
	says("(with Guests g (g.Control \"balloon_target\" Host.psi_some))",
		"1:44: 'balloon_target' is in KiB, this in ratio");
	says("(with Guests g (g.Control \"balloon_target\" (* 0.5 g.max)))", "");
}

static void units_that_dont_mix_are_refused(void **state)
{
	(void)state;
	says("(+ Host.swap_in Host.mem_free)", "1:1: '+' mixes pages with KiB");
	says("(< Host.psi_some Host.mem_free)", "1:1: '<' mixes ratio with KiB");
	says("(defvar a Host.swap_in) (max a Host.mem_free)",
		"1:25: 'max' mixes pages with KiB");
	says("(def f (x) (- x Host.swap_in)) (f Host.mem_free)",
		"1:12: '-' mixes KiB with pages");
	says("(+ (* Host.swap_in 4) Host.mem_free)", "");
	says("(+ (* 4.0 Host.swap_in) Host.mem_free)", "");
	says("(abs Host.state)", "1:1: 'abs' can't be used on a string");
	says("(defvar page 4) (+ (* Host.swap_in page) Host.mem_free)", "");
	says("(param part 0.5 \"Part\") (+ (* Host.swap_in part) Host.mem_free)",
		"1:25: '+' mixes pages with KiB");
	says("(- (/ Host.mem_free Host.mem_available) 0.2)", "");
	says("(< (/ Host.mem_free Host.mem_available) Host.psi_some)", "");
	says("(+ Host.mem_free 4096)", "");
	says("(+ (* Host.mem_free 0.2) Host.swap_in)", "1:1: '+' mixes KiB with pages");
}

static void a_number_as_it_stands_takes_on_the_unit_beside_it(void **state)
{
	(void)state;
	says("(+ (Host.Stat \"mem_free\" 0) Host.swap_in)",
		"1:1: '+' mixes KiB with pages");
	says("(+ (or Host.psi_some 0.5) Host.mem_free)", "1:1: '+' mixes ratio with KiB");
	says("(+ (if Host.swap_in 0 Host.mem_free) Host.swap_in)",
		"1:1: '+' mixes KiB with pages");
	says("(defvar most 0) (set most Host.mem_free) (< most Host.swap_in)",
		"1:42: '<' mixes KiB with pages");
	says("(defvar a 0) (+ a Host.mem_free) (+ a Host.swap_in)", "");
	says("(def f (x) (+ x 1)) (f Host.mem_free) (+ (f Host.swap_in) (f 0))", "");
}

static void what_works_but_is_odd_is_a_warning(void **state)
{
	(void)state;
	says("(def f () 1)", "1:6: warning: function 'f' is never called");
	says("(def f () (f))", "1:6: warning: function 'f' is never called");
	says("(def f () (f)) (f)", "");
	says("(def f (quest) guest.balloon_cur) (with Guests guest (f guest))",
		"1:16: warning: 'guest' is a variable of whoever calls 'f'; did you mean "
		"its parameter 'quest'?");
	says("(with Guests g g.vcpu_count)", "1:16: warning: MOM's field 'vcpu_count' is "
					     "not known here and always nil");
	says("(with Guests g (g.Control \"vcpu_quota\" 1))",
		"1:27: warning: MOM's knob 'vcpu_quota' has no effect here");
	says("(with Guests g (with g.io_tune t (t.setReadIopsSec 0)))",
		"1:22: warning: MOM's field 'io_tune' is not known here and always nil\n"
		"1:35: warning: MOM's method 'setReadIopsSec' is not known here");
}

static void several_errors_are_told_at_once_in_order(void **state)
{
	(void)state;
	says("(+ Host.a 1)\n(if 1 2)\n  nobody",
		"1:4: the host has no field 'a'\n"
		"2:1: 'if' takes 3 arguments, not 2: (if COND YES NO)\n"
		"3:3: unknown name 'nobody'");
}

static void a_note_shows_the_line_and_a_caret(void **state)
{
	(void)state;
	const char *text = "# one\n\t(+ 'ä' Host.nothing)\n";
	struct policy_source source = {
		.name = "test", .file = "x.policy", .text = text, .length = strlen(text)};
	struct policy_notes notes = {0};
	struct err err;
	assert_int_equal(policy_set_check(NULL, &source, &notes, &err), -EINVAL);
	auto_free char *shown = policy_note_format(&notes.items[0], &source);
	assert_string_equal(shown, "x.policy:2:9: the host has no field 'nothing'\n"
				   "\t(+ 'ä' Host.nothing)\n"
				   "\t       ^\n");
	assert_string_equal(err.text, "x.policy:2:9: the host has no field 'nothing'");
	policy_notes_done(&notes);
}

static void of_a_long_line_a_note_shows_the_part_around_the_column(void **state)
{
	(void)state;
	char text[1000] = "";
	for (size_t i = 0; i < 30; i++)
		strcat(text, "\"äöü\" 'x' ");
	strcat(text, "nobody");
	for (size_t i = 0; i < 30; i++)
		strcat(text, " 'abc'");
	struct policy_source source = {.name = "x", .text = text, .length = strlen(text)};
	struct policy_notes notes = {0};
	assert_int_equal(policy_set_check(NULL, &source, &notes, NULL), -EINVAL);
	auto_free char *shown = policy_note_format(&notes.items[0], &source);
	const char *name = strstr(shown, "nobody 'abc'"), *caret = strchr(shown, '^');
	assert_non_null(name);
	assert_non_null(caret);
	size_t before = 0, blanks = 0;
	for (const char *at = name; at[-1] != '\n'; at--)
		before += (at[-1] & 0xc0) != 0x80;
	for (const char *at = caret; at[-1] != '\n'; at--)
		blanks++;
	assert_int_equal(blanks, before);
	assert_true(strlen(shown) < 400);
	policy_notes_done(&notes);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_nobody_makes_are_refused),
		cmocka_unit_test(fields_and_knobs_must_exist),
		cmocka_unit_test(fields_are_known_through_variables_and_calls),
		cmocka_unit_test(forms_must_be_whole),
		cmocka_unit_test(a_knob_is_set_to_a_number_of_its_unit),
		cmocka_unit_test(units_that_dont_mix_are_refused),
		cmocka_unit_test(a_number_as_it_stands_takes_on_the_unit_beside_it),
		cmocka_unit_test(what_works_but_is_odd_is_a_warning),
		cmocka_unit_test(several_errors_are_told_at_once_in_order),
		cmocka_unit_test(a_note_shows_the_line_and_a_caret),
		cmocka_unit_test(of_a_long_line_a_note_shows_the_part_around_the_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
