/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <json-c/json.h>

#include "mom/history/answer.h"
#include "mom/mem.h"
#include "mom/model.h"
#include "tests/unit/made_up.h"

#define NOW_S  1800000000ll /* a made-up clock; a whole number of hours */
#define DAY_S  86400ll
#define UUID   "11111111-2222-4333-8444-555555555555"
#define EVER_S 4000000000ll

struct rig {
	struct made_up folder;
	char *path;
	struct keeper keeper;
	bool open;
	char said[4096]; /* a line each */
	int times;
};

static void note(void *context, enum log_level level, const char *text)
{
	struct rig *rig = context;
	size_t length = strlen(rig->said);
	snprintf(rig->said + length, sizeof(rig->said) - length, "%d %s\n", (int)level,
		text);
	rig->times++;
}

static void open_keeper(struct rig *rig, int64_t now_s)
{
	const struct keeper_settings settings = {
		.path = rig->path,
		.keep_s = 30 * DAY_S,
		.period_s = 10,
		.size_kib = 64 * 1024,
		.say = note,
		.context = rig,
	};
	rig->said[0] = '\0';
	rig->times = 0;
	keeper_init(&rig->keeper, &settings, now_s);
	rig->open = true;
}

static void close_keeper(struct rig *rig)
{
	if (rig->open)
		keeper_done(&rig->keeper, NOW_S);
	rig->open = false;
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	made_up_init(&rig->folder);
	rig->path = mem_printf("%s/history.db", rig->folder.root);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	close_keeper(rig);
	made_up_done(&rig->folder);
	free(rig->path);
	free(rig);
	return 0;
}

static struct series guest_row(int64_t at_s, double used_kib)
{
	struct series row = {
		.kind = SERIES_GUEST,
		.at_s = at_s,
		.span_s = 10,
		.state = GUEST_STATE_MANAGED,
	};
	series_set(&row, GUEST_MAX, true, 819200);
	series_set(&row, GUEST_USED, true, used_kib);
	series_set(&row, GUEST_USED_MOST, true, used_kib);
	series_set(&row, GUEST_SWAP_IN, true, 4);
	series_set(&row, GUEST_DISTRESS, true, 0.25);
	return row;
}

/* ---- reading ---- */

struct sums {
	size_t rows, fine, minutes, tens;
	int64_t first_s, last_s;
	double swap_in_kib, used_most_kib, used_weight;
};

static int add_up(void *context, const struct store_row *row)
{
	struct sums *sums = context;
	const struct series *series = &row->series;
	if (!sums->rows++)
		sums->first_s = series->at_s;
	sums->last_s = series->at_s;
	sums->fine += series->span_s == 10;
	sums->minutes += series->span_s == 60;
	sums->tens += series->span_s == 600;
	sums->swap_in_kib += series->values[GUEST_SWAP_IN];
	sums->used_weight += series->values[GUEST_USED] * series->span_s;
	if (series->values[GUEST_USED_MOST] > sums->used_most_kib)
		sums->used_most_kib = series->values[GUEST_USED_MOST];
	return 0;
}

static struct sums sum_up(struct store *store)
{
	struct sums sums = {0};
	struct err err;
	assert_int_equal(
		store_read_rows(store, SERIES_GUEST, 0, 0, EVER_S, add_up, &sums, &err),
		0);
	return sums;
}

static struct json_object *ask(struct rig *rig, const char *guest, int64_t since_s,
	int64_t until_s, int64_t points)
{
	const struct answer_question question = {
		.guest = guest,
		.since_ms = since_s * 1000,
		.until_ms = until_s * 1000,
		.points = points,
	};
	auto_free char *json = NULL;
	struct err err;
	if (answer_series(&rig->keeper, &question, &json, &err) < 0)
		fail_msg("%s", err.text);
	struct json_object *answer = json_tokener_parse(json);
	assert_non_null(answer);
	return answer;
}

static struct json_object *rows_of(struct json_object *answer, size_t guest)
{
	struct json_object *guests = json_object_object_get(answer, "guests");
	return json_object_object_get(json_object_array_get_idx(guests, guest), "rows");
}

/* ---- figures ---- */

static void rows_become_one_as_their_columns_say(void **state)
{
	(void)state;
	struct series all = {0}, first = guest_row(1000, 100),
		      second = guest_row(1010, 400);
	second.span_s = 20;
	second.state = GUEST_STATE_HELD;
	series_set(&second, GUEST_MAX, true, 500);
	series_set(&second, GUEST_RSS, true, 7);
	series_merge(&all, &first);
	series_merge(&all, &second);
	assert_int_equal(all.at_s, 1000);
	assert_int_equal(all.span_s, 30);
	assert_float_equal(all.values[GUEST_USED], 300, 1e-6);      /* the mean */
	assert_float_equal(all.values[GUEST_USED_MOST], 400, 1e-6); /* the most */
	assert_float_equal(all.values[GUEST_SWAP_IN], 8, 1e-6);     /* the sum */
	assert_float_equal(all.values[GUEST_MAX], 500, 1e-6);       /* the last */
	assert_float_equal(all.values[GUEST_RSS], 7, 1e-6); /* known for a while */
	assert_false(series_has(&all, GUEST_SWAP));         /* never known */
	assert_int_equal(all.state, GUEST_STATE_HELD);
}

static void the_worst_state_of_the_host_stays(void **state)
{
	(void)state;
	struct series all = {0};
	const enum host_state states[] = {HOST_SNUG, HOST_CRITICAL, HOST_ROOMY};
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct series row = {
			.kind = SERIES_POOL, .span_s = 1, .state = (int)states[i]};
		series_set(&row, POOL_AVAILABLE_LEAST, true, 100 - 10.0 * (double)i);
		series_merge(&all, &row);
	}
	assert_int_equal(all.state, HOST_CRITICAL);
	assert_float_equal(all.values[POOL_AVAILABLE_LEAST], 80, 1e-6);
}

static void what_is_put_is_answered(void **state)
{
	struct rig *rig = *state;
	struct series row = guest_row(NOW_S - 100, 300000);
	open_keeper(rig, NOW_S);
	keeper_put_row(&rig->keeper, UUID, "web \"1\"", &row, "it must");
	for (int i = 0; i < 2; i++) { /* from memory, and from the disk */
		struct json_object *answer =
			ask(rig, "web \"1\"", NOW_S - 200, NOW_S, 100);
		struct json_object *rows = rows_of(answer, 0);
		assert_int_equal(json_object_array_length(rows), 1);
		assert_string_equal(
			json_object_to_json_string_ext(rows, JSON_C_TO_STRING_PLAIN),
			"[[1799999900,819200,null,null,300000,300000,null,null,null,null,"
			"4,null,null,0.2500,\"managed\",\"it must\"]]");
		json_object_put(answer);
		keeper_flush(&rig->keeper, NOW_S);
		close_keeper(rig);
		open_keeper(rig, NOW_S);
	}
	assert_int_equal(rig->times, 0);
}

static void a_guest_is_found_by_its_name_and_the_last_of_that_name(void **state)
{
	struct rig *rig = *state;
	struct series row = guest_row(NOW_S - 100, 1);
	struct series later = guest_row(NOW_S - 50, 2);
	open_keeper(rig, NOW_S);
	keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
	keeper_put_row(&rig->keeper, "22222222", "web", &later, NULL);
	struct json_object *answer = ask(rig, "web", NOW_S - 200, NOW_S, 100);
	assert_int_equal(
		json_object_array_length(json_object_object_get(answer, "guests")), 1);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(
				 json_object_array_get_idx(rows_of(answer, 0), 0), 0)),
		NOW_S - 50);
	json_object_put(answer);
	answer = ask(rig, UUID, NOW_S - 200, NOW_S, 100);
	assert_int_equal(json_object_array_length(rows_of(answer, 0)), 1);
	json_object_put(answer);
}

/* Each begins when the others have rows already, and in no order of names. */
static void guests_that_come_one_after_the_other_are_all_told(void **state)
{
	struct rig *rig = *state;
	open_keeper(rig, NOW_S);
	for (int i = 0; i < 40; i++) {
		for (int guest = 0; guest <= i; guest++) {
			char name[16];
			snprintf(name, sizeof(name), "g%d", 40 - guest);
			struct series row = guest_row(NOW_S - 1000 + 10 * i, guest);
			keeper_put_row(&rig->keeper, name, name, &row, "why it is so");
		}
	}
	struct json_object *answer = ask(rig, NULL, NOW_S - 1000, NOW_S, 2000);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(json_object_array_length(rows_of(answer, i)), i + 1);
	json_object_put(answer);
}

static void an_answer_is_never_longer_than_allowed(void **state)
{
	struct rig *rig = *state;
	open_keeper(rig, NOW_S);
	for (int guest = 0; guest < 10; guest++) {
		char uuid[16];
		snprintf(uuid, sizeof(uuid), "guest-%d", guest);
		for (int i = 0; i < 1000; i++) {
			struct series row = guest_row(NOW_S - 10000 + 10 * i, i);
			keeper_put_row(&rig->keeper, uuid, uuid, &row, "all the same");
		}
	}
	struct json_object *answer = ask(rig, NULL, NOW_S - 10000, NOW_S, 2000);
	size_t rows = 0;
	for (size_t i = 0; i < 10; i++)
		rows += json_object_array_length(rows_of(answer, i));
	assert_true(rows <= ANSWER_ROWS_MOST);
	assert_true(rows >= ANSWER_ROWS_MOST / 4);
	assert_int_equal(
		json_object_get_int(json_object_object_get(answer, "step_s")), 40);
	json_object_put(answer);
}

/* ---- age and size ---- */

static void put_days(struct store *store, int days)
{
	struct err err;
	assert_int_equal(store_begin(store, &err), 0);
	for (int64_t i = 0; i < days * DAY_S / 10; i++) {
		int64_t at_s = NOW_S - days * DAY_S + 10 * i;
		struct series row = guest_row(at_s, (double)(100000 + i % 6));
		assert_int_equal(store_put_row(store, UUID, "web", &row, NULL, &err), 0);
	}
	assert_int_equal(store_commit(store, &err), 0);
}

static void age_all(struct store *store, int64_t keep_s)
{
	const struct store_terms terms = {
		.fine_s = KEEPER_FINE_S,
		.minute_s = KEEPER_MINUTE_S,
		.keep_s = keep_s,
	};
	struct err err;
	int result;
	while ((result = store_age(store, &terms, NOW_S, &err)) > 0)
		;
	assert_int_equal(result, 0);
}

static void figures_grow_coarser_as_they_age(void **state)
{
	struct rig *rig = *state;
	struct store *store;
	struct err err;
	assert_int_equal(store_open(&store, rig->path, &err), 0);
	put_days(store, 10);
	struct sums before = sum_up(store);
	age_all(store, 30 * DAY_S);
	struct sums after = sum_up(store);
	assert_int_equal(before.rows, 86400);
	assert_int_equal(after.fine, 8640);        /* a day */
	assert_int_equal(after.minutes, 6 * 1440); /* the rest of a week */
	assert_int_equal(after.tens, 3 * 144);     /* the rest */
	assert_float_equal(after.swap_in_kib, before.swap_in_kib, 0.5);
	assert_float_equal(after.used_most_kib, before.used_most_kib, 0.5);
	assert_float_equal(after.used_weight / before.used_weight, 1, 1e-4);
	assert_int_equal(after.first_s, before.first_s);
	age_all(store, 2 * DAY_S);
	after = sum_up(store);
	assert_int_equal(after.tens, 0);
	assert_int_equal(after.first_s, NOW_S - 2 * DAY_S);
	store_close(store);
}

static void the_size_holds_and_the_oldest_goes_first(void **state)
{
	struct rig *rig = *state;
	struct store *store;
	struct err err;
	struct stat file;
	assert_int_equal(store_open(&store, rig->path, &err), 0);
	put_days(store, 4);
	assert_true(store_size_kib(store) > 1024);
	assert_int_equal(store_shrink(store, 1024, &err), 0);
	struct sums left = sum_up(store);
	store_close(store);
	assert_int_equal(stat(rig->path, &file), 0);
	assert_true(file.st_size <= 1024 * 1024);
	assert_true(left.rows > 1000);
	assert_int_equal(left.last_s, NOW_S - 10);
}

/* ---- events ---- */

static void put_event(struct rig *rig, uint64_t id, int64_t at_s, const char *level)
{
	const struct store_event event = {
		.id = id,
		.at_ms = at_s * 1000,
		.level = level,
		.kind = "order",
		.text = "target 1 GiB → 800 MiB",
		.key = UUID,
		.name = "web",
		.of = SERIES_GUEST,
		.details = "{\"from_kib\":1048576}",
	};
	keeper_put_event(&rig->keeper, &event);
}

static struct json_object *ask_events(struct rig *rig, int64_t limit)
{
	const struct answer_question question = {
		.until_ms = EVER_S * 1000,
		.points = limit,
	};
	auto_free char *json = NULL;
	struct err err;
	if (answer_events(&rig->keeper, &question, &json, &err) < 0)
		fail_msg("%s", err.text);
	return json_tokener_parse(json);
}

static void the_latest_events_are_answered_the_oldest_first(void **state)
{
	struct rig *rig = *state;
	open_keeper(rig, NOW_S);
	put_event(rig, 1, NOW_S - 30, "info");
	put_event(rig, 2, NOW_S - 20, "info");
	keeper_flush(&rig->keeper, NOW_S); /* these are on the disk, the next are not */
	put_event(rig, 3, NOW_S - 10, "debug");
	put_event(rig, 4, NOW_S - 5, "info");
	struct json_object *answer = ask_events(rig, 2);
	struct json_object *events = json_object_object_get(answer, "events");
	assert_true(json_object_get_boolean(json_object_object_get(answer, "more")));
	assert_int_equal(json_object_array_length(events), 2);
	struct json_object *first = json_object_array_get_idx(events, 0);
	assert_int_equal(json_object_get_int(json_object_object_get(first, "id")), 2);
	assert_string_equal(json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN),
		"{\"id\":2,\"at\":1799999980.000,\"level\":\"info\",\"kind\":\"order\","
		"\"guest\":\"web\",\"uuid\":\"" UUID "\",\"pool\":null,"
		"\"text\":\"target 1 GiB → 800 MiB\",\"from_kib\":1048576}");
	json_object_put(answer);
}

/* ---- what goes wrong ---- */

static void a_damaged_database_is_put_aside(void **state)
{
	struct rig *rig = *state;
	made_up_file(&rig->folder, "history.db", "%s", "this was never a database\n");
	open_keeper(rig, NOW_S);
	struct series row = guest_row(NOW_S - 100, 1);
	keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
	keeper_flush(&rig->keeper, NOW_S);
	assert_int_equal(sum_up(rig->keeper.disk).rows, 1);
	assert_int_equal(rig->times, 1);
	assert_non_null(strstr(rig->said, "put aside as"));
	auto_free char *find = mem_printf(
		"grep -q 'never a database' %s/history.db.broken-*", rig->folder.root);
	assert_int_equal(system(find), 0);
}

/* Garbage in the middle is found when it is read, not when it is opened. */
static void damage_in_the_middle_is_put_aside(void **state)
{
	struct rig *rig = *state;
	struct store *store;
	struct err err;
	assert_int_equal(store_open(&store, rig->path, &err), 0);
	put_days(store, 1);
	store_close(store);
	FILE *file = fopen(rig->path, "r+");
	fseek(file, 4096, SEEK_SET);
	for (int i = 0; i < 200 * 4096; i++)
		fputc('x', file);
	fclose(file);
	open_keeper(rig, NOW_S);
	for (int i = 0; i < 3; i++) {
		struct series row = guest_row(NOW_S + 10 * i, 1);
		keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
		keeper_flush(&rig->keeper, NOW_S + 10 * i);
	}
	assert_int_equal(rig->times, 1);
	assert_non_null(strstr(rig->said, "put aside as"));
	assert_int_equal(sum_up(rig->keeper.disk).rows, 3);
}

static void without_a_disk_it_stays_in_memory_and_nothing_is_lost(void **state)
{
	struct rig *rig = *state;
	auto_free char *folder = mem_printf("%s/later", rig->folder.root);
	free(rig->path);
	rig->path = mem_printf("%s/history.db", folder);
	open_keeper(rig, NOW_S);
	for (int i = 0; i < 5; i++) {
		struct series row = guest_row(NOW_S + 10 * i, 1);
		keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
		keeper_flush(&rig->keeper, NOW_S + 10 * i);
	}
	assert_int_equal(rig->times, 1); /* told once */
	assert_non_null(strstr(rig->said, "kept in memory"));
	struct json_object *answer = ask(rig, "web", NOW_S, NOW_S + 100, 100);
	assert_int_equal(json_object_array_length(rows_of(answer, 0)), 5);
	json_object_put(answer);
	assert_int_equal(mkdir(folder, 0700), 0);
	keeper_flush(&rig->keeper, NOW_S + 60);
	assert_int_equal(rig->times, 2);
	assert_non_null(strstr(rig->said, "is written again"));
	assert_int_equal(sum_up(rig->keeper.disk).rows, 5);
	assert_int_equal(sum_up(rig->keeper.memory).rows, 0);
}

static void memory_is_held_to_a_size(void **state)
{
	struct rig *rig = *state;
	free(rig->path);
	rig->path = mem_dup("/nowhere/history.db");
	open_keeper(rig, NOW_S);
	for (int64_t i = 0; i < 30000; i++) { /* three days and a half */
		struct series row = guest_row(NOW_S + 10 * i, (double)(1000000 + i));
		keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
		if (i % 100 == 0)
			keeper_flush(&rig->keeper, NOW_S + 10 * i);
	}
	keeper_flush(&rig->keeper, NOW_S + 300000);
	assert_true(store_size_kib(rig->keeper.memory) <= 512);
	assert_int_equal(sum_up(rig->keeper.memory).last_s, NOW_S + 299990);
	assert_int_equal(rig->times, 1);
}

static void a_newer_database_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct store *store;
	struct err err;
	assert_int_equal(store_open(&store, rig->path, &err), 0);
	store_close(store);
	FILE *file = fopen(rig->path, "r+"); /* the user version, big-endian, at 60 */
	fseek(file, 63, SEEK_SET);
	fputc(99, file);
	fclose(file);
	open_keeper(rig, NOW_S);
	assert_null(rig->keeper.disk);
	assert_non_null(strstr(rig->said, "newer"));
	struct stat now;
	assert_int_equal(stat(rig->path, &now), 0);
}

static void a_second_one_leaves_the_first_alone(void **state)
{
	struct rig *rig = *state;
	struct rig second = {.path = rig->path};
	open_keeper(rig, NOW_S);
	open_keeper(&second, NOW_S);
	for (int i = 0; i < 10; i++)
		keeper_flush(&second.keeper, NOW_S + i);
	assert_null(second.keeper.disk);
	assert_int_equal(second.times, 1);
	assert_non_null(strstr(second.said, "in use by another momd"));
	close_keeper(&second);
	assert_non_null(rig->keeper.disk);
}

/* An administrator who removes the file gets a new one. */
static void a_database_that_was_taken_away_is_begun_anew(void **state)
{
	struct rig *rig = *state;
	struct stat file;
	open_keeper(rig, NOW_S);
	assert_int_equal(remove(rig->path), 0);
	struct series row = guest_row(NOW_S, 1);
	keeper_put_row(&rig->keeper, UUID, "web", &row, NULL);
	keeper_flush(&rig->keeper, NOW_S);
	assert_int_equal(stat(rig->path, &file), 0);
	assert_int_equal(sum_up(rig->keeper.disk).rows, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_one_as_their_columns_say),
		cmocka_unit_test(the_worst_state_of_the_host_stays),
		TEST(what_is_put_is_answered),
		TEST(a_guest_is_found_by_its_name_and_the_last_of_that_name),
		TEST(guests_that_come_one_after_the_other_are_all_told),
		TEST(an_answer_is_never_longer_than_allowed),
		TEST(figures_grow_coarser_as_they_age),
		TEST(the_size_holds_and_the_oldest_goes_first),
		TEST(the_latest_events_are_answered_the_oldest_first),
		TEST(a_damaged_database_is_put_aside),
		TEST(damage_in_the_middle_is_put_aside),
		TEST(without_a_disk_it_stays_in_memory_and_nothing_is_lost),
		TEST(memory_is_held_to_a_size),
		TEST(a_newer_database_is_left_alone),
		TEST(a_second_one_leaves_the_first_alone),
		TEST(a_database_that_was_taken_away_is_begun_anew),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
