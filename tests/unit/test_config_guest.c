/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mom/config.h"
#include "mom/mem.h"
#include "mom/units.h"

#define MIB  KIB_PER_MIB
#define UUID "5d3b2f3e-4a4e-4b43-9a9f-0d1b6d1d7c55"
#define ELEMENT(attributes)                                                              \
	"<mom:guest xmlns:mom=\"https://mom-project.org/xmlns/guest/1\" " attributes "/" \
	">"

struct place {
	struct config config;
	struct guest_settings settings;
	struct err err;
};

static void load(struct place *place, const char *text)
{
	char path[] = "test_config_guest.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	config_done(&place->config);
	int r = config_load(&place->config, path, NULL, 0, &place->err);
	remove(path);
	if (r < 0)
		fail_msg("%s", place->err.text);
}

static int resolve(struct place *place, const char *name, const char *metadata)
{
	place->err = (struct err){0};
	return config_guest(
		&place->config, name, UUID, metadata, &place->settings, &place->err);
}

static void assert_told(const struct place *place, const char *what)
{
	if (!strstr(place->err.text, what))
		fail_msg("'%s' doesn't say '%s'", place->err.text, what);
}

static int set_up(void **state)
{
	struct place *place = mem_alloc(sizeof(*place));
	*state = place;
	return config_load(&place->config, NULL, NULL, 0, &place->err);
}

static int tear_down(void **state)
{
	struct place *place = *state;
	config_done(&place->config);
	free(place);
	return 0;
}

/* ---- rules of the file ------------------------------------------------------------- */

static void the_first_match_wins_for_each_key(void **state)
{
	struct place *place = *state;
	load(place, "guests = (\n"
		    " { match = \"win2003-*\"; min = \"256MiB\"; shares = 2000; },\n"
		    " { match = \"win*\"; shares = 500; buffer = \"30%\"; },\n"
		    " { match = \"*\"; min = \"25%\"; boot_grace = \"5min\"; } );");
	assert_int_equal(resolve(place, "win2003-a", NULL), 0);
	assert_int_equal(place->settings.min.kib, 256 * MIB);
	assert_true(place->settings.min.ratio <= 0);
	assert_int_equal(place->settings.shares, 2000);
	assert_true(fabs(place->settings.buffer_ratio - 0.3) < 1e-9);
	assert_int_equal(place->settings.boot_grace_ms, 300000);
	assert_int_equal(resolve(place, "win10", NULL), 0);
	assert_int_equal(place->settings.shares, 500);
	assert_int_equal(guest_floor_kib(&place->settings, 4096 * MIB), 1024 * MIB);
	assert_int_equal(resolve(place, "linux", NULL), 0);
	assert_int_equal(place->settings.shares, 1000);
}

static void a_rule_may_name_a_uuid(void **state)
{
	struct place *place = *state;
	load(place, "guests = ( { match = \"5D3B2F3E-4A4E-4B43-9A9F-0D1B6D1D7C55\";"
		    " manage = false; } );");
	assert_int_equal(resolve(place, "anything", NULL), 0);
	assert_false(place->settings.manage);
}

static void a_min_above_max_is_clamped_and_told(void **state)
{
	struct place *place = *state;
	load(place, "guests = ( { match = \"*\"; min = \"2GiB\"; max = \"1GiB\"; } );");
	assert_int_equal(resolve(place, "vm", NULL), -ERANGE);
	assert_told(place, "min 2.00 GiB is more than max 1.00 GiB");
	assert_int_equal(place->settings.min.kib, 1024 * MIB);
	assert_true(place->settings.manage);
	assert_int_equal(guest_floor_kib(&place->settings, 4096 * MIB), 1024 * MIB);
	assert_int_equal(guest_limit_kib(&place->settings, 4096 * MIB), 1024 * MIB);
}

static void nasty_names_match_as_they_are(void **state)
{
	struct place *place = *state;
	load(place, "guests = ( { match = \"*%n*\"; shares = 7; } );");
	assert_int_equal(resolve(place, "a \"b\"\n%n \xc3\xbc", NULL), 0);
	assert_int_equal(place->settings.shares, 7);
	char name[256];
	memset(name, '*', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(resolve(place, name, NULL), 0);
	assert_int_equal(place->settings.shares, 1000);
}

/* ---- metadata ---------------------------------------------------------------------- */

static void metadata_overrides_the_file(void **state)
{
	struct place *place = *state;
	load(place, "guests = ( { match = \"*\"; shares = 500; buffer = \"40%\"; } );");
	assert_int_equal(resolve(place, "vm",
				 ELEMENT("min=\"300MiB\" max=\"700MiB\" shares=\"2000\" "
					 "manage=\"no\" boot_grace=\"30s\"")),
		0);
	assert_int_equal(place->settings.min.kib, 300 * MIB);
	assert_int_equal(place->settings.max_kib, 700 * MIB);
	assert_int_equal(place->settings.shares, 2000);
	assert_false(place->settings.manage);
	assert_int_equal(place->settings.boot_grace_ms, 30000);
	assert_true(fabs(place->settings.buffer_ratio - 0.4) < 1e-9);
}

static void metadata_stays_under_the_ceilings(void **state)
{
	struct place *place = *state;
	load(place,
		"metadata = { max_min = \"512MiB\"; max_shares = 3000;\n"
		" max_buffer = \"30%\"; max_boot_grace = \"1min\"; opt_out = false; };");
	assert_int_equal(resolve(place, "vm",
				 ELEMENT("min=\"1GiB\" shares=\"9000\" buffer=\"90%\" "
					 "boot_grace=\"1h\" manage=\"no\"")),
		-ERANGE);
	assert_int_equal(place->settings.min.kib, 512 * MIB);
	assert_int_equal(place->settings.shares, 3000);
	assert_true(fabs(place->settings.buffer_ratio - 0.3) < 1e-9);
	assert_int_equal(place->settings.boot_grace_ms, 60000);
	assert_true(place->settings.manage);
	assert_told(place, "min");
	assert_told(place, "shares");
	assert_told(place, "buffer");
	assert_told(place, "boot_grace");
	assert_told(place, "manage");
}

static void a_floor_as_a_part_stays_under_the_ceiling_too(void **state)
{
	struct place *place = *state;
	load(place, "metadata = { max_min = \"512MiB\"; };");
	assert_int_equal(resolve(place, "vm", ELEMENT("min=\"100%\"")), 0);
	assert_int_equal(guest_floor_kib(&place->settings, 4096 * MIB), 512 * MIB);
}

static void ceilings_bind_metadata_and_not_the_file(void **state)
{
	struct place *place = *state;
	load(place, "metadata = { max_min = \"512MiB\"; max_shares = 10; };\n"
		    "guests = ( { match = \"*\"; min = \"2GiB\"; shares = 5000; } );");
	assert_int_equal(resolve(place, "vm", ELEMENT("buffer=\"10%\"")), 0);
	assert_int_equal(guest_floor_kib(&place->settings, 4096 * MIB), 2048 * MIB);
	assert_int_equal(place->settings.shares, 5000);
}

static void metadata_counts_only_where_it_is_allowed(void **state)
{
	struct place *place = *state;
	load(place, "metadata = { allow = false; };");
	assert_int_equal(resolve(place, "vm", ELEMENT("shares=\"7\"")), 0);
	assert_int_equal(place->settings.shares, 1000);
}

static void what_is_unknown_or_bad_is_told_and_left_out(void **state)
{
	struct place *place = *state;
	assert_int_equal(resolve(place, "vm",
				 ELEMENT("mni=\"1GiB\" buffer=\"lots\" shares=\"7\"")),
		-EINVAL);
	assert_told(place, "unknown key 'mni'; did you mean 'min'?");
	assert_told(place, "buffer: \"lots\"");
	assert_int_equal(place->settings.shares, 7);
	assert_true(fabs(place->settings.buffer_ratio - 0.2) < 1e-9);
}

static void a_min_above_max_in_metadata_is_still_managed(void **state)
{
	struct place *place = *state;
	assert_int_equal(
		resolve(place, "vm", ELEMENT("min=\"700MiB\" max=\"500MiB\"")), -ERANGE);
	assert_int_equal(guest_floor_kib(&place->settings, 800 * MIB), 500 * MIB);
	assert_true(place->settings.manage);
}

static void what_is_no_such_element_is_left_out(void **state)
{
	struct place *place = *state;
	static const char *const texts[] = {
		"",
		"<",
		"not xml at all",
		"<guest shares=\"7\"/>",
		"<mom:guest shares=\"7\"/>",
		"<g:guest xmlns:g=\"https://example.org/1\" shares=\"7\"/>",
		"<g:host xmlns:g=\"https://mom-project.org/xmlns/guest/1\" "
		"shares=\"7\"/>",
		"<!DOCTYPE guest [<!ENTITY a \"7\">]>" ELEMENT("shares=\"&a;\""),
		"<!DOCTYPE guest [<!ENTITY a '&b;&b;'><!ENTITY b '&a;&a;'>]>" ELEMENT(
			"shares=\"&a;\""),
		"<!DOCTYPE guest SYSTEM 'file:///etc/hostname'>" ELEMENT("shares=\"7\""),
		"<?xml version='1.0'?> <!DOCTYPE guest [<!ENTITY a SYSTEM "
		"'http://127.0.0.1:9/'>]>" ELEMENT("shares=\"&a;\""),
		ELEMENT("shares=\"&a;\""),
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(resolve(place, "vm", texts[i]), -EINVAL);
		assert_int_equal(place->settings.shares, 1000);
	}
}

static void endless_metadata_is_left_out(void **state)
{
	struct place *place = *state;
	auto_free char *blanks = mem_printf("%100000s", "");
	auto_free char *text = mem_printf("%s%s", ELEMENT("shares=\"7\""), blanks);
	assert_int_equal(resolve(place, "vm", text), -EINVAL);
	assert_told(place, "64 KiB");
	assert_int_equal(place->settings.shares, 1000);
}

static void metadata_writes_no_lines_into_the_log(void **state)
{
	struct place *place = *state;
	assert_int_equal(
		resolve(place, "vm", ELEMENT("shares=\"7&#10;momd: all is well\"")),
		-EINVAL);
	assert_null(strchr(place->err.text, '\n'));
	assert_null(strstr(place->err.text, "all is well"));
}

/* ---- where a setting comes from -------------------------------------------------- */

static void assert_origin(
	struct place *place, const char *metadata, const char *key, const char *expected)
{
	auto_free char *origin =
		config_guest_origin(&place->config, "win2003-a", UUID, metadata, key);
	assert_string_equal(origin, expected);
}

static void every_setting_tells_where_it_comes_from(void **state)
{
	struct place *place = *state;
	load(place, "guests = ( { match = \"linux*\"; min = \"1GiB\"; },\n"
		    " { match = \"win*\"; shares = 500; },\n"
		    " { match = \"*\"; shares = 5; buffer = \"1%\"; } );");
	const char *metadata = ELEMENT("max=\"700MiB\" boot_grace=\"nonsense\"");
	assert_origin(place, metadata, "max", "metadata");
	assert_origin(place, metadata, "shares", "guests \"win*\"");
	assert_origin(place, metadata, "buffer", "guests \"*\"");
	assert_origin(place, metadata, "min", "default");
	assert_origin(place, metadata, "boot_grace", "default");
	assert_origin(place, NULL, "max", "default");
}

/* ---- live settings ----------------------------------------------------------------- */

static void one_reader_serves_live_settings(void **state)
{
	(void)state;
	struct guest_settings settings;
	struct err err;
	guest_settings_init(&settings);
	assert_int_equal(guest_settings_set(&settings, "shares", "1500", &err), 0);
	assert_int_equal(settings.shares, 1500);
	assert_int_equal(guest_settings_set(&settings, "manage", "off", &err), 0);
	assert_false(settings.manage);
	assert_int_equal(guest_settings_set(&settings, "min", "256MiB, 25%", &err), 0);
	assert_int_equal(settings.min.kib, 256 * MIB);
	assert_int_equal(guest_settings_set(&settings, "weight", "1", &err), -ENOENT);
	assert_non_null(strstr(err.text, "shares"));
	assert_int_equal(guest_settings_set(&settings, "min", "256", &err), -ERANGE);
	assert_int_equal(guest_settings_set(&settings, "shares", "-1", &err), -EINVAL);
	assert_int_equal(guest_settings_set(&settings, "shares", "0", &err), -ERANGE);
	assert_int_equal(settings.shares, 1500);
	assert_int_equal(settings.min.kib, 256 * MIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		TEST(the_first_match_wins_for_each_key),
		TEST(a_rule_may_name_a_uuid),
		TEST(a_min_above_max_is_clamped_and_told),
		TEST(nasty_names_match_as_they_are),
		TEST(metadata_overrides_the_file),
		TEST(metadata_stays_under_the_ceilings),
		TEST(a_floor_as_a_part_stays_under_the_ceiling_too),
		TEST(ceilings_bind_metadata_and_not_the_file),
		TEST(metadata_counts_only_where_it_is_allowed),
		TEST(what_is_unknown_or_bad_is_told_and_left_out),
		TEST(a_min_above_max_in_metadata_is_still_managed),
		TEST(what_is_no_such_element_is_left_out),
		TEST(endless_metadata_is_left_out),
		TEST(metadata_writes_no_lines_into_the_log),
		TEST(every_setting_tells_where_it_comes_from),
		TEST(one_reader_serves_live_settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
