/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/collector.h"
#include "mom/hypervisor.h"
#include "mom/units.h"
#include "tests/unit/made_up.h"

extern const struct collector collector_guests;

/* A hypervisor with one guest, whose process is a made-up one. */
static void sample_one(void *self, struct snapshot *into)
{
	(void)self;
	struct guest_facts *facts = snapshot_add_guest(into);
	snprintf(facts->uuid, sizeof(facts->uuid),
		"11111111-2222-3333-4444-555555555555");
	facts->pid = 77;
	facts->sample.max_kib = 800 * KIB_PER_MIB;
}

static const struct hypervisor one_guest = {.name = "one", .sample = sample_one};

static void process_has(const struct made_up *made_up, unsigned private_mib)
{
	made_up_file(made_up, "77/status",
		"VmRSS:\t 40000 kB\nRssAnon:\t 40000 kB\nRssFile:\t 0 kB\n"
		"RssShmem:\t 0 kB\nVmPTE:\t 512 kB\nVmSwap:\t 0 kB\n");
	made_up_file(made_up, "77/cgroup", "0::/guests\n");
	made_up_file(made_up, "77/smaps",
		"7f0000000000-7f0032000000 rw-p 00000000 00:00 0 \n"
		"Size: 819200 kB\nPrivate_Dirty: 1000 kB\nSwap: 0 kB\n"
		"7f0040000000-7f0050000000 rw-p 00000000 00:00 0 \n"
		"Size: 262144 kB\nPrivate_Dirty: %u kB\nSwap: 0 kB\n",
		private_mib * 1024);
}

static uint64_t overhead_with(unsigned private_mib)
{
	struct made_up made_up;
	struct snapshot snapshot = {0};
	struct err err;
	void *self = NULL;
	made_up_init(&made_up);
	process_has(&made_up, private_mib);
	struct collector_env env = {
		.hypervisor = &one_guest,
		.proc_root = made_up.root,
	};
	assert_int_equal(collector_guests.open(&self, &env, &err), 0);
	assert_int_equal(collector_guests.sample(self, &snapshot, &err), 0);
	assert_int_equal(snapshot.guest_count, 1);
	assert_true(snapshot.guests[0].sample.has_overhead);
	uint64_t overhead = snapshot.guests[0].sample.overhead_kib;
	collector_guests.close(self);
	snapshot_done(&snapshot);
	made_up_done(&made_up);
	return overhead;
}

/* What QEMU takes grows while its guest boots: the first look must not be believed. */
static void test_new_guest_costs_what_an_unknown_one_does(void **state)
{
	(void)state;
	assert_int_equal(overhead_with(20), OVERHEAD_UNKNOWN + 512);
	assert_int_equal(overhead_with(90), 90 * KIB_PER_MIB + 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_guest_costs_what_an_unknown_one_does),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
