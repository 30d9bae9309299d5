/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/collector.h"
#include "mom/config.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

extern const struct collector collector_cgroup;

#define POOL "/guests.partition"

/* A made-up hierarchy with one limited cgroup. */
struct bench {
	struct made_up made_up;
	char *sys;
	struct config config;
	struct snapshot snapshot;
	struct err err;
	void *collector;
};

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	made_up_init(&bench->made_up);
	bench->sys = mem_printf("%s/sys", bench->made_up.root);
	bench->config.host.budget.kind = BUDGET_CGROUP;
	bench->config.host.budget.cgroup = mem_dup(POOL);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	collector_cgroup.close(bench->collector);
	snapshot_done(&bench->snapshot);
	made_up_done(&bench->made_up);
	free(bench->config.host.budget.cgroup);
	free(bench->sys);
	free(bench);
	return 0;
}

static const struct pool_facts *sample(struct bench *bench)
{
	struct collector_env env = {.config = &bench->config, .sys_root = bench->sys};
	assert_int_equal(collector_cgroup.open(&bench->collector, &env, &bench->err), 0);
	assert_int_equal(
		collector_cgroup.sample(bench->collector, &bench->snapshot, &bench->err),
		0);
	assert_int_equal(bench->snapshot.pool_count, 1);
	return &bench->snapshot.pools[0];
}

/* A balloon gave back parts of huge pages: 100 MiB are listed, 60 MiB mapped. */
static void test_first_version(void **state)
{
	struct bench *bench = *state;
	const char *at = "sys/fs/cgroup/memory";
	auto_free char *limit = mem_printf("%s" POOL "/memory.limit_in_bytes", at);
	auto_free char *use = mem_printf("%s" POOL "/memory.usage_in_bytes", at);
	auto_free char *stat = mem_printf("%s" POOL "/memory.stat", at);
	auto_free char *witness = mem_printf("%s/memory.usage_in_bytes", at);
	made_up_file(&bench->made_up, witness, "0\n");
	made_up_file(&bench->made_up, limit, "1073741824\n");
	made_up_file(&bench->made_up, use, "536870912\n");
	made_up_file(&bench->made_up, stat,
		"rss 1\ninactive_anon 1\ntotal_rss %u\ntotal_shmem 0\n"
		"total_inactive_anon %u\ntotal_active_anon %u\n"
		"total_inactive_file %u\n",
		60u << 20, 96u << 20, 4u << 20, 8u << 20);
	const struct pool_facts *pool = sample(bench);
	assert_int_equal(pool->limit_kib, 1024 * KIB_PER_MIB);
	assert_int_equal(pool->use_kib, 512 * KIB_PER_MIB);
	assert_int_equal(pool->inactive_file_kib, 8 * KIB_PER_MIB);
	assert_int_equal(pool->split_kib, 40 * KIB_PER_MIB);
}

/* Locked memory is mapped but not on these lists: never less than nothing. */
static void test_second_version(void **state)
{
	struct bench *bench = *state;
	const char *at = "sys/fs/cgroup";
	auto_free char *limit = mem_printf("%s" POOL "/memory.max", at);
	auto_free char *use = mem_printf("%s" POOL "/memory.current", at);
	auto_free char *stat = mem_printf("%s" POOL "/memory.stat", at);
	auto_free char *witness = mem_printf("%s/cgroup.controllers", at);
	made_up_file(&bench->made_up, witness, "memory\n");
	made_up_file(&bench->made_up, limit, "1073741824\n");
	made_up_file(&bench->made_up, use, "536870912\n");
	made_up_file(&bench->made_up, stat,
		"anon %u\nfile 0\nshmem 0\ninactive_anon %u\nactive_anon 0\n"
		"inactive_file %u\nunevictable %u\n",
		60u << 20, 40u << 20, 8u << 20, 20u << 20);
	const struct pool_facts *pool = sample(bench);
	assert_int_equal(pool->use_kib, 512 * KIB_PER_MIB);
	assert_int_equal(pool->inactive_file_kib, 8 * KIB_PER_MIB);
	assert_int_equal(pool->split_kib, 0);
}

static void put(struct bench *bench, const char *path, const char *file, unsigned mib)
{
	auto_free char *at = mem_printf("sys/fs/cgroup%s/%s", path, file);
	made_up_file(&bench->made_up, at, "%llu\n", (unsigned long long)mib << 20);
}

static void put_limited(
	struct bench *bench, const char *path, unsigned limit_mib, unsigned use_mib)
{
	put(bench, path, "memory.max", limit_mib);
	put(bench, path, "memory.current", use_mib);
}

static void guest_in(struct bench *bench, const char *cgroup)
{
	struct guest_facts *guest = snapshot_add_guest(&bench->snapshot);
	snprintf(guest->cgroup, sizeof(guest->cgroup), "%s", cgroup);
}

/* Each guest's pool is the nearest limited cgroup above the domain's own. */
static void every_limited_cgroup_with_guests_is_a_pool(void **state)
{
	struct bench *bench = *state;
	struct collector_env env = {.config = &bench->config, .sys_root = bench->sys};
	bench->config.host.budget.kind = BUDGET_AUTO;
	made_up_file(&bench->made_up, "sys/fs/cgroup/cgroup.controllers", "memory\n");
	put_limited(bench, "/m.slice", 3000, 2000);
	put_limited(bench, "/m.slice/gold", 1500, 100);
	put_limited(bench, "/other", 800, 100);
	put_limited(bench, "/m.slice/gold/1-a.libvirt-qemu", 100, 1);
	guest_in(bench, "/m.slice/gold/1-a.libvirt-qemu/emulator");
	guest_in(bench, "/m.slice/2-b.libvirt-qemu");
	guest_in(bench, "/other/3-c.libvirt-qemu");
	guest_in(bench, "/free/4-d.libvirt-qemu");
	assert_int_equal(collector_cgroup.open(&bench->collector, &env, &bench->err), 0);
	assert_int_equal(
		collector_cgroup.sample(bench->collector, &bench->snapshot, &bench->err),
		0);
	const struct pool_facts *pools = bench->snapshot.pools;
	assert_int_equal(bench->snapshot.pool_count, 3);
	assert_string_equal(pools[0].path, "/m.slice/gold");
	assert_string_equal(pools[1].path, "/m.slice");
	assert_string_equal(pools[2].path, "/other");
	assert_true(pools[0].has_above); /* what is left above is less than its own */
	assert_int_equal(pools[0].above_kib, 1000 * KIB_PER_MIB);
	assert_false(pools[1].has_above || pools[2].has_above);
}

/* Beyond memory.high guests are made to wait, which is where their memory ends. */
static void a_high_mark_below_the_limit_is_the_limit(void **state)
{
	struct bench *bench = *state;
	struct collector_env env = {.config = &bench->config, .sys_root = bench->sys};
	bench->config.host.budget.kind = BUDGET_AUTO;
	made_up_file(&bench->made_up, "sys/fs/cgroup/cgroup.controllers", "memory\n");
	put_limited(bench, "/both", 3000, 1000);
	put(bench, "/both", "memory.high", 2000);
	made_up_file(&bench->made_up, "sys/fs/cgroup/high/memory.max", "max\n");
	put(bench, "/high", "memory.high", 1500);
	put(bench, "/high", "memory.current", 100);
	put_limited(bench, "/max", 800, 100);
	made_up_file(&bench->made_up, "sys/fs/cgroup/max/memory.high", "max\n");
	guest_in(bench, "/both/1-a.libvirt-qemu");
	guest_in(bench, "/high/2-b.libvirt-qemu");
	guest_in(bench, "/max/3-c.libvirt-qemu");
	assert_int_equal(collector_cgroup.open(&bench->collector, &env, &bench->err), 0);
	assert_int_equal(
		collector_cgroup.sample(bench->collector, &bench->snapshot, &bench->err),
		0);
	const struct pool_facts *pools = bench->snapshot.pools;
	assert_int_equal(bench->snapshot.pool_count, 3);
	assert_int_equal(pools[0].limit_kib, 2000 * KIB_PER_MIB);
	assert_int_equal(pools[1].limit_kib, 1500 * KIB_PER_MIB);
	assert_int_equal(pools[2].limit_kib, 800 * KIB_PER_MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			every_limited_cgroup_with_guests_is_a_pool, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_high_mark_below_the_limit_is_the_limit, set_up, tear_down),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
