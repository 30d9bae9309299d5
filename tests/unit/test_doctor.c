/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/doctor.h"

/* What a fault of a real definition makes `momctl doctor` say is tried by
 * tests/cli/troubleshooting.test; here is what it makes of facts by themselves. */

#define MIB KIB_PER_MIB

static struct fact mib(uint64_t size)
{
	return (struct fact){true, size * MIB};
}

/* A guest without a fault, and a host that has room for it. */
static struct doctor_guest well(const char *name)
{
	return (struct doctor_guest){
		.name = name,
		.state = "managed",
		.quality = "good",
		.run = "running",
		.os = "debian.org/debian/12",
		.cgroup = "",
		.settings_trouble = "",
		.max = mib(800),
		.limit = mib(800),
		.min = mib(256),
		.actual = mib(800),
		.used = mib(200),
		.rss = mib(832),
		.overhead = mib(32),
		.managed = true,
		.built = true,
		.acpi = true,
		.balloon = true,
		.autodeflate = true,
		.free_page_reporting = true,
		.stats_period = {true, 1},
		.disks[0] = {"vda", "virtio", "none", false},
		.disk_count = 1,
		.nics[0] = {"52:54:00:00:00:01", "virtio"},
		.nic_count = 1,
	};
}

static struct doctor host_with(struct doctor_guest *guests, size_t count)
{
	return (struct doctor){
		.host = {.mem_total = mib(4096),
			.mem_available = mib(2048),
			.swap_total = mib(1024),
			.swap_free = mib(1024),
			.ksm_run = {true, 1}},
		.has_momd = true,
		.connected = true,
		.state = "snug",
		.uri = "qemu:///system",
		.policies = {true, 1},
		.guests = guests,
		.guest_count = count,
	};
}

/* The ids of all that is found, with blanks between. */
static char *found(const struct doctor *all)
{
	struct findings findings;
	char *ids = mem_dup("");
	doctor_examine(all, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		const struct finding *finding = &findings.items[i];
		char *longer = mem_printf("%s%s%s%s%s", ids, *ids ? " " : "",
			finding->guest ? finding->guest->name : "",
			finding->guest ? ":" : "", finding->rule->id);
		free(ids);
		ids = longer;
	}
	findings_done(&findings);
	return ids;
}

static void assert_found(const struct doctor *all, const char *ids)
{
	auto_free char *have = found(all);
	assert_string_equal(have, ids);
}

static void nothing_is_found_where_nothing_is_wrong(void **state)
{
	(void)state;
	struct doctor_guest guests[] = {well("a"), well("b")};
	struct doctor all = host_with(guests, 2);
	assert_found(&all, "");
}

/* A guest that nothing is known of is no patient: its state tells what it is. */
static void what_is_not_known_is_no_fault(void **state)
{
	(void)state;
	struct doctor_guest unknown = {.name = "a",
		.state = "new",
		.quality = "unknown",
		.run = "running",
		.managed = true};
	struct doctor all = host_with(&unknown, 1);
	all.host = (struct doctor_host){0};
	assert_found(&all, "");
}

static void the_gravest_comes_first(void **state)
{
	(void)state;
	struct doctor_guest guests[] = {well("a"), well("b")};
	struct doctor all = host_with(guests, 2);
	struct findings findings;
	guests[0].autodeflate = false;
	guests[0].acpi = false;
	guests[1].quality = "none";
	all.host.swap_total = all.host.swap_free = mib(0);
	assert_found(&all, "b:no-balloon no-swap a:no-acpi a:no-autodeflate");
	doctor_examine(&all, &findings);
	assert_int_equal(findings.worst, SEVERITY_SERIOUS);
	findings_done(&findings);
}

/* The cache mode that is right for one system is wrong for the other. */
static void caches_are_weighed_by_system(void **state)
{
	(void)state;
	static const struct {
		const char *cache, *others, *windows;
	} modes[] = {
		{"none", "", "a:cached-nowhere"},
		{"writeback", "a:cached-twice", ""},
		{"", "a:cached-twice", ""},
		{"writethrough", "a:writethrough", "a:writethrough"},
		{"directsync", "a:directsync", "a:directsync"},
		{"unsafe", "a:unsafe", "a:unsafe"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct doctor_guest guest = well("a");
		struct doctor all = host_with(&guest, 1);
		guest.disks[0].cache = modes[i].cache;
		assert_found(&all, modes[i].others);
		guest.windows = true;
		assert_found(&all, modes[i].windows);
		guest.disks[0].remote = true;
		assert_found(&all, "");
	}
}

static void each_disk_is_told_of(void **state)
{
	(void)state;
	struct doctor_guest guest = well("a");
	struct doctor all = host_with(&guest, 1);
	guest.disks[1] = (struct doctor_disk){"hdb", "ide", "writethrough", false};
	guest.disk_count = 2;
	assert_found(&all, "a:writethrough a:slow-disk");
}

/* Memory and swap against what all guests may take at once. */
static void a_restart_of_all_is_reckoned_with(void **state)
{
	(void)state;
	struct doctor_guest guests[] = {well("a"), well("b"), well("c")};
	struct doctor all = host_with(guests, 3);
	/* 3 x 832 MiB; 2,048 are left, and 3 x 200 are guests' already */
	for (size_t i = 0; i < 3; i++)
		guests[i].rss = mib(200);
	assert_found(&all, "");
	all.host.mem_available = mib(1024);
	assert_found(&all, "restart-swaps");
	all.host.swap_free = mib(512);
	assert_found(&all, "restart-short");
	/* what lies on huge pages is set aside already */
	guests[0].hugepages = true;
	all.host.swap_free = mib(1024);
	assert_found(&all, "a:huge-pages restart-swaps");
}

static void ksm_that_a_policy_sets_may_be_off(void **state)
{
	(void)state;
	struct doctor_guest guests[] = {well("a"), well("b")};
	struct doctor all = host_with(guests, 2);
	all.host.ksm_run.value = 0;
	assert_found(&all, "ksm-off");
	all.ksm_policy = true;
	assert_found(&all, "");
	all.ksm_policy = false;
	all.guest_count = 1; /* nothing to be merged with */
	assert_found(&all, "");
}

static void a_momd_that_cannot_be_asked(void **state)
{
	(void)state;
	struct doctor all = host_with(NULL, 0);
	all.has_momd = all.connected = false;
	all.momd_says = "momd is not running";
	assert_found(&all, "no-momd");
	all.denied = true;
	assert_found(&all, "no-access");
	all = host_with(NULL, 0);
	all.read_only = true;
	assert_found(&all, "only-reads");
	all.connected = false;
	assert_found(&all, "no-libvirt");
}

/* What is about the machine isn't told of one guest; what hinders moving it, is. */
static void one_guest_alone(void **state)
{
	(void)state;
	struct doctor_guest guest = well("a");
	struct doctor all = host_with(&guest, 1);
	all.alone = true;
	all.dry_run = true;
	all.host.swap_total.value = all.host.swap_free.value = 0;
	assert_found(&all, "dry-run");
}

/* ---- texts ---- */

static void says(const char *text, const struct doctor *all,
	const struct finding *finding, const char *wanted)
{
	auto_free char *have = doctor_text(text, all, finding, false);
	assert_string_equal(have, wanted);
}

static void names_are_words_of_a_shell(void **state)
{
	(void)state;
	struct doctor_guest guest = well("web1");
	struct doctor all = host_with(&guest, 1);
	struct finding finding = {.guest = &guest};
	static const struct {
		const char *name, *word;
	} names[] = {
		{"web1", "web1"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"$(reboot)", "'$(reboot)'"},
		{"-f", "'-f'"},
		{"{guest}|x|", "'{guest}|x|'"},
		{"новый", "'новый'"},
		{"", "''"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		guest.name = names[i].name;
		auto_free char *wanted = mem_printf("virsh resume %s", names[i].word);
		says("{virsh} resume {name}", &all, &finding, wanted);
	}
}

static void commands_go_where_the_guests_are(void **state)
{
	(void)state;
	struct doctor_guest guest = well("a");
	struct doctor all = host_with(&guest, 1);
	struct finding finding = {.guest = &guest};
	all.uri = "qemu+ssh://root@host/system?x=1";
	says("{virt-xml} {name}", &all, &finding,
		"virt-xml -c 'qemu+ssh://root@host/system?x=1' a");
	all.uri = "";
	says("{virsh} {name}", &all, &finding, "virsh a");
}

static void what_is_not_known_is_left_out(void **state)
{
	(void)state;
	struct doctor all = host_with(NULL, 0);
	struct finding finding = {.size = mib(412)};
	says("twice|: {size} now|", &all, &finding, "twice: 412 MiB now");
	says("at least {size.M}, {size.k} KiB", &all, &finding,
		"at least 412MiB, 421888 KiB");
	finding.size.known = false;
	says("twice|: {size} now|", &all, &finding, "twice");
	says("held| for {span}|", &all, &finding, "held");
	finding.seconds = 90;
	says("held| for {span}|", &all, &finding, "held for 1min 30s");
	finding.size = (struct fact){true, 1025};
	says("{size.M}", &all, &finding, "2MiB"); /* never less than it is */
}

/* Every blank of the table is one that can be filled, every bar has its other. */
static void the_table_has_no_slips(void **state)
{
	(void)state;
	struct doctor_guest guest = well("a");
	struct doctor all = host_with(&guest, 1);
	const struct doctor_pool pool = {.path = "/x"};
	const struct doctor_rival rival = {"p", "i"};
	guest.pid = (struct fact){true, 1};
	const struct finding full = {
		.guest = &guest,
		.disk = &guest.disks[0],
		.nic = &guest.nics[0],
		.pool = &pool,
		.rival = &rival,
		.size = mib(1),
		.other = mib(1),
		.seconds = 1,
		.word = "w",
	};
	for (const struct rule *rule = doctor_rules; rule->id; rule++) {
		const char *const texts[] = {rule->says, rule->costs, rule->mends};
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			auto_free char *text = doctor_text(texts[i], &all, &full, false);
			if (!*text || strpbrk(text, "?|{}"))
				fail_msg("%s: \"%s\"", rule->id, text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_where_nothing_is_wrong),
		cmocka_unit_test(what_is_not_known_is_no_fault),
		cmocka_unit_test(the_gravest_comes_first),
		cmocka_unit_test(caches_are_weighed_by_system),
		cmocka_unit_test(each_disk_is_told_of),
		cmocka_unit_test(a_restart_of_all_is_reckoned_with),
		cmocka_unit_test(ksm_that_a_policy_sets_may_be_off),
		cmocka_unit_test(a_momd_that_cannot_be_asked),
		cmocka_unit_test(one_guest_alone),
		cmocka_unit_test(names_are_words_of_a_shell),
		cmocka_unit_test(commands_go_where_the_guests_are),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(the_table_has_no_slips),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
