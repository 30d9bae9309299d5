/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "mom/control/facts_json.h"
#include "mom/mem.h"
#include "mom/share.h"

#define TEXT_MOST 16384

static const char *const shipped[] = {"esx", "fair-share", "guest-qos", "ksm",
	"mom-balloon", "mom-ksm", "night-shift", "proxmox", "squeezed"};

static char *read_policy(const char *name)
{
	const char *root = getenv("top_srcdir");
	auto_free char *path = mem_printf("%s/%s%s.policy", root ? root : ".",
		*name == 't' ? "" : "policies/", name);
	auto_fclose FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	char *text = mem_alloc(TEXT_MOST);
	size_t length = fread(text, 1, TEXT_MOST - 1, file);
	assert_true(length < TEXT_MOST - 1);
	return text;
}

static struct policy_source source_of(const char *name, const char *text)
{
	return (struct policy_source){.name = name, .text = text, .length = strlen(text)};
}

static void they_pass_the_check_without_a_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		auto_free char *text = read_policy(shipped[i]);
		struct policy_source source = source_of(shipped[i], text);
		struct policy_notes notes = {0};
		policy_set_check(NULL, &source, &notes, NULL);
		if (notes.count)
			fail_msg("%s:%u: %s", shipped[i], notes.items[0].line,
				notes.items[0].text);
		policy_notes_done(&notes);
	}
}

static void they_run_side_by_side(void **state)
{
	(void)state;
	struct policy_set *set = policy_set_new(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		auto_free char *text = read_policy(shipped[i]);
		struct policy_source source = source_of(shipped[i], text);
		struct err err;
		if (policy_set_load(set, &source, NULL, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(policy_set_count(set), ARRAY_SIZE(shipped));
	policy_set_free(set);
}

static void they_are_in_canonical_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		auto_free char *text = read_policy(shipped[i]);
		struct policy_source source = source_of(shipped[i], text);
		auto_free char *formatted = policy_format(&source, NULL);
		assert_string_equal(formatted, text);
	}
}

/* "vm1=500 ksm_run=1": all that a policy sets on these facts. */
static char *decide(const char *name, const char *facts_text)
{
	auto_free char *text = read_policy(name);
	struct policy_source source = source_of(name, text);
	struct policy_outcome outcome = {0};
	struct facts_json facts;
	struct err err;
	if (facts_json_read(&facts, "facts", facts_text, strlen(facts_text), &err) < 0)
		fail_msg("%s", err.text);
	struct policy_set *set = policy_set_new(NULL);
	assert_int_equal(policy_set_load(set, &source, NULL, NULL), 0);
	policy_run(set, &facts.facts, share_divide, &outcome);
	if (outcome.message_count)
		fail_msg("%s:%u: %s", name, outcome.messages[0].line,
			outcome.messages[0].text);
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	for (size_t i = 0; i < outcome.wish_count; i++)
		if (outcome.wishes[i].has_target)
			fprintf(out, "vm%zu=%llu ", i + 1,
				(unsigned long long)outcome.wishes[i].target_kib);
	for (size_t i = 0; i < HOST_KNOB_COUNT; i++)
		if (outcome.knobs[i].has_value)
			fprintf(out, "knob%zu=%lld ", i,
				(long long)outcome.knobs[i].value);
	fclose(out);
	policy_outcome_done(&outcome);
	policy_set_free(set);
	facts_json_done(&facts);
	return result;
}

static void decides(const char *name, const char *facts, const char *wanted)
{
	auto_free char *result = decide(name, facts);
	assert_string_equal(result, wanted);
}

/* A guest of 500000 KiB on a host of 1000000. */
static void balloons(int host_free, int min, int max, int unused, const char *wanted)
{
	auto_free char *facts = mem_printf(
		"{\"host\": {\"mem_available\": 1000000, \"mem_free\": %d}, \"guests\": "
		"[{\"balloon_cur\": 500000, \"balloon_min\": %d, \"balloon_max\": %d, "
		"\"mem_unused\": %d}, {\"balloon_cur\": 500000, \"balloon_max\": 500001, "
		"\"balloon_min\": 0}]}",
		host_free, min, max, unused);
	decides("mom-balloon", facts, wanted);
}

static void mom_balloon_shrinks_and_grows_as_mom_does(void **state)
{
	(void)state;
	balloons(100000, 0, 800000, 300000, "vm1=475000 "); /* one step */
	balloons(100000, 0, 800000, 40000, "");             /* it needs all it has */
	balloons(40000, 0, 800000, 10000, "vm1=485000 ");   /* under what it uses */
	balloons(100000, 490000, 800000, 400000, "vm1=490000 ");
	balloons(100000, 499000, 800000, 400000, ""); /* too small a step */
	balloons(300000, 0, 800000, 300000, "vm1=525000 ");
	balloons(300000, 0, 800000, 10000, "vm1=590000 "); /* used and a fifth */
	balloons(300000, 0, 510000, 300000, "vm1=510000 ");
	balloons(300000, 0, 501000, 300000, "");
}

static void merges(int mem_free, int shareable, int pages, const char *wanted)
{
	auto_free char *facts = mem_printf(
		"{\"host\": {\"mem_available\": 16777216, \"mem_free\": %d, \"ksm_run\": "
		"1, \"ksm_shareable\": %d, \"ksm_pages_to_scan\": %d}}",
		mem_free, shareable, pages);
	decides("mom-ksm", facts, wanted);
}

static void mom_ksm_merges_as_mom_does(void **state)
{
	(void)state;
	merges(9000000, 1000000, 100, "knob0=0 ");
	merges(9000000, 15000000, 500, "knob0=1 knob1=450 knob2=10 ");
	merges(9000000, 15000000, 70, "knob0=1 knob1=64 knob2=10 ");
	merges(1000000, 1000000, 100, "knob0=1 knob1=400 knob2=10 ");
	merges(1000000, 1000000, 1100, "knob0=1 knob1=1250 knob2=10 ");
	decides("mom-ksm", "{\"host\": {\"mem_available\": 1000, \"mem_free\": 1}}", "");
}

/* Host.worst_state, ksmd's share in percent, pages now, saving in KiB. */
static void weighs(
	const char *worst, const char *cpu, int pages, int saved, const char *wanted)
{
	auto_free char *facts =
		mem_printf("{\"host\": {\"worst_state\": \"%s\", \"ksm_run\": 1, "
			   "\"ksm_pages_to_scan\": %d, \"ksm_shareable\": 1000000, "
			   "\"ksm_full_scans\": 3, \"ksm_general_profit\": %d%s%s}}",
			worst, pages, saved, *cpu ? ", \"ksmd_cpu_usage\": " : "", cpu);
	decides("ksm", facts, wanted);
}

static void ksm_weighs_saving_against_processor_time(void **state)
{
	(void)state;
	weighs("roomy", "2.0", 500, 50000, "knob0=0 ");
	weighs("snug", "2.5", 500, 50000, "knob0=1 knob1=1000 "); /* may take twice */
	weighs("snug", "20.0", 500, 50000, "knob0=1 knob1=250 ");
	weighs("snug", "5.2", 500, 50000, "knob0=1 knob1=500 ");
	weighs("snug", "2.5", 500, 900, "knob0=1 knob1=64 "); /* saves too little */
	weighs("tight", "20.0", 500, 50000, "knob0=1 knob1=625 ");
	weighs("tight", "20.0", 500, 900, "knob0=1 knob1=250 "); /* not worth so much */
	weighs("critical", "0.0", 4000, 50000, "knob0=1 knob1=5000 ");
	weighs("tight", "", 500, 50000, "knob0=1 knob1=500 "); /* ksmd isn't seen */
	decides("ksm", "{\"host\": {\"worst_state\": \"tight\"}}", "");
}

static void fair_share_divides_what_there_is(void **state)
{
	(void)state;
	const char *facts =
		"{\"host\": {\"divisible\": 366592}, \"guests\": ["
		"{\"demand\": 10240, \"min\": 0, \"limit\": 262144, "
		"\"shares\": 1000, \"managed\": true},"
		"{\"demand\": 204800, \"min\": 0, \"limit\": 262144, "
		"\"shares\": 1000},"
		"{\"min\": 0, \"limit\": 262144, \"shares\": 1000},"
		"{\"demand\": 1024, \"min\": 0, \"limit\": 262144, \"shares\": "
		"1000, \"managed\": false}]}";
	decides("fair-share", facts, "vm1=110336 vm2=256256 ");
}

static void guest_qos_raises_who_is_under_its_minimum(void **state)
{
	(void)state;
	decides("guest-qos",
		"{\"guests\": [{\"balloon_cur\": 100, \"balloon_min\": 300},"
		"{\"balloon_cur\": 400, \"balloon_min\": 300}, {\"balloon_min\": 9}]}",
		"vm1=300 ");
}

static void squeezed_gives_everybody_the_same_fraction(void **state)
{
	(void)state;
	decides("squeezed",
		"{\"host\": {\"available\": 73728}, \"guests\": [{\"balloon_cur\": 600, "
		"\"min\": 100, \"limit\": 1100}, {\"balloon_cur\": 400, \"min\": 200, "
		"\"limit\": 600}]}",
		"vm1=600 vm2=400 ");
	decides("squeezed",
		"{\"host\": {\"available\": 99999}, \"guests\": [{\"balloon_cur\": 600, "
		"\"min\": 100, \"limit\": 1100}]}",
		"vm1=1100 ");
}

static void esx_asks_for_memory_only_when_it_is_short(void **state)
{
	(void)state;
	decides("esx",
		"{\"host\": {\"mem_available\": 100000000, \"available\": 2000000, "
		"\"divisible\": 1000}, \"guests\": [{\"used\": 100, \"min\": 50, "
		"\"limit\": 900, \"shares\": 1000}]}",
		"vm1=900 ");
	decides("esx",
		"{\"host\": {\"mem_available\": 100000000, \"available\": 1000, "
		"\"divisible\": 1000}, \"guests\": [{\"used\": 100, \"min\": 50, "
		"\"limit\": 900, \"shares\": 1000}, {\"used\": 700, \"min\": 50, "
		"\"limit\": 900, \"shares\": 1000}]}",
		"vm1=275 vm2=725 ");
}

static void night_shift_weighs_by_the_hour(void **state)
{
	(void)state;
	char text[512];
	for (int hour = 0; hour < 24; hour += 11) {
		snprintf(text, sizeof(text),
			"{\"host\": {\"time_hour\": %d, \"divisible\": 1000}, "
			"\"guests\": "
			"[{\"name\": \"desk-1\", \"demand\": 900, \"min\": 0, \"limit\": "
			"1000, \"shares\": 1000}, {\"name\": \"batch-1\", \"demand\": "
			"900, \"min\": 0, \"limit\": 1000, \"shares\": 1000}]}",
			hour);
		decides("night-shift", text,
			hour == 11 ? "vm1=800 vm2=200 " : "vm1=200 vm2=800 ");
	}
}

static void proxmox_moves_towards_its_goal_in_steps(void **state)
{
	(void)state;
	/* 200 MiB to give: the one above its fair size shrinks, the other grows. */
	decides("proxmox",
		"{\"host\": {\"mem_available\": 16777216, \"usable\": 3560244}, "
		"\"guests\": [{\"balloon_cur\": 6144000, \"balloon_min\": 1048576, "
		"\"limit\": 8388608, \"mem_unused\": 1000, \"shares\": 1000}, "
		"{\"balloon_cur\": 1126400, \"balloon_min\": 1048576, \"limit\": "
		"8388608, "
		"\"mem_unused\": 1000, \"shares\": 1000}]}",
		"vm1=6041600 vm2=1228800 ");
	/* Within the slack nothing moves. */
	decides("proxmox",
		"{\"host\": {\"mem_available\": 16777216, \"usable\": 3355500}, "
		"\"guests\": [{\"balloon_cur\": 6144000, \"balloon_min\": 1048576, "
		"\"limit\": 8388608, \"mem_unused\": 1000, \"shares\": 1000}]}",
		"");
	/* Memory is needed: the one at ease gives, the other keeps. */
	decides("proxmox",
		"{\"host\": {\"mem_available\": 16777216, \"usable\": 3300000}, "
		"\"guests\": [{\"balloon_cur\": 6144000, \"balloon_min\": 1048576, "
		"\"limit\": 8388608, \"mem_unused\": 1000000, \"shares\": 1000}, "
		"{\"balloon_cur\": 2126400, \"balloon_min\": 1048576, \"limit\": "
		"8388608, "
		"\"mem_unused\": 1000, \"shares\": 1000}]}",
		"vm1=6088556 ");
}

static void policies_written_for_mom_run_unchanged(void **state)
{
	(void)state;
	const char *name = "tests/fixtures/policy/as-mom";
	auto_free char *text = read_policy(name);
	struct policy_source source = source_of("as-mom", text);
	struct policy_notes notes = {0};
	assert_int_equal(policy_set_check(NULL, &source, &notes, NULL), 0);
	assert_true(notes.count > 5); /* but not without a word */
	policy_notes_done(&notes);
	decides(name,
		"{\"host\": {\"mem_available\": 16777216, \"mem_free\": 1000000, "
		"\"ksm_shareable\": 1, \"ksm_pages_to_scan\": 1000, \"cpu_count\": 4}, "
		"\"guests\": [{\"name\": \"vm-01\", \"balloon_cur\": 900000, "
		"\"balloon_min\": 0, \"mem_unused\": 500000}, {\"name\": \"vm-02\", "
		"\"balloon_cur\": 900000, \"balloon_min\": 0, \"mem_unused\": 500000}, "
		"{\"name\": \"vm-03\", \"balloon_cur\": 100000, \"balloon_min\": "
		"200000}, {\"name\": \"vm-04\", \"balloon_cur\": 5, \"balloon_min\": "
		"1}]}",
		"vm1=524288 vm2=855000 vm3=200000 knob0=1 knob1=1250 knob2=10 ");
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_pass_the_check_without_a_word),
		cmocka_unit_test(they_run_side_by_side),
		cmocka_unit_test(they_are_in_canonical_layout),
		cmocka_unit_test(mom_balloon_shrinks_and_grows_as_mom_does),
		cmocka_unit_test(mom_ksm_merges_as_mom_does),
		cmocka_unit_test(ksm_weighs_saving_against_processor_time),
		cmocka_unit_test(fair_share_divides_what_there_is),
		cmocka_unit_test(guest_qos_raises_who_is_under_its_minimum),
		cmocka_unit_test(squeezed_gives_everybody_the_same_fraction),
		cmocka_unit_test(esx_asks_for_memory_only_when_it_is_short),
		cmocka_unit_test(night_shift_weighs_by_the_hour),
		cmocka_unit_test(proxmox_moves_towards_its_goal_in_steps),
		cmocka_unit_test(policies_written_for_mom_run_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
