/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "mom/loopback.h"
#include "mom/mem.h"

static void addresses_of_this_host_are_taken(void **state)
{
	(void)state;
	struct loopback where;
	assert_int_equal(loopback_parse("127.0.0.1:9109", &where, NULL), 0);
	const struct sockaddr_in *four = (const void *)&where.address;
	assert_int_equal(four->sin_family, AF_INET);
	assert_int_equal(ntohs(four->sin_port), 9109);
	assert_int_equal(loopback_parse("127.1.2.3:1", &where, NULL), 0);
	assert_int_equal(loopback_parse("[::1]:65535", &where, NULL), 0);
	const struct sockaddr_in6 *six = (const void *)&where.address;
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(ntohs(six->sin6_port), 65535);
	assert_string_equal(where.path, "");
	assert_int_equal(loopback_parse("/run/mom/http.sock", &where, NULL), 0);
	assert_string_equal(where.path, "/run/mom/http.sock");
}

static void what_others_can_reach_is_refused(void **state)
{
	(void)state;
	static const char *const open[] = {"0.0.0.0:9109", "192.168.1.2:9109",
		"[::]:9109", "[fe80::1]:9109", "128.0.0.1:80", "[::ffff:127.0.0.1]:80"};
	struct loopback where;
	struct err err;
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		assert_int_equal(loopback_parse(open[i], &where, &err), -EACCES);
		assert_non_null(strstr(err.text, open[i]));
		assert_non_null(strstr(err.text, "other hosts"));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", ":80", "9109", "127.0.0.1", "[::1]",
		"[::1", "localhost:80", "::1:80", "run/mom.sock", "127.0.0.1:0",
		"127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1: 80", "127.0.0.1:80 ",
		"[::1]80", "[::1]:80:80", "127.0.0.1.127.0.0.1.127.0.0.1.127.0.0.1:1234"};
	struct loopback where;
	struct err err;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(loopback_parse(bad[i], &where, &err) < 0);
	char path[200];
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(loopback_parse(path, &where, &err), -ENAMETOOLONG);
}

static void only_names_of_this_host_pass_as_host(void **state)
{
	(void)state;
	static const char *const own[] = {"localhost", "LocalHost:9109", "127.0.0.1",
		"127.0.0.1:80", "127.9.9.9:80", "[::1]", "[::1]:9109"};
	static const char *const other[] = {"", "evil.example", "evil.example:9109",
		"localhost.evil.example", "127.0.0.1.evil.example", "localhost:", "[::1",
		"localhost:x", "localhost@evil.example", "10.0.0.1", "[::2]", "::1",
		"0.0.0.0", "localhost:80:80", "2130706433", "127.1", "[::1]evil"};
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!loopback_is_host(own[i]))
			fail_msg("\"%s\" is refused", own[i]);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (loopback_is_host(other[i]))
			fail_msg("\"%s\" passes", other[i]);
	assert_false(loopback_is_host(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_this_host_are_taken),
		cmocka_unit_test(what_others_can_reach_is_refused),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(only_names_of_this_host_pass_as_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
