/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>

#include "mom/collector.h"
#include "mom/config.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

#define MIB       KIB_PER_MIB
#define GUEST_MIB 256
#define RAM_FROM  0x10000000ull
#define PID       100

extern const struct collector collector_working_set;

/* A made-up host with QEMU processes, and the collector at work on it. */
struct bench {
	struct made_up made_up;
	char *proc, *sys;
	struct config config;
	struct snapshot snapshot;
	struct err err;
	int64_t now_ms;
	void *self;
};

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	made_up_init(&bench->made_up);
	bench->proc = mem_printf("%s/proc", bench->made_up.root);
	bench->sys = mem_printf("%s/sys", bench->made_up.root);
	bench->now_ms = 50000;
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	if (bench->self)
		collector_working_set.close(bench->self);
	config_done(&bench->config);
	snapshot_done(&bench->snapshot);
	made_up_done(&bench->made_up);
	free(bench->proc);
	free(bench->sys);
	free(bench);
	return 0;
}

static void begin(struct bench *bench, const char *settings)
{
	const struct config_part_keys part = {
		.section = "working_set",
		.keys = collector_working_set.keys,
		.size = collector_working_set.settings_size,
	};
	struct collector_env env = {
		.config = &bench->config,
		.proc_root = bench->proc,
		.sys_root = bench->sys,
	};
	made_up_file(&bench->made_up, "momd.conf", "working_set = { %s };\n", settings);
	auto_free char *path = mem_printf("%s/momd.conf", bench->made_up.root);
	assert_int_equal(config_load(&bench->config, path, &part, 1, &bench->err), 0);
	assert_int_equal(collector_working_set.open(&bench->self, &env, &bench->err), 0);
}

/* Guest RAM, the code that QEMU translates, and what QEMU itself holds. */
static void referenced(struct bench *bench, int pid, uint64_t ram_mib)
{
	auto_free char *name = mem_printf("proc/%d/smaps", pid);
	made_up_file(&bench->made_up, name,
		"%llx-%llx rw-p 00000000 00:00 0 \n"
		"Size:           %llu kB\nReferenced:     %llu kB\n"
		"20000000-60000000 rwxp 00000000 00:00 0 \n"
		"Size:           1048576 kB\nReferenced:      43008 kB\n"
		"70000000-70100000 rw-p 00000000 00:00 0 \n"
		"Size:              1024 kB\nReferenced:        512 kB\n",
		RAM_FROM, RAM_FROM + GUEST_MIB * 1048576ull, GUEST_MIB * MIB,
		(unsigned long long)ram_mib * MIB);
}

static void a_process(struct bench *bench, int pid)
{
	auto_free char *fd = mem_printf("proc/%d/fd/3", pid);
	auto_free char *clear = mem_printf("proc/%d/clear_refs", pid);
	made_up_link(&bench->made_up, fd, "/dev/null");
	made_up_file(&bench->made_up, clear, "-");
	referenced(bench, pid, 0);
}

static struct guest_facts *add_guest(struct bench *bench, int pid)
{
	struct guest_facts *guest = snapshot_add_guest(&bench->snapshot);
	snprintf(guest->uuid, sizeof(guest->uuid), "uuid-%d", pid);
	snprintf(guest->name, sizeof(guest->name), "vm%d", pid);
	guest->pid = pid;
	guest->sample.max_kib = GUEST_MIB * MIB;
	guest->sample.rss_kib = GUEST_MIB * MIB;
	return guest;
}

static int sample(struct bench *bench, int64_t after_ms, int count)
{
	bench->now_ms += after_ms;
	snapshot_reset(&bench->snapshot);
	bench->snapshot.now_ms = bench->now_ms;
	for (int i = 0; i < count; i++)
		add_guest(bench, PID + i);
	return collector_working_set.sample(bench->self, &bench->snapshot, &bench->err);
}

static const struct guest_sample *seen(const struct bench *bench, size_t index)
{
	return &bench->snapshot.guests[index].sample;
}

static bool was_cleared(struct bench *bench, int pid)
{
	auto_free char *name = mem_printf("proc/%d/clear_refs", pid);
	return made_up_number(&bench->made_up, name) == 1;
}

static void it_does_nothing_unless_told(void **state)
{
	struct bench *bench = *state;
	begin(bench, "");
	a_process(bench, PID);
	assert_int_equal(sample(bench, 0, 1), 0);
	assert_int_equal(sample(bench, 10000, 1), 0);
	assert_false(was_cleared(bench, PID));
	assert_false(seen(bench, 0)->has_working_set);
}

static void what_is_touched_in_a_period_is_the_working_set(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true;");
	a_process(bench, PID);
	assert_int_equal(sample(bench, 0, 1), 0);
	assert_true(was_cleared(bench, PID));
	assert_false(seen(bench, 0)->has_working_set);

	referenced(bench, PID, 100);
	assert_int_equal(sample(bench, 2000, 1), 0);
	assert_false(seen(bench, 0)->has_working_set);
	assert_int_equal(sample(bench, 8000, 1), 0);
	assert_true(seen(bench, 0)->has_working_set);
	assert_int_equal(seen(bench, 0)->working_set_kib, 100 * MIB);

	referenced(bench, PID, 30);
	assert_int_equal(sample(bench, 2000, 1), 0);
	assert_int_equal(seen(bench, 0)->working_set_kib, 100 * MIB);
	assert_int_equal(sample(bench, 8000, 1), 0);
	assert_int_equal(seen(bench, 0)->working_set_kib, 30 * MIB);
}

static void a_guest_that_tells_is_not_looked_at(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true;");
	a_process(bench, PID);
	bench->snapshot.now_ms = bench->now_ms;
	add_guest(bench, PID)->sample.has_usable = true;
	assert_int_equal(
		collector_working_set.sample(bench->self, &bench->snapshot, &bench->err),
		0);
	assert_false(was_cleared(bench, PID));
}

static void another_process_begins_anew(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true;");
	a_process(bench, PID);
	sample(bench, 0, 1);
	referenced(bench, PID, 100);
	sample(bench, 10000, 1);
	a_process(bench, PID + 7);
	snapshot_reset(&bench->snapshot);
	bench->snapshot.now_ms = bench->now_ms += 2000;
	struct guest_facts *guest = add_guest(bench, PID + 7);
	snprintf(guest->uuid, sizeof(guest->uuid), "uuid-%d", PID);
	collector_working_set.sample(bench->self, &bench->snapshot, &bench->err);
	assert_false(seen(bench, 0)->has_working_set);
}

static void looks_are_few_at_a_time_and_come_round(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true; guests_a_tick = 2; cpu = 0.5;");
	for (int i = 0; i < 5; i++)
		a_process(bench, PID + i);
	static const int cleared_after[] = {2, 4, 5, 5};
	for (size_t tick = 0; tick < ARRAY_SIZE(cleared_after); tick++) {
		sample(bench, 1000, 5);
		int cleared = 0;
		for (int i = 0; i < 5; i++)
			cleared += was_cleared(bench, PID + i);
		assert_int_equal(cleared, cleared_after[tick]);
	}
}

static void the_first_is_not_looked_at_for_ever(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true; guests_a_tick = 1; cpu = 0.5; period = \"1s\";");
	for (int i = 0; i < 3; i++)
		a_process(bench, PID + i);
	for (int tick = 0; tick < 3; tick++)
		sample(bench, 1000, 3);
	for (int i = 0; i < 3; i++)
		assert_true(was_cleared(bench, PID + i));
}

/* The least allowance pays for one look now and then, whatever a look costs here. */
static void looks_wait_until_they_are_paid_for(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true; guests_a_tick = 1000; cpu = 0.0001;");
	for (int i = 0; i < 60; i++)
		a_process(bench, PID + i);
	sample(bench, 0, 60);
	int cleared = 0;
	for (int i = 0; i < 60; i++)
		cleared += was_cleared(bench, PID + i);
	assert_in_range(cleared, 1, 20);
}

static void a_look_that_takes_too_long_is_left_out(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true; longest_look = \"2ms\";");
	a_process(bench, PID);
	assert_int_equal(sample(bench, 0, 1), -E2BIG);
	assert_non_null(strstr(bench->err.text, "guest \"vm100\""));
	assert_false(was_cleared(bench, PID));
}

/* ---- under KVM ---- */

static void a_kvm_guest_without_idle_marks_has_none(void **state)
{
	struct bench *bench = *state;
	begin(bench, "enabled = true;");
	a_process(bench, PID);
	a_process(bench, PID + 1);
	made_up_link(&bench->made_up, "proc/100/fd/9", "anon_inode:kvm-vm");
	assert_int_equal(sample(bench, 0, 2), -EOPNOTSUPP);
	assert_non_null(strstr(bench->err.text, "guest \"vm100\""));
	assert_non_null(strstr(bench->err.text, "idle page tracking"));
	assert_false(was_cleared(bench, PID));
	/* the other one is followed all the same, and alone all is well */
	referenced(bench, PID + 1, 64);
	assert_int_equal(sample(bench, 10000, 2), -EOPNOTSUPP);
	assert_int_equal(seen(bench, 1)->working_set_kib, 64 * MIB);
	snapshot_reset(&bench->snapshot);
	bench->snapshot.now_ms = bench->now_ms += 1000;
	add_guest(bench, PID + 1);
	assert_int_equal(
		collector_working_set.sample(bench->self, &bench->snapshot, &bench->err),
		0);
}

/* Every page of the made-up guest stands in a frame of its own word of the marks. */
static void a_kvm_process(struct bench *bench)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t pages = GUEST_MIB * 1048576ull / page_bytes;
	a_process(bench, PID);
	made_up_link(&bench->made_up, "proc/100/fd/9", "/dev/kvm");
	made_up_file(&bench->made_up, "proc/100/maps",
		"%llx-%llx rw-p 00000000 00:00 0 \n", RAM_FROM,
		RAM_FROM + GUEST_MIB * 1048576ull);
	made_up_file(&bench->made_up, "proc/100/pagemap", "%s", "");
	made_up_file(&bench->made_up, "sys/kernel/mm/page_idle/bitmap", "%s", "");
	auto_free char *path = mem_printf("%s/proc/100/pagemap", bench->made_up.root);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t entry = 1ull << 63 | (i + 1) * 64;
		off_t at = (off_t)((RAM_FROM / page_bytes + i) * sizeof(entry));
		assert_int_equal(pwrite(fd, &entry, sizeof(entry), at), sizeof(entry));
	}
}

/* The guest touches its first so many MiB: the kernel takes their marks away. */
static void touch(struct bench *bench, uint64_t mib)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	auto_free char *path =
		mem_printf("%s/sys/kernel/mm/page_idle/bitmap", bench->made_up.root);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t clear = 0;
	for (uint64_t i = 0; i < mib * 1048576 / page_bytes; i++)
		assert_int_equal(pwrite(fd, &clear, sizeof(clear),
					 (off_t)((i + 1) * sizeof(clear))),
			sizeof(clear));
}

static void a_kvm_guest_is_followed_by_idle_marks(void **state)
{
	struct bench *bench = *state;
	a_kvm_process(bench);
	begin(bench, "enabled = true;");
	assert_int_equal(sample(bench, 0, 1), 0);
	touch(bench, 64);
	assert_int_equal(sample(bench, 10000, 1), 0);
	assert_true(seen(bench, 0)->has_working_set);
	assert_in_range(seen(bench, 0)->working_set_kib, 63 * MIB, 65 * MIB);
	touch(bench, 192);
	assert_int_equal(sample(bench, 10000, 1), 0);
	assert_in_range(seen(bench, 0)->working_set_kib, 191 * MIB, 193 * MIB);
	assert_int_equal(sample(bench, 10000, 1), 0);
	assert_in_range(seen(bench, 0)->working_set_kib, 0, MIB);
	assert_false(was_cleared(bench, PID));
}

static void a_kvm_guest_whose_frames_are_hidden_has_none(void **state)
{
	struct bench *bench = *state;
	a_kvm_process(bench);
	auto_free char *path = mem_printf("%s/proc/100/pagemap", bench->made_up.root);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t entry = 1ull << 63, page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	for (uint64_t i = 0; i < GUEST_MIB * 1048576ull / page_bytes; i++)
		assert_int_equal(
			pwrite(fd, &entry, sizeof(entry),
				(off_t)((RAM_FROM / page_bytes + i) * sizeof(entry))),
			sizeof(entry));
	begin(bench, "enabled = true;");
	assert_int_equal(sample(bench, 0, 1), -EPERM);
	assert_non_null(strstr(bench->err.text, "page frames"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_does_nothing_unless_told),
		TEST(what_is_touched_in_a_period_is_the_working_set),
		TEST(a_guest_that_tells_is_not_looked_at),
		TEST(another_process_begins_anew),
		TEST(looks_are_few_at_a_time_and_come_round),
		TEST(the_first_is_not_looked_at_for_ever),
		TEST(looks_wait_until_they_are_paid_for),
		TEST(a_look_that_takes_too_long_is_left_out),
		TEST(a_kvm_guest_without_idle_marks_has_none),
		TEST(a_kvm_guest_is_followed_by_idle_marks),
		TEST(a_kvm_guest_whose_frames_are_hidden_has_none),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
