/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/text.h"
#include "momctl/top/bar.h"
#include "momctl/top/keys.h"

#define GUEST(name, used, actual, shares)                                                \
	"{\"name\":\"" name "\",\"uuid\":\"u-" name "\",\"state\":\"managed\","          \
	"\"max_kib\":800,\"actual_kib\":" #actual ",\"target_kib\":" #actual ","         \
	"\"used_kib\":" #used ",\"unused_kib\":50,\"held_kib\":" #actual ","             \
	"\"shares\":" #shares "}"

static struct top_view view;
static double clock_s;

static int forget(void **state)
{
	(void)state;
	top_view_done(&view);
	return 0;
}

static void feed(const char *guests)
{
	auto_free char *text = mem_printf(
		"{\"at\":%.1f,\"tick\":{\"count\":1,\"period_ms\":2000},"
		"\"host\":{\"name\":\"host\",\"state\":\"snug\"},\"guests\":[%s]}",
		clock_s += 1, guests);
	struct json_object *status = json_tokener_parse(text);
	assert_non_null(status);
	top_view_feed(&view, status);
	json_object_put(status);
}

static void press(const char *keys)
{
	for (; *keys; keys++)
		top_keys_press(&view, *keys, 10);
}

/* The names that are shown, "a b c", with the chosen one in brackets. */
static void assert_shown(const char *expected)
{
	char shown[256] = "";
	for (size_t i = 0; i < view.shown_count; i++) {
		bool chosen = view.shown[i] == top_view_guest(&view);
		size_t length = strlen(shown);
		snprintf(shown + length, sizeof(shown) - length, "%s%s%s%s", i ? " " : "",
			chosen ? "[" : "", view.shown[i]->name, chosen ? "]" : "");
	}
	assert_string_equal(expected, shown);
}

#define THREE                                                                            \
	GUEST("a", 100, 300, 1000)                                                       \
	"," GUEST("b", 300, 400, 10) "," GUEST("c", 200, 500, 20)

/* ---- the list ---- */

static void guests_stand_by_name(void **state)
{
	(void)state;
	feed(GUEST("vm10", 1, 2, 3) "," GUEST("vm9", 1, 2, 3));
	assert_shown("[vm9] vm10");
}

static void sorting_shows_the_most_first(void **state)
{
	(void)state;
	feed(THREE);
	press("ss"); /* behind name and state comes what is used */
	assert_int_equal(TOP_BY_USED, view.sort);
	assert_shown("b c [a]");
	press("s");
	assert_shown("c b [a]");
	press("r");
	assert_shown("[a] b c");
	press("r<<<<");
	assert_int_equal(TOP_BY_SHARES, view.sort);
	assert_shown("[a] c b");
}

static void the_chosen_guest_stays_chosen(void **state)
{
	(void)state;
	feed(THREE);
	press("j");
	assert_shown("a [b] c");
	press("sss");
	assert_shown("c [b] a");
	feed(GUEST("b", 300, 400, 10) "," GUEST("0", 1, 2, 3));
	assert_shown("[b] 0");
}

static void one_that_left_is_followed_by_its_neighbour(void **state)
{
	(void)state;
	feed(THREE);
	press("jj");
	assert_shown("a b [c]");
	feed(GUEST("a", 1, 2, 3) "," GUEST("b", 1, 2, 3));
	assert_shown("a [b]");
	feed("");
	assert_shown("");
	assert_null(top_view_guest(&view));
	press("jke\n");
	feed(THREE);
	assert_shown("[a] b c");
}

static void a_filter_holds_while_it_is_typed_and_after(void **state)
{
	(void)state;
	feed(GUEST("web-1", 1, 2, 3) "," GUEST("db", 1, 2, 3) "," GUEST(
		"WEB-2", 1, 2, 3));
	press("/we");
	assert_shown("[WEB-2] web-1");
	press("q"); /* a letter like any other */
	assert_false(view.ended);
	assert_shown("");
	press("\bb-2\n");
	assert_shown("[WEB-2]");
	feed(GUEST("web-1", 1, 2, 3));
	assert_shown("");
	feed(GUEST("xWeb-2", 1, 2, 3));
	assert_shown("[xWeb-2]");
	press("\x1b");
	feed(GUEST("db", 1, 2, 3));
	assert_shown("[db]");
}

static void a_filter_takes_other_alphabets(void **state)
{
	(void)state;
	feed(GUEST("новый", 1, 2, 3) "," GUEST("数据", 1, 2, 3));
	press("/");
	top_keys_press(&view, 0x6570, 10);
	assert_shown("[数据]");
	top_keys_press(&view, TOP_KEY_ERASE, 10);
	assert_string_equal("", view.filter);
	for (int i = 0; i < 100; i++)
		top_keys_press(&view, 0x43d, 10);
	assert_true(strlen(view.filter) < sizeof(view.filter));
}

static void a_frozen_picture_stands_still(void **state)
{
	(void)state;
	feed(GUEST("a", 1, 2, 3));
	press(" ");
	feed(GUEST("b", 1, 2, 3));
	assert_shown("[a]");
	press(" ");
	feed(GUEST("b", 1, 2, 3));
	assert_shown("[b]");
}

static void pages_lead_back(void **state)
{
	(void)state;
	feed(THREE);
	press("\n");
	assert_int_equal(TOP_GUEST, view.page);
	press("e");
	assert_int_equal(TOP_EXPLAIN, view.page);
	view.explanation = mem_dup("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n");
	top_keys_press(&view, TOP_KEY_END, 10);
	assert_int_equal(3, view.scroll); /* its last line is the screen's last */
	top_keys_press(&view, TOP_KEY_PAGE_DOWN, 10);
	assert_int_equal(3, view.scroll);
	top_keys_press(&view, TOP_KEY_HOME, 10);
	press("jj"); /* scrolls, and chooses no other guest */
	assert_int_equal(2, view.scroll);
	press("?");
	assert_int_equal(TOP_HELP, view.page);
	press("\x1b");
	assert_int_equal(TOP_GUEST, view.page);
	assert_shown("[a] b c");
	press("\x1b");
	assert_int_equal(TOP_LIST, view.page);
	press("q");
	assert_true(view.ended);
}

static void a_guest_in_detail_is_left_for_another_by_an_arrow(void **state)
{
	(void)state;
	feed(THREE);
	press("\n");
	top_keys_press(&view, TOP_KEY_DOWN, 10);
	assert_int_equal(TOP_GUEST, view.page);
	assert_string_equal("b", top_view_guest(&view)->name);
	top_keys_press(&view, TOP_KEY_END, 10);
	assert_string_equal("c", top_view_guest(&view)->name);
	top_keys_press(&view, TOP_KEY_DOWN, 10);
	assert_string_equal("c", top_view_guest(&view)->name);
	top_keys_press(&view, TOP_KEY_PAGE_UP, 10);
	assert_string_equal("a", top_view_guest(&view)->name);
}

/* ---- what comes from outside ---- */

static void nothing_commands_the_terminal(void **state)
{
	(void)state;
	feed("{\"name\":\"a\\u001b[2J\",\"uuid\":\"u\\u0007\",\"state\":\"\\u009b\","
	     "\"reason\":\"x\\ny\"}");
	const struct top_guest *guest = top_view_guest(&view);
	assert_string_equal("a\\x1b[2J", guest->name);
	assert_string_equal("u\\x07", guest->uuid);
	assert_string_equal("\\u{9b}", guest->state);
	assert_string_equal("x\\x0ay", guest->reason);
}

static void what_is_missing_is_not_known(void **state)
{
	struct top_slice slices[TOP_GUEST_SLICES];
	(void)state;
	feed("null,7,{\"name\":\"x\"},{\"name\":\"a\",\"uuid\":\"u\",\"max_kib\":"
	     "\"many\","
	     "\"used_kib\":-1.5,\"swap_in_kib_per_s\":null}");
	assert_shown("[a]");
	const struct top_guest *guest = top_view_guest(&view);
	assert_false(guest->max.known);
	assert_false(guest->used.known);
	assert_false(top_guest_cache(guest).known);
	assert_false(top_guest_swapping(guest).known);
	assert_true(top_bar_guest(guest, slices, 20) <= TOP_GUEST_SLICES);
}

static void rates_are_those_of_the_daemon(void **state)
{
	(void)state;
	feed("{\"name\":\"a\",\"uuid\":\"u\",\"swap_in_kib_per_s\":1500.5,"
	     "\"swap_out_kib_per_s\":500,\"major_faults_per_s\":3.5}");
	const struct top_guest *guest = top_view_guest(&view);
	assert_int_equal(2000, (int)top_guest_swapping(guest).per_s);
	assert_int_equal(35, (int)(guest->faults.per_s * 10));
}

static void what_happened_is_told_with_whom_it_befell(void **state)
{
	(void)state;
	struct top_news news = {0};
	for (int i = 0; i < TOP_NEWS_MOST + 2; i++) {
		auto_free char *text =
			mem_printf("{\"at\":%d.5,\"level\":\"%s\",\"guest\":\"a\\u0007\","
				   "\"text\":\"happened %d\"}",
				i, i % 2 ? "warning" : "notice", i);
		struct json_object *event = json_tokener_parse(text);
		top_news_add(&news, event);
		json_object_put(event);
	}
	top_news_add(&news, NULL);
	assert_string_equal("a\\x07: happened 65", top_news_at(&news, 0)->text);
	assert_true(top_news_at(&news, 0)->care);
	assert_false(top_news_at(&news, 1)->care);
	assert_string_equal(
		"a\\x07: happened 2", top_news_at(&news, TOP_NEWS_MOST - 1)->text);
	assert_null(top_news_at(&news, TOP_NEWS_MOST));
	top_news_done(&news);
}

static void what_holds_the_manager_back_is_told(void **state)
{
	struct top_figures figures;
	(void)state;
	struct json_object *status = json_tokener_parse(
		"{\"host\":{\"name\":\"/a\"},\"paused\":true,\"policies\":[\"p\",\"q\"],"
		"\"hypervisor\":{\"uri\":\"x:\",\"connected\":false,\"why\":\"gone\"},"
		"\"warnings\":[\"w1\",\"w2\"],\"pools\":[{\"name\":\"/a\",\"guests\":1},"
		"{\"name\":\"/b\",\"guests\":2,\"state\":\"tight\"}]}");
	top_figures_read(&figures, status);
	assert_true(figures.restrained);
	assert_string_equal("PAUSED, no guest is moved; p, q; x: NOT connected: gone; "
			    "/b tight",
		figures.manager);
	assert_string_equal("w1 (and 1 more)", figures.warning);
	top_figures_done(&figures);
	json_object_put(status);
}

/* ---- bars ---- */

static size_t cells_of(const struct top_slice *slices, size_t count, enum top_part part)
{
	size_t cells = 0;
	for (size_t i = 0; i < count; i++)
		cells += slices[i].part == part ? slices[i].cells : 0;
	return cells;
}

static void a_bar_is_as_wide_as_it_is(void **state)
{
	(void)state;
	for (size_t width = 1; width < 60; width++) {
		struct top_slice slices[] = {
			{.kib = 1}, {.kib = 333}, {.kib = 0}, {.kib = 3333}, {.kib = 7}};
		size_t sum = 0;
		top_bar_divide(slices, ARRAY_SIZE(slices), width);
		for (size_t i = 0; i < ARRAY_SIZE(slices); i++)
			sum += slices[i].cells;
		assert_int_equal(width, sum);
		assert_int_equal(0, slices[2].cells);
		if (width >= 4)
			assert_true(
				slices[0].cells && slices[1].cells && slices[4].cells);
	}
	struct top_slice nothing[] = {{.kib = 0}, {.kib = 0}};
	top_bar_divide(nothing, 2, 10);
	assert_int_equal(0, nothing[0].cells + nothing[1].cells);
}

static void a_guests_bar_ends_at_its_maximum(void **state)
{
	struct top_slice slices[TOP_GUEST_SLICES];
	(void)state;
	feed(GUEST("a", 200, 400, 1));
	const struct top_guest *guest = top_view_guest(&view);
	size_t count = top_bar_guest(guest, slices, 16);
	assert_int_equal(4, cells_of(slices, count, TOP_PART_USED));
	assert_int_equal(3, cells_of(slices, count, TOP_PART_CACHE));
	assert_int_equal(1, cells_of(slices, count, TOP_PART_UNUSED));
	assert_int_equal(8, cells_of(slices, count, TOP_PART_BALLOON));
	assert_int_equal(7, top_bar_cell(guest, 400, 16));
	assert_int_equal(15, top_bar_cell(guest, 5000, 16));
}

static void a_balloon_that_is_almost_there_stands_still(void **state)
{
	(void)state;
	struct top_kib max = {true, 800}, actual = {true, 400};
	assert_int_equal(0, top_course(actual, (struct top_kib){true, 404}, max));
	assert_int_equal(1, top_course(actual, (struct top_kib){true, 405}, max));
	assert_int_equal(0, top_course(actual, (struct top_kib){true, 396}, max));
	assert_int_equal(-1, top_course(actual, (struct top_kib){true, 395}, max));
	assert_int_equal(0, top_course(actual, (struct top_kib){false, 0}, max));
}

static void figures_that_contradict_themselves_still_fit(void **state)
{
	struct top_slice slices[TOP_GUEST_SLICES];
	(void)state;
	feed(GUEST("a", 9000, 5000, 1));
	size_t count = top_bar_guest(top_view_guest(&view), slices, 16);
	assert_int_equal(16, cells_of(slices, count, TOP_PART_USED));
}

static struct top_figures host_figures(
	uint64_t usable, uint64_t reserve, uint64_t exposure, uint64_t cached)
{
	static struct top_guest guests[2];
	guests[0] = (struct top_guest){
		.name = (char *)"a", .on_host = true, .held = {true, 3000}};
	guests[1] = (struct top_guest){
		.name = (char *)"b", .on_host = true, .held = {true, 1000}};
	return (struct top_figures){
		.guests = guests,
		.guest_count = 2,
		.host = {.total = {true, 10000},
			.usable = {true, usable},
			.reserve = {true, reserve},
			.exposure = {true, exposure},
			.cached = {true, cached},
			.ksm_saving = {true, 400}},
	};
}

static uint64_t kib_of(const struct top_slice *slices, size_t count, enum top_part part)
{
	uint64_t kib = 0;
	for (size_t i = 0; i < count; i++)
		kib += slices[i].part == part ? slices[i].kib : 0;
	return kib;
}

static void the_host_is_counted_once(void **state)
{
	struct top_slice slices[2 + TOP_HOST_SLICES];
	(void)state;
	struct top_figures figures = host_figures(5000, 500, 1000, 2000);
	size_t count = top_bar_host(&figures, slices, 100);
	assert_int_equal(2700, kib_of(slices, count, TOP_PART_GUEST));
	assert_int_equal(900, kib_of(slices, count, TOP_PART_GUEST_NEXT));
	assert_int_equal(400, kib_of(slices, count, TOP_PART_KSM));
	assert_int_equal(1400, kib_of(slices, count, TOP_PART_OTHER));
	assert_int_equal(500, kib_of(slices, count, TOP_PART_RESERVE));
	assert_int_equal(1000, kib_of(slices, count, TOP_PART_PROMISED));
	assert_int_equal(2000, kib_of(slices, count, TOP_PART_CACHED));
	assert_int_equal(1500, kib_of(slices, count, TOP_PART_FREE));
}

static void a_host_that_is_short_shows_no_free_memory(void **state)
{
	struct top_slice slices[2 + TOP_HOST_SLICES];
	(void)state;
	struct top_figures figures = host_figures(300, 500, 1000, 2000);
	size_t count = top_bar_host(&figures, slices, 100);
	assert_int_equal(300, kib_of(slices, count, TOP_PART_RESERVE));
	assert_int_equal(0, kib_of(slices, count, TOP_PART_PROMISED));
	assert_int_equal(0, kib_of(slices, count, TOP_PART_FREE));
}

static void guests_of_other_books_are_left_out(void **state)
{
	struct top_slice slices[2 + TOP_HOST_SLICES];
	struct top_figures figures;
	(void)state;
	struct json_object *status = json_tokener_parse(
		"{\"host\":{\"name\":\"/"
		"pool\",\"mem_total_kib\":100,\"mem_usable_kib\":40},"
		"\"guests\":[{\"name\":\"in\",\"uuid\":\"1\",\"held_kib\":20,\"cgroup\":"
		"\"/pool/x\"},{\"name\":\"out\",\"uuid\":\"2\",\"held_kib\":30,"
		"\"cgroup\":\"/pool2/x\"}]}");
	top_figures_read(&figures, status);
	size_t count = top_bar_host(&figures, slices, 10);
	assert_int_equal(20, kib_of(slices, count, TOP_PART_GUEST));
	assert_int_equal(0, kib_of(slices, count, TOP_PART_GUEST_NEXT));
	top_figures_done(&figures);
	json_object_put(status);
}

/* ---- the graph ---- */

static void the_past_of_a_guest_is_kept_while_it_is_there(void **state)
{
	(void)state;
	for (int i = 0; i < TOP_TRACK_MOMENTS + 3; i++)
		feed(i % 2 ? GUEST("a", 100, 400, 1) : GUEST("a", 200, 400, 1));
	const struct top_track *track = top_tracks_find(&view.tracks, "u-a");
	assert_non_null(track);
	assert_int_equal(200, top_track_at(track, 0)->used.kib);
	assert_int_equal(100, top_track_at(track, 1)->used.kib);
	assert_non_null(top_track_at(track, TOP_TRACK_MOMENTS - 1));
	assert_null(top_track_at(track, TOP_TRACK_MOMENTS));
	feed(GUEST("b", 1, 2, 3));
	assert_null(top_tracks_find(&view.tracks, "u-a"));
}

static void ticks_in_haste_are_one_moment(void **state)
{
	(void)state;
	feed(GUEST("a", 100, 400, 1));
	feed(GUEST("a", 200, 400, 1));
	const struct top_track *track = top_tracks_find(&view.tracks, "u-a");
	assert_int_equal(2, track->count);
	clock_s -= 0.8;
	feed(GUEST("a", 300, 400, 1));
	assert_int_equal(2, track->count);
	assert_int_equal(300, top_track_at(track, 0)->used.kib);
	assert_int_equal(100, top_track_at(track, 1)->used.kib);
}

static void read_past(double from, size_t rows)
{
	auto_free char *text = mem_dup("");
	for (size_t i = 0; i < rows; i++) {
		char *longer = mem_printf("%s%s[%.0f,null,%zu,300,500]", text,
			i ? "," : "", from + 10 * (double)i, i);
		free(text);
		text = longer;
	}
	auto_free char *all = mem_printf(
		"{\"step_s\":10,\"columns\":{\"guest\":[\"at\",\"max_kib\",\"used_kib\","
		"\"actual_kib\",\"target_kib\"]},\"guests\":[7,{\"uuid\":\"u-a\","
		"\"rows\":[%s]},"
		"{\"uuid\":\"gone\",\"rows\":[7,[],[\"\"]]}]}",
		text);
	struct json_object *history = json_tokener_parse(all);
	assert_non_null(history);
	top_tracks_read(&view.tracks, history);
	json_object_put(history);
}

static void the_past_before_the_view_is_there(void **state)
{
	(void)state;
	clock_s = 1204;
	read_past(1000, 20); /* up to 1190 */
	feed(GUEST("a", 100, 400, 1));
	assert_null(top_tracks_find(&view.tracks, "gone"));
	const struct top_track *track = top_tracks_find(&view.tracks, "u-a");
	assert_non_null(track);
	assert_int_equal(21, track->count);
	assert_int_equal(100, top_track_at(track, 0)->used.kib);
	assert_int_equal(19, top_track_at(track, 1)->used.kib);
	assert_int_equal(500, top_track_at(track, 1)->target.kib);
	assert_int_equal(1, top_track_back(&view.tracks, track, 1));
	feed(GUEST("a", 200, 400, 1)); /* of the same ten seconds */
	assert_int_equal(21, track->count);
	assert_int_equal(200, top_track_at(track, 0)->used.kib);
	clock_s = 1300;
	feed(GUEST("a", 300, 400, 1)); /* times without a tick are left empty */
	assert_int_equal(10, top_track_back(&view.tracks, track, 1));
	assert_int_equal(11, top_track_back(&view.tracks, track, 2));
}

static void a_short_past_leaves_each_tick_its_column(void **state)
{
	(void)state;
	clock_s = 1200;
	read_past(1180, 3);
	feed(GUEST("a", 100, 400, 1));
	feed(GUEST("a", 200, 400, 1));
	const struct top_track *track = top_tracks_find(&view.tracks, "u-a");
	assert_int_equal(2, track->count);
	assert_int_equal(1, top_track_back(&view.tracks, track, 1));
}

static void a_column_is_as_high_as_its_part_of_the_maximum(void **state)
{
	(void)state;
	struct top_moment moment = {0, {true, 200}, {true, 400}, {true, 600}};
	struct top_column column = top_track_column(&moment, 800, 10, 8);
	assert_int_equal(20, column.used);
	assert_int_equal(40, column.actual);
	assert_int_equal(7, column.target_row);
	assert_true(column.moving);
	moment = (struct top_moment){0, {false, 0}, {true, 900}, {true, 900}};
	column = top_track_column(&moment, 800, 10, 1);
	assert_int_equal(0, column.used);
	assert_int_equal(10, column.actual);
	assert_false(column.moving);
}

#define CLEAN(test) cmocka_unit_test_teardown(test, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(guests_stand_by_name),
		CLEAN(sorting_shows_the_most_first),
		CLEAN(the_chosen_guest_stays_chosen),
		CLEAN(one_that_left_is_followed_by_its_neighbour),
		CLEAN(a_filter_holds_while_it_is_typed_and_after),
		CLEAN(a_filter_takes_other_alphabets),
		CLEAN(a_frozen_picture_stands_still),
		CLEAN(pages_lead_back),
		CLEAN(a_guest_in_detail_is_left_for_another_by_an_arrow),
		CLEAN(nothing_commands_the_terminal),
		CLEAN(what_is_missing_is_not_known),
		CLEAN(rates_are_those_of_the_daemon),
		CLEAN(what_happened_is_told_with_whom_it_befell),
		CLEAN(what_holds_the_manager_back_is_told),
		CLEAN(a_bar_is_as_wide_as_it_is),
		CLEAN(a_guests_bar_ends_at_its_maximum),
		CLEAN(a_balloon_that_is_almost_there_stands_still),
		CLEAN(figures_that_contradict_themselves_still_fit),
		CLEAN(the_host_is_counted_once),
		CLEAN(a_host_that_is_short_shows_no_free_memory),
		CLEAN(guests_of_other_books_are_left_out),
		CLEAN(the_past_of_a_guest_is_kept_while_it_is_there),
		CLEAN(ticks_in_haste_are_one_moment),
		CLEAN(the_past_before_the_view_is_there),
		CLEAN(a_short_past_leaves_each_tick_its_column),
		CLEAN(a_column_is_as_high_as_its_part_of_the_maximum),
	};
	text_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
