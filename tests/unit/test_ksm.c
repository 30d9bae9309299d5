/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>

#include "mom/collector.h"
#include "mom/config.h"
#include "mom/controller.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

#define KSM "sys/kernel/mm/ksm/"

extern const struct collector collector_ksm;
extern const struct controller controller_ksm;

/* A made-up host, and the two parts at work on it. */
struct bench {
	struct made_up made_up;
	char *proc, *sys, *socket, *config_path;
	struct config config;
	struct snapshot snapshot;
	struct plan plan;
	struct host_sample host;
	struct err err;
	void *collector, *controller;
};

static void ksm_file(struct bench *bench, const char *name, const char *text)
{
	auto_free char *path = mem_printf(KSM "%s", name);
	made_up_file(&bench->made_up, path, "%s\n", text);
}

static long ksm_number(struct bench *bench, const char *name)
{
	auto_free char *path = mem_printf(KSM "%s", name);
	return made_up_number(&bench->made_up, path);
}

static void ksm_forget(struct bench *bench, const char *name)
{
	auto_free char *path = mem_printf("%s/" KSM "%s", bench->made_up.root, name);
	unlink(path);
}

static int set_up(void **state)
{
	static const char *const files[][2] = {{"run", "0"}, {"pages_shared", "0"},
		{"pages_sharing", "0"}, {"pages_unshared", "0"}, {"pages_volatile", "0"},
		{"pages_to_scan", "100"}, {"full_scans", "0"}, {"sleep_millisecs", "20"},
		{"merge_across_nodes", "1"}, {"general_profit", "0"},
		{"advisor_mode", "[none] scan-time"}};
	struct bench *bench = mem_alloc(sizeof(*bench));
	made_up_init(&bench->made_up);
	bench->proc = mem_printf("%s/proc", bench->made_up.root);
	bench->sys = mem_printf("%s/sys", bench->made_up.root);
	bench->socket = mem_printf("%s/momd.sock", bench->made_up.root);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		ksm_file(bench, files[i][0], files[i][1]);
	*state = bench;
	return 0;
}

static void end_controller(struct bench *bench)
{
	if (bench->controller)
		controller_ksm.close(bench->controller);
	bench->controller = NULL;
	config_done(&bench->config);
	bench->config = (struct config){0};
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	end_controller(bench);
	if (bench->collector)
		collector_ksm.close(bench->collector);
	snapshot_done(&bench->snapshot);
	plan_done(&bench->plan);
	made_up_done(&bench->made_up);
	free(bench->proc);
	free(bench->sys);
	free(bench->socket);
	free(bench);
	return 0;
}

/* ---- the collector ---- */

static int look(struct bench *bench, int64_t now_ms)
{
	struct collector_env env = {.proc_root = bench->proc, .sys_root = bench->sys};
	if (!bench->collector)
		assert_int_equal(
			collector_ksm.open(&bench->collector, &env, &bench->err), 0);
	snapshot_reset(&bench->snapshot);
	bench->snapshot.now_ms = now_ms;
	return collector_ksm.sample(bench->collector, &bench->snapshot, &bench->err);
}

static void a_process(struct bench *bench, int pid, const char *name, int parent,
	unsigned cpu_ticks, const char *command)
{
	auto_free char *stat = mem_printf("proc/%d/stat", pid);
	auto_free char *cmdline = mem_printf("proc/%d/cmdline", pid);
	made_up_file(&bench->made_up, stat,
		"%d (%s) S %d 0 0 0 -1 2129984 0 0 0 0 0 %u 0 0 25 5 1 0 31 0 0\n", pid,
		name, parent, cpu_ticks);
	made_up_file(&bench->made_up, cmdline, "%s", command);
}

static void all_counters_are_read(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *file;
		size_t offset;
	} rows[] = {
#define ROW(name) #name, offsetof(struct host_sample, ksm_##name)
		{ROW(run)},
		{ROW(pages_shared)},
		{ROW(pages_sharing)},
		{ROW(pages_unshared)},
		{ROW(pages_volatile)},
		{ROW(pages_to_scan)},
		{ROW(pages_scanned)},
		{ROW(pages_skipped)},
		{ROW(full_scans)},
		{ROW(sleep_millisecs)},
		{ROW(merge_across_nodes)},
		{ROW(stable_node_chains)},
		{ROW(stable_node_dups)},
#undef ROW
		{"ksm_zero_pages", offsetof(struct host_sample, ksm_zero_pages)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *number = mem_printf("%zu", 1 + i * 1000);
		ksm_file(bench, rows[i].file, number);
	}
	ksm_file(bench, "general_profit", "-40960");
	ksm_file(bench, "advisor_mode", "none [scan-time]");
	assert_int_equal(look(bench, 0), 0);
	const struct host_sample *host = &bench->snapshot.host;
	assert_true(host->has_ksm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t value;
		memcpy(&value, (const char *)host + rows[i].offset, sizeof(value));
		assert_int_equal(value, 1 + i * 1000);
	}
	assert_int_equal(host->ksm_general_profit_kib, -40);
	assert_string_equal(host->ksm_advisor, "scan-time");
}

static void an_older_kernel_lacks_a_few(void **state)
{
	struct bench *bench = *state;
	ksm_forget(bench, "general_profit");
	ksm_forget(bench, "advisor_mode");
	ksm_forget(bench, "merge_across_nodes");
	ksm_file(bench, "pages_sharing", "1024");
	ksm_file(bench, "pages_unshared", "3072");
	assert_int_equal(look(bench, 0), 0);
	long page_kib = sysconf(_SC_PAGESIZE) / 1024;
	assert_int_equal(bench->snapshot.host.ksm_general_profit_kib,
		1024 * page_kib - (1024 + 3072) * 64 / 1024);
	assert_string_equal(bench->snapshot.host.ksm_advisor, "");
}

static void a_file_of_another_shape_is_named(void **state)
{
	struct bench *bench = *state;
	ksm_file(bench, "pages_shared", "many");
	assert_int_equal(look(bench, 0), -EBADMSG);
	assert_non_null(strstr(bench->err.text, "pages_shared"));
	assert_false(bench->snapshot.host.has_ksm);
	ksm_forget(bench, "pages_shared");
	assert_int_equal(look(bench, 0), -ENOENT);
}

static void a_kernel_without_ksm_is_no_source(void **state)
{
	struct bench *bench = *state;
	struct collector_env env = {.proc_root = bench->proc, .sys_root = bench->proc};
	assert_int_equal(
		collector_ksm.open(&bench->collector, &env, &bench->err), -ENOENT);
	assert_non_null(strstr(bench->err.text, "/kernel/mm/ksm"));
	bench->collector = NULL;
}

static void only_the_kernels_ksmd_is_timed(void **state)
{
	struct bench *bench = *state;
	unsigned hz = (unsigned)sysconf(_SC_CLK_TCK);
	a_process(bench, 30, "ksmd", 999, 0, "ksmd");
	a_process(bench, 37, "ksmd", 2, 500, "");
	assert_int_equal(look(bench, 1000), 0);
	assert_false(bench->snapshot.host.has_ksmd_cpu);
	a_process(bench, 30, "ksmd", 999, 100 * hz, "ksmd");
	a_process(bench, 37, "ksmd", 2, 500 + hz / 2, "");
	assert_int_equal(look(bench, 3000), 0);
	assert_true(bench->snapshot.host.has_ksmd_cpu);
	assert_float_equal(bench->snapshot.host.ksmd_cpu_ratio, 0.25, 0.01);
}

static void others_who_tune_are_seen(void **state)
{
	struct bench *bench = *state;
	a_process(bench, 7, "momd", 1, 0, "/usr/sbin/momd");
	look(bench, 0);
	assert_string_equal(bench->snapshot.host.ksm_rival, "");
	a_process(bench, 8, "ksmtuned", 1, 0, "/bin/bash");
	look(bench, 61000);
	assert_string_equal(bench->snapshot.host.ksm_rival, "ksmtuned");
	a_process(bench, 8, "bash", 1, 0, "/bin/bash");
	a_process(bench, 7, "momd", 1, 0, "/usr/bin/python3");
	look(bench, 122000);
	assert_string_equal(bench->snapshot.host.ksm_rival, "momd");
}

static void only_memory_that_can_merge_counts(void **state)
{
	struct bench *bench = *state;
	struct collector_env env = {.proc_root = bench->proc, .sys_root = bench->sys};
	collector_ksm.open(&bench->collector, &env, &bench->err);
	for (int i = 0; i < 3; i++) {
		struct guest_facts *guest = snapshot_add_guest(&bench->snapshot);
		guest->sample.has_rss = true;
		guest->sample.rss_anon_kib = 1000;
		guest->sample.rss_shmem_kib = 5000;
		guest->locked = i == 2;
	}
	collector_ksm.sample(bench->collector, &bench->snapshot, &bench->err);
	assert_int_equal(bench->snapshot.host.ksm_shareable_kib, 2000);
}

/* ---- the controller ---- */

static void begin(struct bench *bench, const char *settings)
{
	const struct config_part_keys part = {
		.section = "ksm",
		.keys = controller_ksm.keys,
		.size = controller_ksm.settings_size,
	};
	struct controller_env env = {.config = &bench->config, .sys_root = bench->sys};
	made_up_file(&bench->made_up, "momd.conf", "ksm = { %s };\n", settings);
	auto_free char *path = mem_printf("%s/momd.conf", bench->made_up.root);
	assert_int_equal(config_load(&bench->config, path, &part, 1, &bench->err), 0);
	mem_replace(&bench->config.control.socket, bench->socket);
	bench->host = (struct host_sample){
		.available_kib = 100 * KIB_PER_MIB, .reserve_kib = 50 * KIB_PER_MIB};
	bench->plan.host = &bench->host;
	assert_int_equal(controller_ksm.open(&bench->controller, &env, &bench->err), 0);
}

static int wish(struct bench *bench, enum host_knob knob, int64_t value)
{
	bench->plan.knobs[knob] = (struct host_wish){.has_value = true, .value = value};
	return controller_ksm.apply(bench->controller, &bench->plan, &bench->err);
}

/* As kill −9 leaves it: nobody puts anything back. */
static void die(struct bench *bench)
{
	auto_free char *state_path = mem_printf("%s.ksm", bench->socket);
	auto_free char *aside = mem_printf("%s.aside", bench->socket);
	long run = ksm_number(bench, "run"), pages = ksm_number(bench, "pages_to_scan");
	assert_int_equal(link(state_path, aside), 0);
	end_controller(bench);
	made_up_file(&bench->made_up, KSM "run", "%ld\n", run);
	made_up_file(&bench->made_up, KSM "pages_to_scan", "%ld\n", pages);
	assert_int_equal(rename(aside, state_path), 0);
	plan_reset(&bench->plan);
}

static void wishes_are_set_and_put_back(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400), 0);
	assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), 0);
	assert_int_equal(ksm_number(bench, "run"), 1);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 400);
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 700), 0);
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "run"), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 100);
	assert_int_equal(made_up_number(&bench->made_up, "momd.sock.ksm"), -1);
	assert_int_equal(access(bench->socket, F_OK), -1);
}

static void what_is_so_already_is_not_written(void **state)
{
	struct bench *bench = *state;
	struct stat before, after;
	auto_free char *path = mem_printf("%s/" KSM "run", bench->made_up.root);
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	utimensat(AT_FDCWD, path, old, 0);
	stat(path, &before);
	for (int i = 0; i < 3; i++)
		assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), 0);
	stat(path, &after);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
}

static void a_sudden_death_is_made_good(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	die(bench);
	begin(bench, "");
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 900), 0);
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "run"), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 100);
}

static void what_changed_after_a_death_is_theirs(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	die(bench);
	ksm_file(bench, "pages_to_scan", "1234");
	begin(bench, "manage = false;");
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 900), 0);
	assert_int_equal(ksm_number(bench, "run"), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 1234);
}

static void a_dry_run_leaves_even_a_debt_alone(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	die(bench);
	begin(bench, "");
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "run"), 1);
}

static void another_owner_is_respected(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	wish(bench, KNOB_KSM_RUN, 1);
	ksm_file(bench, "run", "0");
	assert_true(wish(bench, KNOB_KSM_RUN, 1) < 0);
	assert_non_null(strstr(bench->err.text, "somebody else set run to 0"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 500 + i), -EBUSY);
	assert_non_null(strstr(bench->err.text, "somebody else set run to 0"));
	assert_int_equal(ksm_number(bench, "run"), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 400);
	ksm_file(bench, "run", "1");
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 100);
}

static void what_somebody_else_set_stays_at_the_end(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	wish(bench, KNOB_KSM_SLEEP_MILLISECS, 50);
	ksm_file(bench, "pages_to_scan", "777");
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 777);
	assert_int_equal(ksm_number(bench, "sleep_millisecs"), 20);
}

static void memory_going_offline_is_no_other_owner(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	ksm_file(bench, "run", "5");
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 400);
}

static void another_daemon_is_left_alone(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	snprintf(bench->host.ksm_rival, sizeof(bench->host.ksm_rival), "ksmtuned");
	assert_true(wish(bench, KNOB_KSM_RUN, 1) < 0);
	assert_non_null(strstr(bench->err.text, "ksmtuned"));
	assert_int_equal(ksm_number(bench, "run"), 0);
	bench->host.ksm_rival[0] = '\0';
	assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), 0);
	assert_int_equal(ksm_number(bench, "run"), 1);
}

static void an_advisor_keeps_the_pace(void **state)
{
	struct bench *bench = *state;
	ksm_file(bench, "advisor_mode", "none [scan-time]");
	begin(bench, "");
	assert_true(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400) < 0);
	assert_non_null(strstr(bench->err.text, "scan-time"));
	assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), 0);
	assert_int_equal(ksm_number(bench, "run"), 1);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 100);
}

static void an_advisor_is_overridden_when_told(void **state)
{
	struct bench *bench = *state;
	char word[32] = "";
	auto_free char *path = mem_printf("%s/" KSM "advisor_mode", bench->made_up.root);
	ksm_file(bench, "advisor_mode", "none [scan-time]");
	begin(bench, "override_advisor = true;");
	wish(bench, KNOB_KSM_PAGES_TO_SCAN, 400);
	auto_fclose FILE *file = fopen(path, "re");
	assert_int_equal(fscanf(file, "%31s", word), 1);
	assert_string_equal(word, "none");
}

static void pages_are_parted_only_when_told_and_roomy(void **state)
{
	struct bench *bench = *state;
	ksm_file(bench, "pages_sharing", "2560");
	begin(bench, "");
	assert_true(wish(bench, KNOB_KSM_RUN, 2) < 0);
	assert_int_equal(ksm_number(bench, "run"), 0);
	end_controller(bench);

	begin(bench, "unmerge = true;");
	bench->plan.state = HOST_SNUG;
	wish(bench, KNOB_KSM_RUN, 2);
	assert_int_equal(ksm_number(bench, "run"), 0);
	bench->plan.state = HOST_ROOMY;
	ksm_file(bench, "pages_sharing", "25600");
	wish(bench, KNOB_KSM_RUN, 2);
	assert_int_equal(ksm_number(bench, "run"), 0);
	ksm_file(bench, "pages_sharing", "2560");
	wish(bench, KNOB_KSM_RUN, 2);
	assert_int_equal(ksm_number(bench, "run"), 2);
}

/* All was parted once; what was merged since stays so, or memory might run out. */
static void nothing_is_parted_at_the_end(void **state)
{
	struct bench *bench = *state;
	ksm_file(bench, "run", "2");
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	ksm_file(bench, "pages_sharing", "2560");
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "run"), 0);

	ksm_file(bench, "run", "2");
	ksm_file(bench, "pages_sharing", "0");
	begin(bench, "");
	wish(bench, KNOB_KSM_RUN, 1);
	end_controller(bench);
	assert_int_equal(ksm_number(bench, "run"), 2);
}

static void nodes_are_joined_only_while_nothing_is_shared(void **state)
{
	struct bench *bench = *state;
	ksm_file(bench, "pages_shared", "5");
	begin(bench, "");
	assert_true(wish(bench, KNOB_KSM_MERGE_ACROSS_NODES, 0) < 0);
	assert_int_equal(wish(bench, KNOB_KSM_MERGE_ACROSS_NODES, 0), 0);
	assert_int_equal(ksm_number(bench, "merge_across_nodes"), 1);
	ksm_file(bench, "pages_shared", "0");
	assert_int_equal(wish(bench, KNOB_KSM_MERGE_ACROSS_NODES, 0), 0);
	assert_int_equal(ksm_number(bench, "merge_across_nodes"), 0);
}

/* Files of /proc that nobody may write, or that take small numbers only, stand in. */
static void what_the_kernel_refuses_is_told_once(void **state)
{
	struct bench *bench = *state;
	ksm_forget(bench, "run");
	made_up_link(&bench->made_up, KSM "run", "/proc/sys/kernel/ngroups_max");
	begin(bench, "");
	assert_true(wish(bench, KNOB_KSM_RUN, 1) < 0);
	assert_non_null(strstr(bench->err.text, "/run\" to 1"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), 0);
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 300), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), 300);
}

static void a_refused_value_is_not_offered_again(void **state)
{
	struct bench *bench = *state;
	ksm_forget(bench, "pages_to_scan");
	made_up_link(&bench->made_up, KSM "pages_to_scan", "/proc/self/oom_score_adj");
	begin(bench, "");
	long before = ksm_number(bench, "pages_to_scan");
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 5000), -EINVAL);
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 5000), 0);
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, before + 1), 0);
	assert_int_equal(ksm_number(bench, "pages_to_scan"), before + 1);
}

static void without_a_folder_for_the_debt_it_says_so(void **state)
{
	struct bench *bench = *state;
	free(bench->socket);
	bench->socket = mem_printf("%s/nowhere/momd.sock", bench->made_up.root);
	begin(bench, "");
	assert_int_equal(wish(bench, KNOB_KSM_RUN, 1), -ENOENT);
	assert_non_null(strstr(bench->err.text, "momd.sock.ksm"));
	assert_int_equal(ksm_number(bench, "run"), 1);
	assert_int_equal(wish(bench, KNOB_KSM_PAGES_TO_SCAN, 300), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_counters_are_read),
		TEST(an_older_kernel_lacks_a_few),
		TEST(a_file_of_another_shape_is_named),
		TEST(a_kernel_without_ksm_is_no_source),
		TEST(only_the_kernels_ksmd_is_timed),
		TEST(others_who_tune_are_seen),
		TEST(only_memory_that_can_merge_counts),
		TEST(wishes_are_set_and_put_back),
		TEST(what_is_so_already_is_not_written),
		TEST(a_sudden_death_is_made_good),
		TEST(what_changed_after_a_death_is_theirs),
		TEST(a_dry_run_leaves_even_a_debt_alone),
		TEST(another_owner_is_respected),
		TEST(what_somebody_else_set_stays_at_the_end),
		TEST(memory_going_offline_is_no_other_owner),
		TEST(another_daemon_is_left_alone),
		TEST(an_advisor_keeps_the_pace),
		TEST(an_advisor_is_overridden_when_told),
		TEST(pages_are_parted_only_when_told_and_roomy),
		TEST(nothing_is_parted_at_the_end),
		TEST(nodes_are_joined_only_while_nothing_is_shared),
		TEST(what_the_kernel_refuses_is_told_once),
		TEST(a_refused_value_is_not_offered_again),
		TEST(without_a_folder_for_the_debt_it_says_so),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
