/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metrics of a daemon on the made-up host: figures that are right, names from outside
 * that break nothing, and bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mom/daemon.h"
#include "mom/mem.h"
#include "mom/metrics.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

static struct rig rig;
static struct daemon daemon_;
static char *text;

static int begin(void **state)
{
	(void)state;
	rig_init(&rig, 4096 * MIB);
	daemon_ = (struct daemon){.started_at_ms = 1500};
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(take(text));
	rig_done(&rig);
	return 0;
}

/* What a scrape would have got now. */
static const char *scrape(enum metrics_format format)
{
	daemon_.engine = rig.engine;
	free(text);
	text = metrics_build(&daemon_, format);
	return text;
}

static void assert_line(const char *line)
{
	auto_free char *whole = mem_printf("\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line \"%s\"", line);
}

static void assert_none(const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is there", part);
}

static size_t count(const char *part)
{
	size_t found = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		found++;
	return found;
}

/* The value of the sample that begins so. */
static uint64_t value(const char *sample)
{
	auto_free char *line = mem_printf("\n%s ", sample);
	const char *at = strstr(text, line);
	if (!at)
		fail_msg("no sample \"%s\"", sample);
	return strtoull(at + strlen(line), NULL, 10);
}

static void figures_are_the_engines_in_bytes(void **state)
{
	(void)state;
	fake_add(&rig.fake, "win", 800 * MIB, 300 * MIB);
	fake_add(&rig.fake, "db", 1000 * MIB, 700 * MIB);
	rig_open(&rig, "");
	rig_run(&rig, 20000);
	scrape(METRICS_PROMETHEUS);
	const struct pool *host = &rig.engine.pools.items[0];
	const struct guest_sample *win = &rig_guest(&rig, 0)->facts.sample;
	assert_int_equal(
		value("mom_host_available_bytes"), host->sample.available_kib * 1024);
	assert_int_equal(value("mom_host_guests"), 2);
	assert_int_equal(value("mom_host_promised_bytes"), 1800 * MIB * 1024);
	assert_int_equal(value("mom_guest_max_bytes{guest=\"win\"}"), 800 * MIB * 1024);
	assert_int_equal(
		value("mom_guest_balloon_bytes{guest=\"win\"}"), win->actual_kib * 1024);
	assert_int_equal(value("mom_guest_used_bytes{guest=\"db\"}"),
		rig_guest(&rig, 1)->facts.sample.used_kib * 1024);
	assert_int_equal(value("mom_ticks_total"), rig.engine.ticks);
	assert_int_equal(value("mom_orders_total{direction=\"grow\"}") +
				 value("mom_orders_total{direction=\"shrink\"}"),
		rig.engine.orders);
	assert_int_equal(
		value("mom_order_answers_total{answer=\"taken\"}"), rig.engine.orders);
	assert_line("mom_hypervisor_connected 1");
	assert_line("process_start_time_seconds 1.5");
	assert_true(value("process_resident_memory_bytes") > 1024 * 1024);
}

static void each_state_is_told(void **state)
{
	(void)state;
	struct fake_guest *stuck = fake_add(&rig.fake, "stuck", 2000 * MIB, 200 * MIB);
	stuck->obey = OBEY_NEVER;
	fake_add(&rig.fake, "deaf", 2000 * MIB, 200 * MIB)->no_device = true;
	fake_add(&rig.fake, "greedy", 2000 * MIB, 1900 * MIB);
	rig_open(&rig, "balloon = { stuck = \"2s\"; };");
	rig_run(&rig, 60000);
	scrape(METRICS_PROMETHEUS);
	assert_line("mom_guest_state{guest=\"stuck\",state=\"stuck\"} 1");
	assert_line("mom_guests{state=\"stuck\"} 1");
	assert_line("mom_guest_statistics{guest=\"deaf\",quality=\"none\"} 1");
	assert_line("mom_guests_by_statistics{quality=\"none\"} 1");
	assert_int_equal(count("\nmom_host_state{"), HOST_STATE_COUNT);
	auto_free char *line = mem_printf("mom_host_state{state=\"%s\"} 1",
		host_state_name(rig.engine.pools.items[0].sample.state));
	assert_line(line);
	assert_int_equal(count("mom_host_state{"), 5);
	assert_int_equal(
		value("mom_decisions_total{decision=\"ordered\"}"), rig.engine.orders);
}

static void a_limited_cgroup_is_a_pool(void **state)
{
	(void)state;
	rig.fake.cgroups[rig.fake.cgroup_count++] =
		(struct fake_cgroup){.path = "/ma\"chine", .limit_kib = 1000 * MIB};
	strcpy(fake_add(&rig.fake, "in", 800 * MIB, 300 * MIB)->cgroup, "/ma\"chine/in");
	rig_open(&rig, "");
	rig_run(&rig, 5000);
	scrape(METRICS_PROMETHEUS);
	assert_int_equal(value("mom_pool_guests{pool=\"/ma\\\"chine\"}"), 1);
	assert_int_equal(count("\nmom_pool_state{pool=\"/ma\\\"chine\",state=\""), 5);
	assert_non_null(
		strstr(text, "\nmom_guest_info{guest=\"in\",pool=\"/ma\\\"chine\","));
	assert_line("mom_pools_omitted 0");
}

static void what_is_not_known_is_left_out(void **state)
{
	(void)state;
	fake_add(&rig.fake, "deaf", 800 * MIB, 200 * MIB)->no_device = true;
	rig_open(&rig, "");
	rig_run(&rig, 5000);
	scrape(METRICS_PROMETHEUS);
	assert_none("\nmom_guest_used_bytes{");
	assert_none("\nmom_host_ksm_saved_bytes ");
	assert_non_null(strstr(text, "# TYPE mom_guest_used_bytes gauge\n"));
	assert_int_equal(value("mom_guest_max_bytes{guest=\"deaf\"}"), 800 * MIB * 1024);
}

static void names_from_outside_break_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"a\"} 1\nmom_ticks_total 99", "b\\",
		"c\xff\xfe", "c\xfe\xff", "same", "same", "{}", "\xe2\x80\xae,="};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fake_add(&rig.fake, names[i], 400 * MIB, 100 * MIB);
	rig_open(&rig, "");
	rig_run(&rig, 3000);
	scrape(METRICS_PROMETHEUS);
	assert_line(
		"mom_guest_max_bytes{guest=\"a\\\"} 1\\nmom_ticks_total 99\"} 419430400");
	assert_none("\nmom_ticks_total 99");
	assert_line("mom_guest_max_bytes{guest=\"b\\\\\"} 419430400");
	assert_line("mom_guest_max_bytes{guest=\"\xe2\x80\xae,=\"} 419430400");
	assert_none("guest=\"same\"");
	assert_int_equal(count("\nmom_guest_max_bytes{guest=\"same/"), 2);
	assert_none("\xff");
	assert_int_equal(
		count("\nmom_guest_max_bytes{guest=\"c\xef\xbf\xbd\xef\xbf\xbd/"), 2);
	assert_int_equal(count("\nmom_guest_max_bytes{"), ARRAY_SIZE(names));
}

/* One that is called as if it were another that has its UUID behind its name. */
static void nobody_passes_for_another(void **state)
{
	(void)state;
	fake_add(&rig.fake, "same", 400 * MIB, 100 * MIB);
	fake_add(&rig.fake, "same", 400 * MIB, 100 * MIB);
	fake_add(&rig.fake, "same/00000000-0000-4000-8000-000000000000", 400 * MIB,
		100 * MIB);
	rig_open(&rig, "");
	rig_run(&rig, 3000);
	scrape(METRICS_PROMETHEUS);
	assert_int_equal(count("\nmom_guest_max_bytes{guest=\"same/"), 3);
	assert_int_equal(count("\nmom_guest_max_bytes{guest=\"same/"
			       "00000000-0000-4000-8000-000000000000\"}"),
		1);
}

static void more_guests_than_can_be_told_are_counted(void **state)
{
	(void)state;
	for (int i = 0; i < METRICS_GUESTS_MAX + 5; i++) {
		auto_free char *name = mem_printf("guest-%d", i);
		fake_add(&rig.fake, name, 2 * MIB, 1 * MIB);
	}
	rig_open(&rig, "");
	rig_run(&rig, 1000);
	scrape(METRICS_PROMETHEUS);
	assert_int_equal(count("\nmom_guest_max_bytes{"), METRICS_GUESTS_MAX);
	assert_line("mom_guests_omitted 5");
	assert_non_null(strstr(text, "guest=\"guest-999\""));
	assert_null(strstr(text, "guest=\"guest-1000\""));
	assert_int_equal(value("mom_host_guests"), METRICS_GUESTS_MAX + 5);
}

static void openmetrics_has_its_own_ways(void **state)
{
	(void)state;
	fake_add(&rig.fake, "win", 800 * MIB, 300 * MIB);
	rig_open(&rig, "");
	rig_run(&rig, 2000);
	scrape(METRICS_OPENMETRICS);
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	assert_line("# TYPE mom_ticks counter");
	assert_non_null(strstr(text, "\nmom_ticks_total "));
	assert_line("# TYPE mom_build info");
	assert_line("# UNIT mom_guest_used_bytes bytes");
	scrape(METRICS_PROMETHEUS);
	assert_line("# TYPE mom_ticks_total counter");
	assert_line("# TYPE mom_build_info gauge");
	assert_none("# UNIT");
	assert_none("# EOF");
}

static void the_format_is_what_was_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		enum metrics_format format;
	} rows[] = {
		{NULL, METRICS_PROMETHEUS},
		{"", METRICS_PROMETHEUS},
		{"*/*", METRICS_PROMETHEUS},
		{"text/html,application/xhtml+xml,*/*;q=0.8", METRICS_PROMETHEUS},
		{"application/openmetrics-text;version=1.0.0,"
		 "application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			METRICS_OPENMETRICS},
		{"text/plain;q=0.5, Application/OpenMetrics-Text; version=1.0.0",
			METRICS_OPENMETRICS},
		{"application/openmetrics-text;q=0.3,text/plain", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
		{",,;,q=,", METRICS_PROMETHEUS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(metrics_accept(rows[i].accept), rows[i].format);
}

static void times_fall_where_they_belong(void **state)
{
	(void)state;
	rig_open(&rig, "");
	spread_add(&daemon_.tick_time, 0.0002);
	spread_add(&daemon_.tick_time, 0.003);
	spread_add(&daemon_.tick_time, 7);
	scrape(METRICS_PROMETHEUS);
	assert_line("mom_tick_duration_seconds_bucket{le=\"0.0005\"} 1");
	assert_line("mom_tick_duration_seconds_bucket{le=\"0.0025\"} 1");
	assert_line("mom_tick_duration_seconds_bucket{le=\"0.005\"} 2");
	assert_line("mom_tick_duration_seconds_bucket{le=\"1\"} 2");
	assert_line("mom_tick_duration_seconds_bucket{le=\"+Inf\"} 3");
	assert_line("mom_tick_duration_seconds_count 3");
	assert_line("mom_tick_duration_seconds_sum 7.0032");
}

static void before_the_first_tick_there_is_little(void **state)
{
	(void)state;
	rig_open(&rig, "");
	scrape(METRICS_PROMETHEUS);
	assert_line("mom_ticks_total 0");
	assert_none("\nmom_host_available_bytes ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(figures_are_the_engines_in_bytes),
		TEST(each_state_is_told),
		TEST(a_limited_cgroup_is_a_pool),
		TEST(what_is_not_known_is_left_out),
		TEST(names_from_outside_break_nothing),
		TEST(nobody_passes_for_another),
		TEST(more_guests_than_can_be_told_are_counted),
		TEST(openmetrics_has_its_own_ways),
		TEST(the_format_is_what_was_asked_for),
		TEST(times_fall_where_they_belong),
		TEST(before_the_first_tick_there_is_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
