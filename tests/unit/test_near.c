/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/near.h"

static const char *nearest(const char *word)
{
	static const char *const names[] = {
		"manage", "min", "max", "shares", "buffer", "boot_grace"};
	struct near near = {.word = word};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		near_try(&near, names[i]);
	return near.best;
}

static void slips_find_their_name(void **state)
{
	(void)state;
	assert_string_equal(nearest("mni"), "min");
	assert_string_equal(nearest("maxx"), "max");
	assert_string_equal(nearest("share"), "shares");
	assert_string_equal(nearest("bootgrace"), "boot_grace");
	assert_string_equal(nearest("bufer"), "buffer");
}

static void strangers_find_nothing(void **state)
{
	(void)state;
	assert_null(nearest("cpu_quota"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest("a-name-far-longer-than-any-key-that-is-known-here"));
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_find_their_name),
		cmocka_unit_test(strangers_find_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
