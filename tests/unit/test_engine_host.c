/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <malloc.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/* Hosts, clocks and hypervisors that misbehave, under the whole engine. */

#define MAX (800 * MIB)

static void add_guests(struct rig *rig, size_t count, uint64_t used_kib)
{
	for (size_t i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "vm%zu", rig->fake.count);
		fake_add(&rig->fake, name, MAX, used_kib);
	}
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	rig_init(rig, 3000 * MIB);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_done(*state);
	free(*state);
	return 0;
}

static unsigned turns_of_all(const struct rig *rig)
{
	unsigned turns = 0;
	for (size_t i = 0; i < rig->fake.count; i++)
		turns += rig->fake.guests[i].turns;
	return turns;
}

static uint64_t moved_by_all(const struct rig *rig)
{
	uint64_t moved_kib = 0;
	for (size_t i = 0; i < rig->fake.count; i++)
		moved_kib += rig->fake.guests[i].moved_kib;
	return moved_kib;
}

static void assert_sane(const struct rig *rig)
{
	for (size_t i = 0; i < rig->fake.count; i++)
		assert_int_equal(rig->fake.guests[i].wrong, 0);
}

/* Three guests on a host that has just enough, after a minute. */
static void squeeze(struct rig *rig)
{
	add_guests(rig, 3, 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 20000);
	rig->fake.base_kib = 1000 * MIB;
	rig_run(rig, 60000);
}

/* ---- C. the hypervisor ---- */

static void e46_nothing_is_ordered_while_disconnected_and_all_goes_on_after(void **state)
{
	struct rig *rig = *state;
	squeeze(rig);
	unsigned before = rig->fake.orders;
	fake_disconnect(&rig->fake, true);
	rig->fake.base_kib = 0;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.orders, before);
	assert_int_equal(rig_said(rig, "fake: not connected"), 1);
	assert_int_equal(rig->engine.roster.count, 3);
	fake_disconnect(&rig->fake, false);
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.guests[0].actual_kib, MAX);
	assert_sane(rig);
}

static void e48_a_hypervisor_that_comes_late_is_waited_for(void **state)
{
	struct rig *rig = *state;
	rig->fake.connected = false;
	add_guests(rig, 1, 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 30000);
	assert_int_equal(rig->fake.orders, 0);
	assert_true(rig->engine.pools.items[0].sample.budget_kib > 0);
	fake_disconnect(&rig->fake, false);
	rig_run(rig, 10000);
	assert_int_equal(rig_guest(rig, 0)->state, GUEST_STATE_MANAGED);
}

/* Twenty-five of thirty don't answer: the others are fed and squeezed all the same. */
static void e50_many_hung_guests_leave_the_others_their_pace(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 30, 200 * MIB);
	rig->fake.memory_kib = 29000 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	for (size_t i = 0; i < 25; i++)
		fake_hang(&rig->fake, &rig->fake.guests[i]);
	rig_run(rig, 6000);
	unsigned before = rig->fake.orders;
	rig->fake.base_kib = 4500 * MIB;
	rig_run(rig, 30000);
	assert_true(rig->fake.orders > before);
	for (size_t i = 0; i < 25; i++)
		assert_int_equal(rig_guest(rig, i)->state, GUEST_STATE_HUNG);
	for (size_t i = 25; i < 30; i++) {
		assert_true(rig->fake.guests[i].shrinks > 0);
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
	}
	for (size_t i = 0; i < 25; i++)
		rig->fake.guests[i].call = CALL_TAKEN;
	rig_run(rig, 30000);
	assert_int_equal(rig_guest(rig, 0)->state, GUEST_STATE_MANAGED);
	assert_true(fake_available(&rig->fake) > 0);
	assert_sane(rig);
}

/* ---- D. the host ---- */

/* The host's memory falls between two ticks: the glance sees it, not the next tick. */
static void e58_sudden_pressure_is_met_within_a_second(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 6, 200 * MIB);
	rig->fake.memory_kib = 5400 * MIB;
	rig_open(rig, "sampling = { period = \"10s\"; };");
	rig_run(rig, 60000);
	rig->fake.base_kib = 300 * MIB; /* snug */
	rig_run(rig, 30000);
	unsigned before = rig->fake.orders, ticks = rig->emergencies;
	rig->fake.base_kib = 1500 * MIB;
	rig_run(rig, 1000);
	assert_true(rig->emergencies > ticks);
	assert_true(rig->fake.orders >= before + 6);
	rig_run(rig, 10000);
	assert_true(fake_available(&rig->fake) > 0);
	for (size_t i = 0; i < 6; i++) {
		assert_true(rig->fake.guests[i].lowest_kib >= 256 * MIB);
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
	}
}

/* Three guests down at their floors, on a host that wants more. */
static void exhaust(struct rig *rig)
{
	add_guests(rig, 3, 250 * MIB);
	rig_open(rig, "");
	rig_run(rig, 20000);
	rig->fake.base_kib = 2500 * MIB;
	rig_run(rig, 60000);
}

static void e59_where_nothing_is_left_to_take_nothing_is_ordered(void **state)
{
	struct rig *rig = *state;
	exhaust(rig);
	unsigned before = rig->fake.orders;
	rig_run(rig, 600000);
	assert_true(rig->fake.orders <= before + 3);
	assert_int_equal(rig->engine.pools.items[0].sample.state, HOST_EXHAUSTED);
	assert_int_equal(rig_said(rig, "host: exhausted"), 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(rig->fake.guests[i].lowest_kib >= 256 * MIB);
	rig->fake.base_kib = 0;
	rig_run(rig, 60000);
	assert_int_equal(rig->fake.guests[0].actual_kib, MAX);
	assert_sane(rig);
}

/* Memory that came back has to stay for a while; a guest that boots meanwhile, and can't
 * give anything yet, is no alarm. */
static void e59_where_memory_is_back_there_is_no_alarm(void **state)
{
	struct rig *rig = *state;
	exhaust(rig);
	assert_int_equal(rig_said(rig, "host: exhausted"), 1);
	assert_int_equal(
		rig_said(rig, "nothing is left to take: lower a guest's min"), 1);
	for (size_t i = 0; i < 3; i++)
		fake_stop(&rig->fake, &rig->fake.guests[i]);
	rig->fake.base_kib = 0;
	rig_run(rig, 2000);
	fake_add(&rig->fake, "late", MAX, 200 * MIB);
	rig_run(rig, 60000);
	assert_int_equal(rig_said(rig, "host: exhausted"), 1);
	assert_int_equal(rig->engine.pools.items[0].sample.state, HOST_ROOMY);
}

/* A wave of ±200 MiB with a period of 20 s, for an hour. */
static void e60_a_wave_of_pressure_moves_no_more_than_itself(void **state)
{
	struct rig *rig = *state;
	static const int64_t wave[] = {0, 62, 118, 162, 190, 200, 190, 162, 118, 62, 0,
		-62, -118, -162, -190, -200, -190, -162, -118, -62};
	squeeze(rig);
	unsigned turns = turns_of_all(rig);
	uint64_t moved_kib = moved_by_all(rig);
	for (size_t i = 0; i < 3600; i++) {
		rig->fake.base_kib = (uint64_t)(1000 + wave[i % ARRAY_SIZE(wave)]) * MIB;
		rig_run(rig, 1000);
	}
	turns = turns_of_all(rig) - turns;
	moved_kib = moved_by_all(rig) - moved_kib;
	/* never more than the wave itself asks for: two turns and 800 MiB each time */
	assert_true(turns <= 3 * 2 * 3600 / ARRAY_SIZE(wave));
	assert_true(moved_kib <= 800 * MIB * 3600 / ARRAY_SIZE(wave) * 11 / 10);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
}

static void e61_swap_that_is_full_and_quiet_is_no_emergency(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 3, 200 * MIB);
	rig->fake.memory_kib = 8000 * MIB;
	rig->fake.swap_total_kib = 1000 * MIB;
	rig->fake.swap_free_kib = 0;
	rig->fake.swap_in_pages = rig->fake.swap_out_pages = 123456789;
	rig_open(rig, "");
	rig_run(rig, 60000);
	assert_int_equal(rig->engine.pools.items[0].sample.state, HOST_ROOMY);
	assert_int_equal(rig->fake.orders, 0);
}

static void e62_swap_at_work_is_pressure_though_memory_seems_left(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 3, 200 * MIB);
	rig->fake.memory_kib = 8000 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	for (int i = 0; i < 10; i++) {
		rig->fake.swap_out_pages += 5000;
		rig_run(rig, 1000);
	}
	assert_int_equal(rig->engine.pools.items[0].sample.state, HOST_TIGHT);
}

/* A few pages, seen by two ticks that follow one another at once, are no storm. */
static void a_short_look_at_swapping_tells_no_rate(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 3, 200 * MIB);
	rig->fake.memory_kib = 8000 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	rig->fake.swap_out_pages += 64;
	engine_tick(&rig->engine, rig->engine.now_ms + 5);
	assert_int_equal(rig->engine.pools.items[0].sample.state, HOST_ROOMY);
	assert_int_equal(rig->engine.snapshot.host.swap_out_pages, 64);
}

/* Monotonic time stood still while the machine slept; the guests' wall clock didn't. */
static void e69_a_host_that_slept_finds_nobody_stale_or_stuck(void **state)
{
	struct rig *rig = *state;
	squeeze(rig);
	unsigned before = rig->fake.orders;
	rig->fake.wall_ms += 8 * 3600 * 1000;
	rig_run(rig, 30000);
	assert_int_equal(rig->fake.orders, before);
	/* momd itself stood still, and time didn't */
	rig->fake.now_ms += 600000;
	rig_run(rig, 30000);
	assert_int_equal(rig_said(rig, "stale"), 0);
	assert_int_equal(rig_said(rig, "its balloon stopped"), 0);
	assert_int_equal(rig_guest(rig, 0)->state, GUEST_STATE_MANAGED);
	assert_int_equal(rig->fake.orders, before);
}

static void e70_the_wall_clock_has_no_say(void **state)
{
	struct rig *rig = *state;
	static const int64_t jumps_ms[] = {3600000, -7200000, -1600000000000, 1000};
	squeeze(rig);
	unsigned before = rig->fake.orders;
	for (size_t i = 0; i < ARRAY_SIZE(jumps_ms); i++) {
		rig->fake.wall_ms += jumps_ms[i];
		rig_run(rig, 20000);
		assert_int_equal(rig_guest(rig, 0)->state, GUEST_STATE_MANAGED);
		assert_true(rig_guest(rig, 0)->fresh);
	}
	assert_int_equal(rig->fake.orders, before);
}

/* Sixteen TiB promised on twelve. */
static void e71_four_thousand_guests_of_sixteen_tib(void **state)
{
	struct rig *rig = *state;
	const uint64_t size_kib = 4 * KIB_PER_GIB;
	for (int i = 0; i < 4096; i++) {
		char name[32];
		snprintf(name, sizeof(name), "vm%d", i);
		fake_add(&rig->fake, name, size_kib, KIB_PER_GIB);
	}
	rig->fake.memory_kib = 17 * 1024 * KIB_PER_GIB;
	rig_open(rig, "");
	rig_run(rig, 10000);
	assert_int_equal(rig->fake.orders, 0);
	rig->fake.base_kib = 5 * 1024 * KIB_PER_GIB;
	rig_run(rig, 20000);
	const struct host_sample *host = &rig->engine.pools.items[0].sample;
	assert_true(host->cost_kib > 10 * 1024 * KIB_PER_GIB);
	assert_true(host->cost_kib < 13 * 1024 * KIB_PER_GIB);
	assert_true(fake_available(&rig->fake) > 0);
	for (int i = 0; i < 4096; i++) {
		assert_int_equal(rig->fake.guests[i].starved_ms, 0);
		assert_true(rig->fake.guests[i].lowest_kib >= KIB_PER_GIB);
	}
	assert_sane(rig);
}

/* Twenty guests within two seconds, on a host with room for six. */
static void e26_a_boot_storm_is_counted_at_the_maximum(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 4, 200 * MIB);
	rig->fake.memory_kib = 4800 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	for (int i = 0; i < 20; i++) {
		add_guests(rig, 1, 100 * MIB);
		struct fake_guest *guest = &rig->fake.guests[rig->fake.count - 1];
		guest->touched_kib = 50 * MIB;
		guest->tell = TELL_NOTHING;
		fake_tell(&rig->fake, EVENT_GUEST_ARRIVED, guest, 0);
		rig_run(rig, 100);
	}
	rig_run(rig, 2000);
	const struct host_sample *host = &rig->engine.pools.items[0].sample;
	assert_true(host->cost_kib >= 20 * MAX);
	assert_true(host->cost_kib < 30 * MAX);
	for (size_t i = 0; i < rig->fake.count; i++)
		if (i < 4)
			assert_true(rig->fake.guests[i].shrinks > 0);
		else
			assert_int_equal(rig->fake.guests[i].shrinks, 0);
	assert_sane(rig);
}

/* Fifty guests whose orders fail and whose drivers come and go. */
static void e79_flapping_guests_dont_flood_the_log(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 50, 200 * MIB);
	rig->fake.memory_kib = 40000 * MIB;
	rig_open(rig, "");
	rig_run(rig, 20000);
	for (size_t i = 0; i < 50; i++)
		rig->fake.guests[i].call = CALL_REFUSED;
	size_t before = rig_said(rig, "guest \"");
	rig_run(rig, 600000);
	assert_true(rig_said(rig, "order refused") <= 50);
	/* each try is a line, and tries get rare */
	assert_true(rig_said(rig, "guest \"") - before < 50 * 20);
}

static void e79_guests_that_reboot_for_ever_dont_flood_the_log(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 50, 200 * MIB);
	rig->fake.memory_kib = 40000 * MIB;
	rig_open(rig, "");
	rig_run(rig, 120000);
	size_t before = rig_said(rig, "guest ");
	for (int second = 0; second < 120; second += 2) {
		for (size_t i = 0; i < 50; i++)
			fake_reboot(&rig->fake, &rig->fake.guests[i]);
		rig_run(rig, 2000);
	}
	assert_true(rig_said(rig, "changes often") >= 50);
	assert_in_range(rig_said(rig, "guest ") - before, 50, 50 * 12 * 3);
}

/* Neither an escape nor one of the control characters beyond ASCII reaches a terminal. */
static void e44_a_guests_name_commands_no_terminal(void **state)
{
	struct rig *rig = *state;
	fake_add(&rig->fake,
		"a\x1b[2Jb\xc2\x9b"
		"2J\xc3\xbc",
		MAX, 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 5000);
	assert_int_equal(rig_said(rig, "\x1b"), 0);
	assert_int_equal(rig_said(rig, "\x9b"), 0);
	assert_true(rig_said(rig, "a\\x1b[2Jb\\xc2\\x9b2J\xc3\xbc") > 0);
}

/* As long as libvirt takes them, and not a byte of it is lost. */
static void e44_a_name_of_255_bytes_stays_whole(void **state)
{
	struct rig *rig = *state;
	char name[GUEST_NAME_MAX] = "";
	for (size_t at = 0; at + 2 < sizeof(name); at += 2)
		memcpy(name + at, "\xc3\xbc", 3);
	name[254] = '%';
	fake_add(&rig->fake, name, MAX, 200 * MIB);
	rig_open(rig, "");
	rig_run(rig, 5000);
	assert_int_equal(strlen(name), 255);
	auto_free char *line = mem_printf("guest \"%s\": found", name);
	assert_int_equal(rig_said(rig, line), 1);
	assert_string_equal(rig_guest(rig, 0)->facts.name, name);
}

struct holdings {
	size_t bytes;
	unsigned files, threads;
};

static unsigned entries(const char *path)
{
	unsigned count = 0;
	DIR *directory = opendir(path);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static struct holdings take_stock(void)
{
	return (struct holdings){mallinfo2().uordblks, entries("/proc/self/fd"),
		entries("/proc/self/task")};
}

/* Guests that work, rest, reboot, hang, come and go. */
static void live_an_hour(struct rig *rig)
{
	for (unsigned minute = 0; minute < 60; minute++) {
		struct fake_guest *guest = &rig->fake.guests[minute % 6];
		guest->used_kib = (100 + minute * 37 % 500) * MIB;
		if (minute % 20 == 7)
			fake_reboot(&rig->fake, guest);
		if (minute % 20 == 13)
			fake_hang(&rig->fake, guest);
		if (minute % 20 == 14)
			rig->fake.guests[(minute - 1) % 6].call = CALL_TAKEN;
		if (minute % 10 == 3)
			fake_stop(&rig->fake, guest);
		rig_run(rig, 30000);
		if (!guest->present) {
			guest->present = true;
			guest->id += 10;
			fake_tell(&rig->fake, EVENT_GUEST_ARRIVED, guest, 0);
		}
		rig_run(rig, 30000);
	}
}

static void e45_a_days_ticks_leave_nothing(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 6, 300 * MIB);
	rig_open(rig, "");
	live_an_hour(rig);
	live_an_hour(rig);
	struct holdings before = take_stock();
	unsigned ticks = rig->ticks;
	for (int hour = 0; hour < 24; hour++)
		live_an_hour(rig);
	struct holdings after = take_stock();
	print_message("# a day: %u ticks, %u orders; %zu bytes before, %zu after, %u and "
		      "%u files, %u and %u threads\n",
		rig->ticks - ticks, rig->fake.orders, before.bytes, after.bytes,
		before.files - 2, after.files - 2, before.threads - 2, after.threads - 2);
	assert_true(rig->ticks - ticks >= 86400);
	assert_true(after.bytes < before.bytes + 16 * 1024);
	assert_int_equal(after.files, before.files);
	assert_int_equal(after.threads, before.threads);
	assert_sane(rig);
}

/* Respected: a guest and its QEMU together stay below what its own cgroup allows. */
static void e64_a_guests_own_hard_limit_is_its_limit(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 2, 300 * MIB);
	rig->fake.guests[0].build.hard_limit_kib = 600 * MIB;
	rig_open(rig, "");
	rig_run(rig, 60000);
	assert_true(rig->fake.guests[0].target_kib + FAKE_OVERHEAD_KIB < 600 * MIB);
	assert_true(rig->fake.guests[0].target_kib >= 500 * MIB);
	assert_int_equal(rig->fake.guests[1].target_kib, MAX);
}

/* It is told once, and is nobody's emergency. */
static void e72_a_short_node_is_a_warning_and_moves_nobody(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 2, 300 * MIB);
	rig_open(rig, "");
	rig_run(rig, 5000);
	rig->fake.has_short_node = true;
	rig_run(rig, 20000);
	assert_int_equal(rig_said(rig, "numa: node 1 has 100 MiB left"), 1);
	assert_int_equal(pools_state(&rig->engine.pools), HOST_ROOMY);
	assert_int_equal(rig->fake.guests[0].shrinks + rig->fake.guests[1].shrinks, 0);
	rig->fake.has_short_node = false;
	rig_run(rig, 20000);
	assert_int_equal(rig_said(rig, "numa: every node has memory again"), 1);
}

static void e75_a_restart_adopts_what_it_finds(void **state)
{
	struct rig *rig = *state;
	add_guests(rig, 3, 200 * MIB);
	rig_open(rig, "");
	for (int i = 0; i < 100; i++) {
		rig->fake.base_kib = i % 2 ? 1000 * MIB : 200 * MIB;
		rig_run(rig, 4000 + (uint64_t)(i * 37 % 1000));
		rig_restart(rig, "");
	}
	rig->fake.base_kib = 1000 * MIB;
	rig_run(rig, 60000);
	for (size_t i = 0; i < 3; i++) {
		const struct fake_guest *guest = &rig->fake.guests[i];
		assert_int_equal(guest->starved_ms, 0);
		assert_true(guest->lowest_kib >= 256 * MIB);
		assert_in_range(guest->actual_kib, guest->target_kib,
			guest->target_kib + 2 * MIB);
	}
	assert_true(fake_available(&rig->fake) > 0);
	assert_sane(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(e26_a_boot_storm_is_counted_at_the_maximum),
		TEST(e46_nothing_is_ordered_while_disconnected_and_all_goes_on_after),
		TEST(e48_a_hypervisor_that_comes_late_is_waited_for),
		TEST(e50_many_hung_guests_leave_the_others_their_pace),
		TEST(e58_sudden_pressure_is_met_within_a_second),
		TEST(e59_where_nothing_is_left_to_take_nothing_is_ordered),
		TEST(e59_where_memory_is_back_there_is_no_alarm),
		TEST(e60_a_wave_of_pressure_moves_no_more_than_itself),
		TEST(e61_swap_that_is_full_and_quiet_is_no_emergency),
		TEST(e62_swap_at_work_is_pressure_though_memory_seems_left),
		TEST(a_short_look_at_swapping_tells_no_rate),
		TEST(e69_a_host_that_slept_finds_nobody_stale_or_stuck),
		TEST(e70_the_wall_clock_has_no_say),
		TEST(e71_four_thousand_guests_of_sixteen_tib),
		TEST(e75_a_restart_adopts_what_it_finds),
		TEST(e45_a_days_ticks_leave_nothing),
		TEST(e64_a_guests_own_hard_limit_is_its_limit),
		TEST(e72_a_short_node_is_a_warning_and_moves_nobody),
		TEST(e79_flapping_guests_dont_flood_the_log),
		TEST(e44_a_guests_name_commands_no_terminal),
		TEST(e44_a_name_of_255_bytes_stays_whole),
		TEST(e79_guests_that_reboot_for_ever_dont_flood_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
