/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "mom/err.h"

static void set_gives_code_and_sentence(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_set(&err, -EINVAL, "%s: %d is odd", "shares", 3), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "shares: 3 is odd");
}

static void nobody_needs_to_ask(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -ERANGE, "unheard"), -ERANGE);
	assert_int_equal(err_errno(NULL, EPERM, "unheard"), -EPERM);
	assert_int_equal(err_prefix(NULL, "unheard"), 0);
	err_also(NULL, -EIO, "unheard");
}

static void errno_is_named_behind_the_sentence(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_errno(&err, ENOENT, "'%s' cannot be read", "x"), -ENOENT);
	assert_string_equal(err.text, "'x' cannot be read: No such file or directory");
}

static void prefix_keeps_what_was_told(void **state)
{
	(void)state;
	struct err err;
	err_set(&err, -EBADMSG, "has another shape");
	assert_int_equal(err_prefix(&err, "%s", "psi"), -EBADMSG);
	assert_string_equal(err.text, "psi: has another shape");
}

static void also_tells_all_and_keeps_the_first_code(void **state)
{
	(void)state;
	struct err err = {0};
	err_also(&err, -ERANGE, "min is too much");
	err_also(&err, -EINVAL, "'%s' is unknown", "mni");
	assert_int_equal(err.code, -ERANGE);
	assert_string_equal(err.text, "min is too much; 'mni' is unknown");
}

static void long_text_is_cut_not_spilt(void **state)
{
	(void)state;
	struct {
		struct err err;
		char guard[8];
	} box = {.guard = "guarded"};
	char long_text[2000];
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&box.err, -EINVAL, "%s", long_text);
	err_prefix(&box.err, "%s", long_text);
	err_also(&box.err, -EIO, "%s", long_text);
	assert_int_equal(strlen(box.err.text), sizeof(box.err.text) - 1);
	assert_string_equal(box.guard, "guarded");
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_gives_code_and_sentence),
		cmocka_unit_test(nobody_needs_to_ask),
		cmocka_unit_test(errno_is_named_behind_the_sentence),
		cmocka_unit_test(prefix_keeps_what_was_told),
		cmocka_unit_test(also_tells_all_and_keeps_the_first_code),
		cmocka_unit_test(long_text_is_cut_not_spilt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
