/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/facts_json.h"
#include "mom/mem.h"
#include "mom/share.h"

#define LINE_MOST 4096

static FILE *open_fixture(const char *name)
{
	const char *root = getenv("top_srcdir");
	auto_free char *path =
		mem_printf("%s/tests/fixtures/policy/%s", root ? root : ".", name);
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

static struct facts_json read_facts(void)
{
	auto_fclose FILE *file = open_fixture("facts.json");
	char text[LINE_MOST];
	struct facts_json facts;
	struct err err;
	size_t length = fread(text, 1, sizeof(text), file);
	if (facts_json_read(&facts, "facts.json", text, length, &err) < 0)
		fail_msg("%s", err.text);
	return facts;
}

/* What a policy's last form gives, or "line:column: text" of its first error. */
static char *evaluate(const char *text)
{
	struct facts_json facts = read_facts();
	struct policy_set *set = policy_set_new(NULL);
	struct policy_notes notes = {0};
	struct policy_outcome outcome = {.keep_values = true};
	struct policy_source source = {
		.name = "test", .text = text, .length = strlen(text), .unchecked = true};
	char *result = NULL;
	if (policy_set_load(set, &source, &notes, NULL) < 0)
		result = mem_printf("%u:%u: %s", notes.items[0].line,
			notes.items[0].column, notes.items[0].text);
	else
		policy_run(set, &facts.facts, share_divide, &outcome);
	for (size_t i = 0; i < outcome.message_count && !result; i++)
		if (outcome.messages[i].level == POLICY_ERROR)
			result = mem_printf("%u:%u: %s", outcome.messages[i].line,
				outcome.messages[i].column, outcome.messages[i].text);
	if (!result && outcome.value_count) {
		struct json_object *json = facts_json_value(
			&facts.facts, outcome.values[outcome.value_count - 1]);
		result = mem_dup(json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(json);
	}
	policy_outcome_done(&outcome);
	policy_notes_done(&notes);
	policy_set_free(set);
	facts_json_done(&facts);
	return result;
}

static bool starts_and_holds(const char *text, const char *wanted)
{
	const char *rest = strstr(wanted, ": ");
	size_t place = rest ? (size_t)(rest - wanted) + 2 : 0;
	return rest && !strncmp(text, wanted, place) && strstr(text, rest + 2);
}

/* One line of the table; false where the language says otherwise. */
static bool check_line(char *line, unsigned number)
{
	char *gives = strstr(line, " => "), *fails = strstr(line, " =! ");
	char *mark = gives ? gives : fails;
	line[strcspn(line, "\n")] = '\0';
	if (!*line || *line == '#')
		return true;
	if (!mark)
		fail_msg("line %u of the table has no '=>'", number);
	*mark = '\0';
	const char *wanted = mark + 4;
	auto_free char *result = evaluate(line);
	bool fine = result &&
		    (gives ? !strcmp(result, wanted) : starts_and_holds(result, wanted));
	if (!fine)
		print_error("expressions:%u: %s\n  wanted %s\n  got    %s\n", number,
			line, wanted, result ? result : "nothing");
	return fine;
}

static void every_rule_of_the_language_holds(void **state)
{
	(void)state;
	auto_fclose FILE *file = open_fixture("expressions");
	char line[LINE_MOST];
	unsigned number = 0, wrong = 0;
	while (fgets(line, sizeof(line), file))
		wrong += !check_line(line, ++number);
	assert_int_equal(wrong, 0);
	assert_true(number > 200);
}

static void comments_alone_are_a_policy_that_gives_nothing(void **state)
{
	(void)state;
	assert_null(evaluate("# only a comment"));
	assert_null(evaluate(""));
	assert_null(evaluate("\n# one\n\n   # two\n"));
}

static void places_count_lines_and_characters(void **state)
{
	(void)state;
	auto_free char *result = evaluate("# ä\n1\n  \"äö\" (/ 1 0)");
	assert_string_equal(result, "3:8: division by zero");
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_language_holds),
		cmocka_unit_test(comments_alone_are_a_policy_that_gives_nothing),
		cmocka_unit_test(places_count_lines_and_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
