/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the kernel doesn't tell of in one figure: ZFS's cache, NUMA nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collectors/arc.h"
#include "mom/collector.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

extern const struct collector collector_meminfo, collector_numa;

#define ARCSTATS "spl/kstat/zfs/arcstats"
#define GIB      (1ull << 30)

static int set_up(void **state)
{
	struct made_up *made_up = mem_alloc(sizeof(*made_up));
	made_up_init(made_up);
	*state = made_up;
	return 0;
}

static int tear_down(void **state)
{
	made_up_done(*state);
	free(*state);
	return 0;
}

static uint64_t reclaimable_gib(struct made_up *made_up)
{
	int fd = arc_open(made_up->root);
	uint64_t kib = arc_reclaimable_kib(fd);
	if (fd >= 0)
		close(fd);
	return kib / KIB_PER_GIB;
}

static void e65_a_host_without_zfs_has_no_such_cache(void **state)
{
	assert_int_equal(reclaimable_gib(*state), 0);
}

static void e65_what_the_cache_gives_back_counts_in_part(void **state)
{
	struct made_up *made_up = *state;
	made_up_file(made_up, ARCSTATS,
		"13 1 0x01 123 33456 7 8\nname                            type data\n"
		"hits                            4    99\nc                       4    "
		"1\n"
		"c_min                           4    %llu\n"
		"size                            4    %llu\n",
		4 * GIB, 12 * GIB);
	assert_int_equal(reclaimable_gib(made_up), 6);
	made_up_file(made_up, ARCSTATS,
		"c_min 4 %llu\nsize 4 %llu\nmru_evictable_data 4 %llu\n"
		"mru_evictable_metadata 4 0\nmfu_evictable_data 4 %llu\n"
		"mfu_evictable_metadata 4 0\n",
		4 * GIB, 12 * GIB, 1 * GIB, 3 * GIB);
	assert_int_equal(reclaimable_gib(made_up), 3);
	made_up_file(made_up, ARCSTATS, "c_min 4 %llu\nsize 4 %llu\n", 12 * GIB, 4 * GIB);
	assert_int_equal(reclaimable_gib(made_up), 0);
	made_up_file(made_up, ARCSTATS, "size of nothing\nc_min 4\n");
	assert_int_equal(reclaimable_gib(made_up), 0);
}

static void sample(
	const struct collector *collector, struct made_up *made_up, struct snapshot *into)
{
	struct collector_env env = {
		.proc_root = made_up->root, .sys_root = made_up->root};
	struct err err = {0};
	void *self = NULL;
	assert_int_equal(collector->open(&self, &env, &err), 0);
	assert_int_equal(collector->sample(self, into, &err), 0);
	collector->close(self);
}

/* The real host's memory, with a made-up cache that is larger than any. */
static void e65_it_is_part_of_what_the_host_can_use(void **state)
{
	struct made_up *made_up = *state;
	struct snapshot with = {0}, without = {0};
	sample(&collector_meminfo, made_up, &without);
	made_up_file(made_up, ARCSTATS, "c_min 4 0\nsize 4 %llu\n", 1ull << 50);
	sample(&collector_meminfo, made_up, &with);
	assert_true(without.host.mem_usable_kib < without.host.mem_total_kib);
	assert_int_equal(with.host.mem_usable_kib, with.host.mem_total_kib);
}

static void put_node(
	struct made_up *made_up, unsigned node, uint64_t free_mib, uint64_t file_mib)
{
	auto_free char *name = mem_printf("devices/system/node/node%u/meminfo", node);
	made_up_file(made_up, name,
		"Node %u MemTotal:       16777216 kB\nNode %u MemFree:        %llu kB\n"
		"Node %u Inactive(file): %llu kB\n",
		node, node, (unsigned long long)free_mib * 1024, node,
		(unsigned long long)file_mib * 1024);
}

static void e72_a_node_that_runs_short_is_told(void **state)
{
	struct made_up *made_up = *state;
	struct snapshot snapshot = {0};
	char text[NODE_TEXT_MAX];
	made_up_file(made_up, "devices/system/node/online", "0-1\n");
	put_node(made_up, 0, 12000, 0);
	put_node(made_up, 1, 100, 20);
	sample(&collector_numa, made_up, &snapshot);
	assert_true(snapshot.has_short_node);
	assert_int_equal(snapshot.short_node.number, 1);
	assert_int_equal(snapshot.short_node.left_kib, 120 * KIB_PER_MIB);
	assert_non_null(strstr(snapshot_node_text(text, &snapshot),
		"node 1 has 120 MiB left of 16.0 GiB"));
}

static void e72_files_on_a_node_can_go(void **state)
{
	struct snapshot snapshot = {0};
	put_node(*state, 0, 12000, 0);
	put_node(*state, 1, 100, 2000);
	sample(&collector_numa, *state, &snapshot);
	assert_false(snapshot.has_short_node);
}

/* There the node is the host, and the host's own figures tell. */
static void e72_one_node_is_no_news(void **state)
{
	struct snapshot snapshot = {0};
	put_node(*state, 0, 10, 0);
	sample(&collector_numa, *state, &snapshot);
	assert_false(snapshot.has_short_node);
}

static void e72_a_host_without_nodes_is_none_short(void **state)
{
	struct snapshot snapshot = {0};
	sample(&collector_numa, *state, &snapshot);
	assert_false(snapshot.has_short_node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		TEST(e65_a_host_without_zfs_has_no_such_cache),
		TEST(e65_what_the_cache_gives_back_counts_in_part),
		TEST(e65_it_is_part_of_what_the_host_can_use),
		TEST(e72_a_node_that_runs_short_is_told),
		TEST(e72_files_on_a_node_can_go),
		TEST(e72_one_node_is_no_news),
		TEST(e72_a_host_without_nodes_is_none_short),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
