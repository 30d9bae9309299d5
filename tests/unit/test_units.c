/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

static void sizes_are_read_in_kib(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t kib;
	} rows[] = {
		{"800MiB", 800 * 1024},
		{"1.5G", 1536 * 1024},
		{"  2 gib ", 2 * KIB_PER_GIB},
		{"4096", 0},
		{"1000kB", 976},
		{"1GB", 976562},
		{"0B", 0},
		{"1023B", 0},
		{"7K", 7},
		{"2TiB", 2048 * KIB_PER_GIB},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t kib = 0;
		int r = units_parse_size(rows[i].text, &kib, NULL);
		assert_int_equal(r, strcmp(rows[i].text, "4096") ? 0 : -EINVAL);
		assert_int_equal(kib, rows[i].kib);
	}
}

static void a_size_without_unit_is_asked_for_one(void **state)
{
	(void)state;
	struct err err;
	uint64_t kib = 77;
	assert_int_equal(units_parse_size("800", &kib, &err), -EINVAL);
	assert_non_null(strstr(err.text, "MiB"));
	assert_int_equal(kib, 77);
}

static void bad_sizes_are_refused_and_change_nothing(void **state)
{
	(void)state;
	static const char *const texts[] = {"", " ", "MiB", "-1MiB", "1e3MiB", "0x10MiB",
		"1 MiB 2", "inf", "nanMiB", "1..5G", "1MB2", "1Mib/s", "9PiB",
		"11111111111111111111111111111111111111111111MiB"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint64_t kib = 77;
		assert_int_equal(units_parse_size(texts[i], &kib, NULL), -EINVAL);
		assert_int_equal(kib, 77);
	}
	uint64_t kib = 77;
	assert_int_equal(units_parse_size("99999999999TiB", &kib, NULL), -ERANGE);
	assert_int_equal(kib, 77);
}

static void durations_add_up(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{"500ms", 500},
		{"2min", 120000},
		{"1h 30min", 5400000},
		{"1.5s", 1500},
		{"1d", 86400000},
		{"0s", 0},
		{"10sec", 10000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ms = 77;
		assert_int_equal(units_parse_duration(rows[i].text, &ms, NULL), 0);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void bad_durations_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "5", "5 m", "min", "-1s", "1h x", "1MS"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint64_t ms = 77;
		assert_int_equal(units_parse_duration(texts[i], &ms, NULL), -EINVAL);
		assert_int_equal(ms, 77);
	}
	uint64_t ms;
	assert_int_equal(units_parse_duration("999999999999d", &ms, NULL), -ERANGE);
}

static void ratios_are_percent_or_part(void **state)
{
	(void)state;
	double ratio = -1;
	assert_int_equal(units_parse_ratio("20%", &ratio, NULL), 0);
	assert_true(fabs(ratio - 0.2) < 1e-12);
	assert_int_equal(units_parse_ratio("0.25", &ratio, NULL), 0);
	assert_true(fabs(ratio - 0.25) < 1e-12);
	static const char *const texts[] = {"", "%", "-5%", "20%%", "a", "nan", "1,5"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(units_parse_ratio(texts[i], &ratio, NULL), -EINVAL);
	assert_true(fabs(ratio - 0.25) < 1e-12);
}

static void sizes_are_shown_with_three_digits(void **state)
{
	(void)state;
	static const struct {
		uint64_t kib;
		const char *text;
	} rows[] = {
		{0, "0"},
		{1, "1 KiB"},
		{999, "999 KiB"},
		{1000, "0.98 MiB"},
		{800 * 1024, "800 MiB"},
		{1536 * 1024, "1.50 GiB"},
		{KIB_PER_GIB, "1.00 GiB"},
		{25 * KIB_PER_GIB / 2, "12.5 GiB"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SIZE_TEXT_MAX];
		assert_string_equal(units_format_size(text, rows[i].kib), rows[i].text);
	}
	char text[SIZE_TEXT_MAX];
	assert_true(strlen(units_format_size(text, UINT64_MAX)) < SIZE_TEXT_MAX);
}

static void durations_are_shown_in_two_units(void **state)
{
	(void)state;
	char text[DURATION_TEXT_MAX];
	assert_string_equal(units_format_duration(text, 350), "350ms");
	assert_string_equal(units_format_duration(text, 125000), "2min 5s");
	assert_string_equal(units_format_duration(text, 90061000), "1d 1h");
}

static void missing_memory_is_not_negative(void **state)
{
	(void)state;
	assert_int_equal(sub_u64(3, 5), 0);
	assert_int_equal(sub_u64(5, 3), 2);
	assert_int_equal(clamp_u64(7, 2, 5), 5);
	assert_int_equal(clamp_u64(1, 2, 5), 2);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read_in_kib),
		cmocka_unit_test(a_size_without_unit_is_asked_for_one),
		cmocka_unit_test(bad_sizes_are_refused_and_change_nothing),
		cmocka_unit_test(durations_add_up),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(ratios_are_percent_or_part),
		cmocka_unit_test(sizes_are_shown_with_three_digits),
		cmocka_unit_test(durations_are_shown_in_two_units),
		cmocka_unit_test(missing_memory_is_not_negative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
