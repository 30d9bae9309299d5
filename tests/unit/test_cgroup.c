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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_version, set_up, tear_down),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
