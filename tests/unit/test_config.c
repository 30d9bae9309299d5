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
#include <sys/stat.h>

#include "mom/config.h"
#include "mom/mem.h"
#include "mom/units.h"

/* ---- a folder of files, for each test anew --------------------------------------- */

struct place {
	char folder[32];
	struct config config;
	struct err err;
};

static void in_folder(const struct place *place, const char *name, char path[100])
{
	snprintf(path, 100, "%s/%s", place->folder, name);
}

static void write_file(const struct place *place, const char *name, const char *text)
{
	char path[100];
	in_folder(place, name, path);
	auto_fclose FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
}

static int load(struct place *place, const char *text)
{
	char path[100];
	write_file(place, "momd.conf", text);
	in_folder(place, "momd.conf", path);
	config_done(&place->config);
	return config_load(&place->config, path, NULL, 0, &place->err);
}

static void assert_refused(struct place *place, const char *text, int code,
	const char *line, const char *hint)
{
	assert_int_equal(load(place, text), code);
	const char *told = strstr(place->err.text, "/momd.conf:");
	assert_non_null(told);
	told += strlen("/momd.conf:");
	assert_int_equal(strncmp(told, line, strlen(line)), 0);
	if (!strstr(told, hint))
		fail_msg("'%s' doesn't say '%s'", told, hint);
}

static int set_up(void **state)
{
	struct place *place = mem_alloc(sizeof(*place));
	strcpy(place->folder, "test_config.XXXXXX");
	*state = place;
	return mkdtemp(place->folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	static const char *const names[] = {"momd.conf", "more.conf", "printed.conf"};
	char path[100];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		in_folder(place, names[i], path);
		remove(path);
	}
	in_folder(place, "folder", path);
	remove(path);
	int r = remove(place->folder);
	config_done(&place->config);
	free(place);
	return r;
}

/* ---- what a file means ------------------------------------------------------------ */

static void without_a_file_it_works_on_the_systems_libvirt(void **state)
{
	struct place *place = *state;
	assert_int_equal(config_load(&place->config, NULL, NULL, 0, &place->err), 0);
	const struct config *config = &place->config;
	assert_string_equal(config->hypervisor.uri, "qemu:///system");
	assert_int_equal(config->hypervisor.call_deadline_ms, 5000);
	assert_int_equal(config->sampling.period_ms, 1000);
	assert_int_equal(config->sampling.tight_period_ms, 125);
	assert_int_equal(config->host.budget.kind, BUDGET_AUTO);
	assert_true(config->host.reserve.automatic);
	assert_int_equal(config->policies.count, 1);
	assert_string_equal(config->policies.items[0], "fair-share");
	assert_int_equal(config->on_exit, EXIT_KEEP);
	assert_false(config->dry_run);
	assert_null(config->path);
	struct guest_settings settings;
	assert_int_equal(config_guest(config, "vm", NULL, NULL, &settings, NULL), 0);
	assert_true(settings.manage);
	assert_int_equal(
		guest_floor_kib(&settings, 800 * KIB_PER_MIB), 256 * KIB_PER_MIB);
	assert_int_equal(settings.shares, 1000);
	assert_int_equal(settings.boot_grace_ms, 120000);
}

static void an_empty_file_means_the_defaults(void **state)
{
	struct place *place = *state;
	assert_int_equal(load(place, ""), 0);
	assert_string_equal(place->config.hypervisor.uri, "qemu:///system");
	assert_non_null(place->config.path);
}

static void every_kind_of_value_is_read(void **state)
{
	struct place *place = *state;
	assert_int_equal(
		load(place, "dry_run = true; on_exit = \"release\";\n"
			    "hypervisor = { uri = \"test:///default\"; workers = 3; };\n"
			    "sampling: { period = \"500ms\" };\n"
			    "host = { budget = \"3000MiB\"; reserve = \"1.5GiB\"; };\n"
			    "balloon = { shrink = 0.5; step_ratio = \"1%\"; };\n"
			    "policies = [ \"fair-share\", \"./own.policy\" ];\n"
			    "control = { group = \"\"; };\n"),
		0);
	const struct config *config = &place->config;
	assert_true(config->dry_run);
	assert_int_equal(config->on_exit, EXIT_RELEASE);
	assert_string_equal(config->hypervisor.uri, "test:///default");
	assert_int_equal(config->hypervisor.workers, 3);
	assert_int_equal(config->sampling.period_ms, 500);
	assert_int_equal(config->host.budget.kind, BUDGET_SIZE);
	assert_int_equal(config->host.budget.kib, 3000 * KIB_PER_MIB);
	assert_false(config->host.reserve.automatic);
	assert_int_equal(config->host.reserve.kib, 1536 * KIB_PER_MIB);
	assert_true(fabs(config->balloon.shrink_ratio - 0.5) < 1e-9);
	assert_true(fabs(config->balloon.step_ratio - 0.01) < 1e-9);
	assert_int_equal(config->policies.count, 2);
	assert_string_equal(config->policies.items[1], "./own.policy");
	assert_string_equal(config->control.group, "");
	assert_int_equal(config->balloon.settle_ms, 5000);
}

static void a_budget_may_be_a_cgroups(void **state)
{
	struct place *place = *state;
	assert_int_equal(
		load(place, "host = { budget = \"cgroup:/machine.slice\"; };"), 0);
	assert_int_equal(place->config.host.budget.kind, BUDGET_CGROUP);
	assert_string_equal(place->config.host.budget.cgroup, "/machine.slice");
}

static void the_tight_period_is_never_the_longer_one(void **state)
{
	struct place *place = *state;
	assert_int_equal(load(place, "sampling = { period = \"100ms\"; };"), 0);
	assert_int_equal(place->config.sampling.tight_period_ms, 100);
}

static void a_tunable_without_end_is_refused(void **state)
{
	assert_refused(*state, "tunables = { far = 1e999; };", -EINVAL, "1:", "number");
}

static void tunables_keep_their_names_and_kinds(void **state)
{
	struct place *place = *state;
	assert_int_equal(load(place, "tunables = {\n"
				     "  idle_tax = 0.75; rounds = 3;\n"
				     "  gentle = true; who = \"win-*\";\n"
				     "};"),
		0);
	const struct tunable *tunables = place->config.tunables;
	assert_int_equal(place->config.tunable_count, 4);
	assert_string_equal(tunables[0].name, "idle_tax");
	assert_string_equal(tunables[0].text, "0.75");
	assert_true(tunables[0].number);
	assert_string_equal(tunables[1].text, "3");
	assert_non_null(strstr(tunables[1].where, "momd.conf:2"));
	assert_string_equal(tunables[2].text, "true");
	assert_false(tunables[2].number);
	assert_string_equal(tunables[3].text, "win-*");
	assert_true(tunables[3].quoted);
}

/* Twice as much to read with each step, was it not for the end of it. */
static void a_file_that_includes_itself_has_an_end(void **state)
{
	struct place *place = *state;
	const char *text = "@include \"more.conf\"\n@include \"more.conf\"\n"
			   "@include \"more.conf\"\n@include \"more.conf\"\n";
	write_file(place, "more.conf", text);
	assert_int_equal(load(place, text), -ELOOP);
	assert_non_null(strstr(place->err.text, "more.conf: the 101th file"));
}

static void a_socket_has_a_name_that_sockets_can_have(void **state)
{
	struct place *place = *state;
	char text[400], path[201];
	assert_int_equal(load(place, "\ncontrol = { socket = \"\"; };\n"), -EINVAL);
	assert_non_null(strstr(place->err.text, ":2: control.socket: \"\""));
	memset(path, 'a', 200);
	path[200] = '\0';
	snprintf(text, sizeof(text), "control = { socket = \"/%s\"; };\n", path);
	assert_int_equal(load(place, text), -ENAMETOOLONG);
	assert_non_null(strstr(place->err.text, "too long for a socket's name"));
}

static void files_are_included_from_beside_the_file(void **state)
{
	struct place *place = *state;
	write_file(place, "more.conf", "balloon = { settle = \"9s\"; };\n");
	assert_int_equal(load(place, "dry_run = true;\n@include \"more.conf\"\n"), 0);
	assert_int_equal(place->config.balloon.settle_ms, 9000);
	write_file(place, "more.conf", "\nballoon = { setle = \"9s\"; };\n");
	assert_int_equal(load(place, "@include \"more.conf\"\n"), -EINVAL);
	assert_non_null(strstr(place->err.text, "more.conf:2: unknown key 'setle'"));
}

/* ---- what is refused, and with which words ----------------------------------------- */

static void unknown_names_are_told_with_their_line(void **state)
{
	struct place *place = *state;
	assert_refused(place, "\n\nsampling = {\n perod = \"1s\";\n};", -EINVAL,
		"4: unknown key 'perod'", "did you mean 'period'?");
	assert_refused(
		place, "samplng = { };", -EINVAL, "1:", "did you mean 'sampling'?");
	assert_refused(
		place, "dry_runn = true;", -EINVAL, "1:", "did you mean 'dry_run'?");
	assert_refused(place, "guests = (\n{ match = \"a\"; mni = \"1GiB\"; } );",
		-EINVAL, "2: unknown key 'mni'", "did you mean 'min'?");
	assert_refused(
		place, "cpu = { };", -EINVAL, "1: unknown key 'cpu'", "momd.conf(5)");
}

static void bad_values_say_what_was_expected(void **state)
{
	struct place *place = *state;
	assert_refused(place, "balloon = { safety = 32; };", -EINVAL,
		"1: balloon.safety: 32 has no unit", "\"800MiB\"");
	assert_refused(place, "balloon = { safety = \"32\"; };", -EINVAL, "1:", "MiB");
	assert_refused(place, "sampling = { period = 5; };", -EINVAL,
		"1: sampling.period: 5 has no unit", "\"500ms\"");
	assert_refused(place, "\nsampling = { period = \"5h\"; };", -ERANGE,
		"2: sampling.period: \"5h\"", "expected 100ms to 1min");
	assert_refused(place, "balloon = { shrink = 25; };", -ERANGE, "1:", "100%");
	assert_refused(
		place, "dry_run = \"yes\";", -EINVAL, "1: dry_run:", "true or false");
	assert_refused(place, "on_exit = \"drop\";", -EINVAL, "1:", "keep|release");
	assert_refused(place, "hypervisor = { workers = \"8\"; };", -EINVAL,
		"1:", "whole number");
	assert_refused(place, "hypervisor = { workers = -1; };", -EINVAL, "1:", "whole");
	assert_refused(
		place, "host = { budget = \"cgroup:x\"; };", -EINVAL, "1:", "cgroup:/");
	assert_refused(place, "hypervisor = { uri = \"system\"; };", -EINVAL,
		"1: hypervisor.uri:", "qemu:///system");
	assert_refused(place, "policies = ( 1 );", -EINVAL, "1:", "list of texts");
	assert_refused(place, "sampling = \"1s\";", -EINVAL, "1:", "section");
	assert_refused(place, "tunables = { a = [ 1 ]; };", -EINVAL, "1:", "tunable 'a'");
}

static void bad_guests_say_what_was_expected(void **state)
{
	struct place *place = *state;
	assert_refused(place, "guests = { };", -EINVAL, "1:", "list");
	assert_refused(place, "guests = ( 1 );", -EINVAL, "1:", "match");
	assert_refused(place, "guests = ( { shares = 1; } );", -EINVAL, "1:", "no match");
	assert_refused(place, "guests = ( { match = 5; } );", -EINVAL, "1:", "pattern");
	assert_refused(place, "guests = ( { match = \"*\";\n min = 256; } );", -ERANGE,
		"2: guests.min:", "unit");
	assert_refused(place, "guests = ( { match = \"*\"; shares = 0; } );", -ERANGE,
		"1:", "1 to 1000000");
}

static void broken_syntax_is_told_with_its_line(void **state)
{
	struct place *place = *state;
	assert_refused(
		place, "dry_run = true;\nsampling = {\n", -EINVAL, "", "syntax error");
	assert_refused(place, "a = 1;\na = 2;\n", -EINVAL, "2:", "duplicate");
	assert_refused(place, "\n@include \"gone.conf\"\n", -EINVAL, "2:", "include");
}

static void what_is_no_file_of_settings_is_refused_alive(void **state)
{
	struct place *place = *state;
	struct config *config = &place->config;
	char path[100];
	in_folder(place, "folder", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(config_load(config, path, NULL, 0, &place->err), -EINVAL);
	assert_int_equal(load(place, "@include \"folder\"\n"), -EINVAL);
	assert_non_null(strstr(place->err.text, "not a plain file"));
	assert_int_equal(load(place, "@include \"/\"\n"), -EINVAL);
	assert_int_equal(load(place, "@include \"/dev/zero\"\n"), -EINVAL);
	in_folder(place, "gone.conf", path);
	assert_int_equal(config_load(config, path, NULL, 0, &place->err), -ENOENT);
	assert_non_null(strstr(place->err.text, "gone.conf"));
	assert_int_equal(config_load(config, "/dev/zero", NULL, 0, &place->err), -EINVAL);
}

static void a_refused_file_changes_nothing(void **state)
{
	struct place *place = *state;
	char path[100];
	assert_int_equal(load(place, "hypervisor = { workers = 5; };"), 0);
	in_folder(place, "momd.conf", path);
	write_file(place, "momd.conf", "hypervisor = { workers = 6; };\nnonsense = 1;\n");
	struct config before = place->config;
	assert_true(config_load(&place->config, path, NULL, 0, &place->err) < 0);
	assert_memory_equal(&place->config, &before, sizeof(before));
	assert_int_equal(place->config.hypervisor.workers, 5);
}

/* ---- keys that parts bring ----------------------------------------------------------
 */

struct made_up {
	uint64_t window_ms;
	char *file;
};

static const struct config_key made_up_keys[] = {
	{"madeup", "window", CONFIG_DURATION, offsetof(struct made_up, window_ms), "2s",
		"1s", "10s", NULL, "How long."},
	{"madeup", "file", CONFIG_STRING, offsetof(struct made_up, file), "/some/file",
		NULL, NULL, NULL, "Where."},
	{0},
};

static const struct config_part_keys made_up_part = {
	"madeup", made_up_keys, sizeof(struct made_up)};

static void parts_bring_keys_of_their_own(void **state)
{
	struct place *place = *state;
	char path[100];
	in_folder(place, "momd.conf", path);
	write_file(place, "momd.conf", "madeup = { window = \"5s\"; };");
	assert_int_equal(
		config_load(&place->config, path, &made_up_part, 1, &place->err), 0);
	const struct made_up *made_up = config_part(&place->config, "madeup");
	assert_int_equal(made_up->window_ms, 5000);
	assert_string_equal(made_up->file, "/some/file");
	assert_null(config_part(&place->config, "psi"));
}

static void keys_of_absent_parts_are_unknown(void **state)
{
	struct place *place = *state;
	assert_refused(place, "madeup = { window = \"5s\"; };", -EINVAL,
		"1: unknown key 'madeup'", "");
}

/* ---- what is printed is what is in force ---------------------------------------------
 */

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	config_print(config, out);
	fclose(out);
	return text;
}

static void printed_settings_read_back_the_same(void **state)
{
	struct place *place = *state;
	struct config again;
	char path[100];
	in_folder(place, "momd.conf", path);
	write_file(place, "momd.conf",
		"host = { budget = \"cgroup:/a b\"; reserve = \"1537KiB\"; };\n"
		"policies = [ \"a\\\"b\", \"c\\\\d\" ];\n"
		"balloon = { shrink = \"12.5%\"; settle = \"1500ms\"; };\n"
		"tunables = { a = 1; b = 0.1; c = \"x\\ny\"; d = true; };\n"
		"madeup = { window = \"3s\"; };\n"
		"guests = ( { match = \"x*\"; min = \"10%, 64MiB\"; } );\n");
	assert_int_equal(
		config_load(&place->config, path, &made_up_part, 1, &place->err), 0);
	auto_free char *first = print(&place->config);
	write_file(place, "printed.conf", first);
	in_folder(place, "printed.conf", path);
	assert_int_equal(config_load(&again, path, &made_up_part, 1, &place->err), 0);
	again.rule_count--; /* the built-in settings, printed as the last rule */
	auto_free char *second = print(&again);
	again.rule_count++;
	config_done(&again);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "reserve = \"1537KiB\";"));
	assert_non_null(strstr(first, "settle = \"1500ms\";"));
	assert_non_null(strstr(first, "window = \"3s\";"));
}

static void every_default_lies_within_its_bounds(void **state)
{
	(void)state;
	auto_free char *text = NULL;
	struct config config;
	assert_int_equal(config_load(&config, NULL, NULL, 0, NULL), 0);
	text = print(&config);
	for (const struct config_key *key = config_keys; key->name; key++) {
		auto_free char *line = mem_printf("%s = ", key->name);
		assert_non_null(strstr(text, line));
		assert_non_null(strstr(text, key->help));
	}
	config_done(&config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		TEST(without_a_file_it_works_on_the_systems_libvirt),
		TEST(an_empty_file_means_the_defaults),
		TEST(every_kind_of_value_is_read),
		TEST(a_budget_may_be_a_cgroups),
		TEST(the_tight_period_is_never_the_longer_one),
		TEST(a_tunable_without_end_is_refused),
		TEST(tunables_keep_their_names_and_kinds),
		TEST(files_are_included_from_beside_the_file),
		TEST(a_file_that_includes_itself_has_an_end),
		TEST(a_socket_has_a_name_that_sockets_can_have),
		TEST(unknown_names_are_told_with_their_line),
		TEST(bad_values_say_what_was_expected),
		TEST(bad_guests_say_what_was_expected),
		TEST(broken_syntax_is_told_with_its_line),
		TEST(what_is_no_file_of_settings_is_refused_alive),
		TEST(a_refused_file_changes_nothing),
		TEST(parts_bring_keys_of_their_own),
		TEST(keys_of_absent_parts_are_unknown),
		TEST(printed_settings_read_back_the_same),
		TEST(every_default_lies_within_its_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
