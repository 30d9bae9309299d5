/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/control/utf8.h"
#include "mom/mem.h"

static int parse(struct control_request *request, const char *line, struct err *err)
{
	return control_parse_request(request, line, strlen(line), err);
}

static void a_request_is_taken_apart(void **state)
{
	struct control_request request;
	struct err err;
	(void)state;
	assert_int_equal(0, parse(&request,
				    "{\"id\": 7, \"method\": \"set\", \"params\": "
				    "{\"guest\": \"веб\"}}",
				    &err));
	assert_int_equal(7, json_object_get_int(request.id));
	assert_string_equal("set", request.method);
	assert_string_equal("веб", control_get_text(request.params, "guest"));
	control_request_done(&request);
}

static void parameters_may_be_missing(void **state)
{
	struct control_request request;
	struct err err;
	const char *text;
	(void)state;
	assert_int_equal(
		0, parse(&request, "{\"id\":\"a\",\"method\":\"status\"}", &err));
	assert_int_equal(
		-EINVAL, control_need_text(request.params, "guest", &text, &err));
	assert_non_null(strstr(err.text, "\"guest\""));
	control_request_done(&request);
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"garbage",
		"[]",
		"1",
		"{\"id\":1,\"method\":\"x\"} {}",
		"{\"id\":1,\"method\":\"x\"",
		"{\"method\":\"x\"}",
		"{\"id\":null,\"method\":\"x\"}",
		"{\"id\":[1],\"method\":\"x\"}",
		"{\"id\":1}",
		"{\"id\":1,\"method\":5}",
		"{\"id\":1,\"method\":\"x\",\"params\":[]}",
		"{\"id\":1,\"method\":\"x\",\"params\":null}",
		"{\"id\":1,\"method\":\"x\\u0000y\"}",
		"{\"id\":1,\"method\":\"x\",\"params\":{\"guest\":\"a\\u0000b\"}}",
		"{\"id\":1,\"method\":\"\xff\xfe\"}",
		"{'id':1,'method':'x'}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	struct control_request request;
	struct err err;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(-EBADMSG, parse(&request, lines[i], &err));
		control_request_done(&request);
	}
}

static void a_bad_request_is_still_answered_by_its_id(void **state)
{
	struct control_request request;
	struct err err;
	(void)state;
	parse(&request, "{\"id\":42,\"params\":{}}", &err);
	auto_free char *line = control_error_line(request.id, &err);
	assert_string_equal(line,
		"{\"id\":42,\"error\":{\"code\":\"malformed\","
		"\"message\":\"not a request: \\\"method\\\" is missing\"}}\n");
	control_request_done(&request);
}

static void a_result_finds_its_question(void **state)
{
	struct json_object *id = json_object_new_int(3);
	struct json_object *result = json_object_new_string("a\nb");
	struct json_object *back = NULL;
	struct err err;
	(void)state;
	auto_free char *line = control_result_line(id, result);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(
		-EBADMSG, control_parse_reply(line, strlen(line), 4, &back, &err));
	assert_null(back);
	assert_int_equal(0, control_parse_reply(line, strlen(line), 3, &back, &err));
	assert_string_equal("a\nb", json_object_get_string(back));
	json_object_put(back);
	json_object_put(result);
	json_object_put(id);
}

static void errors_keep_their_meaning(void **state)
{
	static const int codes[] = {-EINVAL, -ERANGE, -ENOENT, -EEXIST, -EACCES, -EBUSY,
		-EAGAIN, -ENOTSUP, -ENOSYS, -EBADMSG, -EMSGSIZE, -ETIMEDOUT, -EIO};
	struct json_object *id = json_object_new_int(1);
	struct json_object *result = NULL;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct err sent, got;
		err_set(&sent, codes[i], "why");
		auto_free char *line = control_error_line(id, &sent);
		assert_int_equal(codes[i],
			control_parse_reply(line, strlen(line), 1, &result, &got));
		assert_string_equal("why", got.text);
	}
	assert_string_equal("failed", control_code_name(-ENOSPC));
	json_object_put(id);
}

static void replies_that_are_none_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"{}",
		"{\"id\":1}",
		"{\"id\":2,\"result\":1}",
		"{\"id\":1,\"error\":{}}",
		"{\"id\":1,\"error\":{\"code\":1,\"message\":2}}",
		"{\"id\":1,\"error\":\"x\"}",
		"\"x\"",
	};
	struct json_object *result = NULL;
	struct err err;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(-EBADMSG, control_parse_reply(lines[i], strlen(lines[i]),
						   1, &result, &err));
	assert_null(result);
}

static void a_greeting_tells_the_version(void **state)
{
	struct control_greeting greeting;
	struct err err;
	(void)state;
	auto_free char *line = control_greeting_line("1.2");
	assert_int_equal(
		0, control_parse_greeting(&greeting, line, strlen(line) - 1, &err));
	assert_int_equal(CONTROL_PROTOCOL, greeting.protocol);
	assert_string_equal("1.2", greeting.version);
}

static void a_refusal_may_come_in_its_place(void **state)
{
	static const char line[] =
		"{\"id\":null,\"error\":{\"code\":\"busy\",\"message\":\"full\"}}";
	struct control_greeting greeting;
	struct err err;
	(void)state;
	assert_int_equal(
		-EBUSY, control_parse_greeting(&greeting, line, strlen(line), &err));
	assert_string_equal("full", err.text);
	assert_int_equal(
		-EBADMSG, control_parse_greeting(&greeting, "220 mail", 8, &err));
}

static void texts_of_any_bytes_become_utf8(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"plain", "plain"},
		{"h\xc3\xa9", "h\xc3\xa9"},
		{"\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7"},
		{"cut \xe2\x80", "cut \xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* too long a form of '/' */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
		{"\xf4\x90\x80\x80",
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond */
		{"\x80", "\xef\xbf\xbd"},
		{"", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *clean = utf8_repair(rows[i].from);
		assert_string_equal(rows[i].to, clean);
	}
}

static void assert_number(const char *expected, double number)
{
	struct json_object *value = control_json_number(number);
	assert_string_equal(expected, json_object_to_json_string(value));
	json_object_put(value);
}

static void numbers_are_short_and_never_nan(void **state)
{
	(void)state;
	assert_number("0.2", 0.2);
	assert_number("12.5", 12.5);
	assert_number("1234567.89", 1234567.89);
	assert_number("null", NAN);
	assert_number("null", -INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(parameters_may_be_missing),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(a_bad_request_is_still_answered_by_its_id),
		cmocka_unit_test(a_result_finds_its_question),
		cmocka_unit_test(errors_keep_their_meaning),
		cmocka_unit_test(replies_that_are_none_are_refused),
		cmocka_unit_test(a_greeting_tells_the_version),
		cmocka_unit_test(a_refusal_may_come_in_its_place),
		cmocka_unit_test(texts_of_any_bytes_become_utf8),
		cmocka_unit_test(numbers_are_short_and_never_nan),
	};
	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
