/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/output.h"
#include "momctl/table.h"
#include "momctl/text.h"

/* ---- texts from outside ---- */

static void assert_clean(const char *expected, const char *text)
{
	auto_free char *clean = text_clean(text);
	assert_string_equal(expected, clean);
}

static void a_terminal_is_never_commanded(void **state)
{
	(void)state;
	assert_clean("\\x1b[31mred", "\033[31mred");
	assert_clean("two\\x0alines", "two\nlines");
	assert_clean("bell\\x07 del\\x7f", "bell\a del\x7f");
	assert_clean("\\u{9b}31m", "\xc2\x9b"
				   "31m"); /* CSI of eight bits */
	assert_clean("\\x9b31m", "\x9b"
				 "31m");
	assert_clean("a\\u{202e}gpj.exe", "a\xe2\x80\xae"
					  "gpj.exe");
	assert_clean("in\\u{200b}visible", "in\xe2\x80\x8bvisible");
}

static void other_languages_stay(void **state)
{
	(void)state;
	assert_clean("веб-1 数据库 émile %n", "веб-1 数据库 émile %n");
	assert_clean("e\xcc\x81", "e\xcc\x81");
}

static void widths_are_columns(void **state)
{
	(void)state;
	assert_int_equal(3, text_width("веб"));
	assert_int_equal(6, text_width("数据库"));
	assert_int_equal(1, text_width("e\xcc\x81"));
	assert_int_equal(0, text_width(""));
}

static void assert_cut(const char *expected, const char *text, size_t width)
{
	auto_free char *cut = text_cut(text, width);
	assert_string_equal(expected, cut);
	assert_true(text_width(cut) <= width);
}

static void cutting_keeps_characters_whole(void **state)
{
	(void)state;
	assert_cut("abc", "abc", 3);
	assert_cut("ab…", "abcd", 3);
	assert_cut("数…", "数据库", 4);
	assert_cut("数…", "数据库", 3);
	assert_cut("…", "数据库", 1);
	assert_cut("", "abc", 0);
}

static void lines_break_between_parts(void **state)
{
	(void)state;
	assert_int_equal(10, text_break("0123 5678, abcd", 12));
	assert_int_equal(4, text_break("0123 5678", 6));
	assert_int_equal(6, text_break("0123456789", 6));
	assert_int_equal(3, text_break("abc", 6));
	assert_int_equal(3, text_break("数据", 1));
}

/* ---- printing ---- */

struct page {
	char *text;
	size_t length;
	struct output output;
};

static void open_page(struct page *page, size_t width, bool colour)
{
	*page = (struct page){0};
	page->output = (struct output){
		.file = open_memstream(&page->text, &page->length),
		.width = width,
		.colour = colour,
	};
}

static void assert_page(struct page *page, const char *expected)
{
	fclose(page->output.file);
	assert_string_equal(expected, page->text);
	free(page->text);
}

static const struct column columns[] = {
	{"NAME", false, 0},
	{"SIZE", true, 0},
	{"MISSABLE", false, 1},
	{"WHY", false, 0},
};

static void fill(struct table *table)
{
	static const char *const cells[] = {"веб", "1G", "something", "because it is so",
		"数据库", "800M", "x", "a long reason that goes on, and then some more"};
	table_init(table, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_add(table, i == 1 ? STYLE_GOOD : STYLE_PLAIN, cells[i]);
}

static void a_table_is_aligned_by_columns(void **state)
{
	struct table table;
	struct page page;
	(void)state;
	fill(&table);
	open_page(&page, 0, false);
	table_print(&table, &page.output);
	assert_page(&page, "NAME    SIZE  MISSABLE   WHY\n"
			   "веб       1G  something  because it is so\n"
			   "数据库  800M  x          a long reason that goes on, and "
			   "then some more\n");
	table_done(&table);
}

static void a_narrow_table_leaves_out_then_cuts(void **state)
{
	struct table table;
	struct page page;
	(void)state;
	fill(&table);
	open_page(&page, 40, false);
	table_print(&table, &page.output);
	assert_page(&page, "NAME    SIZE  WHY\n"
			   "веб       1G  because it is so\n"
			   "数据库  800M  a long reason that goes o…\n");
	table_done(&table);
}

static void a_table_may_go_on_below(void **state)
{
	struct table table;
	struct page page;
	(void)state;
	fill(&table);
	table.wrap = true;
	open_page(&page, 44, false);
	table_print(&table, &page.output);
	assert_page(&page, "NAME    SIZE  WHY\n"
			   "веб       1G  because it is so\n"
			   "数据库  800M  a long reason that goes on,\n"
			   "              and then some more\n");
	table_done(&table);
}

static void colour_is_around_texts_only(void **state)
{
	struct page page;
	(void)state;
	open_page(&page, 0, true);
	output_styled(&page.output, STYLE_BAD, "stuck");
	output_styled(&page.output, STYLE_BAD, "");
	output_line(&page.output, "", "%s", "\033[2J");
	assert_page(&page, "\033[1;31mstuck\033[0m\\x1b[2J\n");
}

static void a_file_gets_no_colour(void **state)
{
	struct output output;
	(void)state;
	auto_fclose FILE *file = tmpfile();
	output_init(&output, file);
	assert_false(output.colour);
	assert_int_equal(0, output.width);
}

static void sizes_are_short_or_exact(void **state)
{
	struct output output = {0};
	char text[SIZE_TEXT_MAX];
	(void)state;
	assert_string_equal("1.46 GiB", output_size(&output, text, 1530921));
	assert_string_equal("1.46G", output_short_size(&output, text, 1530921));
	assert_string_equal("0", output_short_size(&output, text, 0));
	output.kib = true;
	assert_string_equal("1530921 KiB", output_size(&output, text, 1530921));
	assert_string_equal("1530921", output_short_size(&output, text, 1530921));
}

static void json_stays_json_and_harmless(void **state)
{
	struct page page;
	struct json_object *value = json_object_new_string("\033\xc2\x9b\x7f é /\xff");
	(void)state;
	open_page(&page, 0, false);
	json_print(page.output.file, value);
	assert_page(&page, "\"\\u001b\\u009b\\u007f é /\\ufffd\"\n");
	json_object_put(value);
}

static void members_that_are_not_there_are_unknown(void **state)
{
	struct json_object *object =
		json_tokener_parse("{\"a\": null, \"b\": \"x\", \"c\": 5, \"d\": 0.5}");
	uint64_t count = 77;
	double number = 77;
	(void)state;
	assert_false(json_get_count(object, "a", &count));
	assert_false(json_get_count(object, "b", &count));
	assert_false(json_get_count(object, "nix", &count));
	assert_false(json_get_count(NULL, "c", &count));
	assert_int_equal(77, count);
	assert_true(json_get_count(object, "c", &count));
	assert_int_equal(5, count);
	assert_true(json_get_number(object, "d", &number));
	assert_string_equal("x", json_get_text(object, "b"));
	assert_string_equal("", json_get_text(object, "c"));
	assert_int_equal(0, json_count(object));
	json_object_put(object);
}

static int set_up(void **state)
{
	(void)state;
	text_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_is_never_commanded),
		cmocka_unit_test(other_languages_stay),
		cmocka_unit_test(widths_are_columns),
		cmocka_unit_test(cutting_keeps_characters_whole),
		cmocka_unit_test(lines_break_between_parts),
		cmocka_unit_test(a_table_is_aligned_by_columns),
		cmocka_unit_test(a_narrow_table_leaves_out_then_cuts),
		cmocka_unit_test(a_table_may_go_on_below),
		cmocka_unit_test(colour_is_around_texts_only),
		cmocka_unit_test(a_file_gets_no_colour),
		cmocka_unit_test(sizes_are_short_or_exact),
		cmocka_unit_test(json_stays_json_and_harmless),
		cmocka_unit_test(members_that_are_not_there_are_unknown),
	};
	return cmocka_run_group_tests_name("output", tests, set_up, NULL);
}
