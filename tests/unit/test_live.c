/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/live.h"
#include "mom/mem.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

#define ONE "11111111-0000-4000-8000-000000000001"
#define TWO "22222222-0000-4000-8000-000000000002"

struct bench {
	struct made_up folder;
	char *path;
	struct live live;
};

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	made_up_init(&bench->folder);
	bench->path = mem_printf("%s/live", bench->folder.root);
	assert_int_equal(live_load(&bench->live, bench->path, NULL), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	live_done(&bench->live);
	free(bench->path);
	made_up_done(&bench->folder);
	free(bench);
	return 0;
}

/* As another run of the daemon finds it. */
static int load_anew(struct bench *bench, struct err *err)
{
	live_done(&bench->live);
	return live_load(&bench->live, bench->path, err);
}

static void one_guest_is_paused_and_resumed(void **state)
{
	struct bench *bench = *state;
	live_pause(&bench->live, ONE, true);
	live_pause(&bench->live, ONE, true);
	assert_true(live_is_paused(&bench->live, ONE));
	assert_false(live_is_paused(&bench->live, TWO));
	live_pause(&bench->live, ONE, false);
	assert_false(live_is_paused(&bench->live, ONE));
}

static void pausing_all_pauses_everyone_and_resuming_all_forgets_the_single_ones(
	void **state)
{
	struct bench *bench = *state;
	live_pause(&bench->live, ONE, true);
	live_pause(&bench->live, NULL, true);
	assert_true(live_is_paused(&bench->live, TWO));
	live_pause(&bench->live, NULL, false);
	assert_false(live_is_paused(&bench->live, ONE));
	assert_false(live_is_paused(&bench->live, TWO));
}

static void a_setting_is_replaced_and_dropped(void **state)
{
	struct bench *bench = *state;
	live_set(&bench->live, ONE, "shares", "10");
	live_set(&bench->live, ONE, "shares", "20");
	live_set(&bench->live, ONE, "min", "1GiB");
	assert_string_equal(live_get(&bench->live, ONE, "shares"), "20");
	assert_null(live_get(&bench->live, TWO, "shares"));
	live_set(&bench->live, ONE, "shares", NULL);
	assert_null(live_get(&bench->live, ONE, "shares"));
	assert_string_equal(live_get(&bench->live, ONE, "min"), "1GiB");
}

static void settings_lie_over_those_of_the_file(void **state)
{
	struct bench *bench = *state;
	struct guest_settings settings = {.manage = true, .shares = 1000};
	live_set(&bench->live, ONE, "shares", "2000");
	live_set(&bench->live, TWO, "manage", "false");
	live_apply(&bench->live, ONE, &settings);
	assert_int_equal(settings.shares, 2000);
	assert_true(settings.manage);
}

static void all_of_it_outlives_the_daemon(void **state)
{
	struct bench *bench = *state;
	live_pause(&bench->live, ONE, true);
	live_pause(&bench->live, NULL, true);
	live_set(&bench->live, TWO, "min", "25%, 256MiB"); /* a value with a blank */
	assert_int_equal(live_save(&bench->live, NULL), 0);
	assert_int_equal(load_anew(bench, NULL), 0);
	assert_true(bench->live.paused);
	assert_string_equal(live_get(&bench->live, TWO, "min"), "25%, 256MiB");
	live_pause(&bench->live, NULL, false);
	assert_int_equal(live_save(&bench->live, NULL), 0);
	assert_int_equal(load_anew(bench, NULL), 0);
	assert_false(live_is_paused(&bench->live, ONE));
}

static void a_broken_line_loses_only_itself(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	made_up_file(&bench->folder, "live",
		"pause " ONE "\nset " TWO "\n\nset " TWO " shares 7\nfrobnicate\n");
	assert_int_equal(load_anew(bench, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "live:"));
	assert_true(live_is_paused(&bench->live, ONE));
	assert_string_equal(live_get(&bench->live, TWO, "shares"), "7");
}

/* Lines longer than any of ours, bytes of no text: nothing to read, nothing to fear. */
static void garbage_is_no_setting(void **state)
{
	struct bench *bench = *state;
	auto_free char *path = mem_dup(bench->path);
	auto_fclose FILE *file = fopen(path, "we");
	for (int i = 0; i < 5000; i++)
		fputc(i % 7 ? 'x' : i % 255, file);
	fflush(file);
	assert_int_equal(load_anew(bench, NULL), -EBADMSG);
	assert_false(bench->live.paused);
	assert_int_equal(bench->live.paused_count, 0);
	assert_int_equal(bench->live.setting_count, 0);
}

static void e78_what_cannot_be_kept_is_told_and_still_holds(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	live_pause(&bench->live, ONE, true);
	assert_int_equal(live_save(&bench->live, NULL), 0);
	mem_replace(&bench->live.path, "/nowhere/at/all/live");
	live_pause(&bench->live, TWO, true);
	assert_true(live_save(&bench->live, &err) < 0);
	assert_non_null(strstr(err.text, "/nowhere/at/all/live"));
	assert_true(live_is_paused(&bench->live, TWO));
	assert_int_equal(load_anew(bench, NULL), 0); /* what was kept before is whole */
	assert_true(live_is_paused(&bench->live, ONE));
}

static void a_full_disk_leaves_the_old_file_whole(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	live_pause(&bench->live, ONE, true);
	assert_int_equal(live_save(&bench->live, NULL), 0);
	made_up_link(&bench->folder, "live.new", "/dev/full");
	live_pause(&bench->live, TWO, true);
	assert_true(live_save(&bench->live, &err) < 0);
	assert_int_equal(load_anew(bench, NULL), 0);
	assert_true(live_is_paused(&bench->live, ONE));
	assert_false(live_is_paused(&bench->live, TWO));
}

static void without_a_path_nothing_is_kept(void **state)
{
	(void)state;
	struct live live;
	assert_int_equal(live_load(&live, NULL, NULL), 0);
	live_pause(&live, ONE, true);
	assert_int_equal(live_save(&live, NULL), 0);
	live_done(&live);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_guest_is_paused_and_resumed),
		TEST(pausing_all_pauses_everyone_and_resuming_all_forgets_the_single_ones),
		TEST(a_setting_is_replaced_and_dropped),
		TEST(settings_lie_over_those_of_the_file),
		TEST(all_of_it_outlives_the_daemon),
		TEST(a_broken_line_loses_only_itself),
		TEST(garbage_is_no_setting),
		TEST(e78_what_cannot_be_kept_is_told_and_still_holds),
		TEST(a_full_disk_leaves_the_old_file_whole),
		TEST(without_a_path_nothing_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
