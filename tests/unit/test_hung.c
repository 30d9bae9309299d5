/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hypervisor, with its threads and deadlines, on a made-up libvirt where guests and
 * libvirtd hang. What is measured is printed; what is asserted leaves it seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "hypervisors/libvirt.h"
#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/libvirt.h"
#include "tests/unit/made_up.h"

#define GUESTS      30
#define HEALTHY     5
#define WORKERS     16
#define PERIOD_MS   200
#define DEADLINE_MS 2000
#define PATIENCE_MS 120000
/* Whoever waits for a guest that hangs waits for ever; a busy machine is only slow. */
#define PACE_MS    10000
#define ORDERS_MAX 2000

static const struct hypervisor *const hypervisor = &hypervisor_libvirt;

struct host {
	void *self;
	struct made_up folder; /* its /proc */
	unsigned guests[GUESTS];
	uint64_t wanted[GUESTS]; /* the order under way, 0 none */
	int64_t due_ms[GUESTS];  /* when it should have left */
	unsigned delays[ORDERS_MAX];
	size_t delay_count;
	unsigned refused, rounds, calls_most;
	int64_t next_ms;
	bool connected;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned entries(const char *path)
{
	unsigned count = 0;
	DIR *directory = opendir(path);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

/* ---- a daemon's loop ---- */

static size_t index_of(const struct host *host, const char *uuid)
{
	for (size_t i = 0; i < GUESTS; i++)
		if (strcmp(fakevir_uuid(host->guests[i]), uuid) == 0)
			return i;
	return GUESTS;
}

/* Each healthy guest is sent up and down in turn. */
static void order_all(struct host *host, int64_t due_ms)
{
	for (size_t i = 0; i < HEALTHY; i++) {
		if (host->wanted[i])
			continue;
		uint64_t target_kib = (200 + host->rounds % 50) * KIB_PER_MIB;
		if (hypervisor->set_target(host->self, fakevir_uuid(host->guests[i]),
			    target_kib, NULL) < 0)
			continue;
		host->wanted[i] = target_kib;
		host->due_ms[i] = due_ms;
	}
}

static void take_answer(struct host *host, const struct hypervisor_event *event)
{
	size_t index = index_of(host, event->uuid);
	if (index == GUESTS || !host->wanted[index])
		return;
	host->refused += event->result != 0;
	host->wanted[index] = 0;
	if (host->delay_count < ORDERS_MAX)
		host->delays[host->delay_count++] =
			(unsigned)(now_ms() - host->due_ms[index]);
}

static void take_events(struct host *host)
{
	struct hypervisor_event event;
	while (hypervisor->next_event(host->self, &event)) {
		if (event.kind == EVENT_CONNECTED || event.kind == EVENT_DISCONNECTED)
			host->connected = event.kind == EVENT_CONNECTED;
		if (event.kind == EVENT_ORDER_DONE)
			take_answer(host, &event);
		if (event.kind != EVENT_ROUND_DONE)
			continue;
		host->rounds++;
		order_all(host, host->next_ms - PERIOD_MS);
	}
}

/* Live for so long; every function of the hypervisor returns at once. */
static void run(struct host *host, int64_t ms)
{
	struct hypervisor_status status;
	for (int64_t end_ms = now_ms() + ms; now_ms() < end_ms;) {
		if (host->next_ms <= now_ms()) {
			host->next_ms = now_ms() + PERIOD_MS;
			hypervisor->refresh(host->self);
		}
		struct pollfd pollfd = {
			.fd = hypervisor->fd(host->self), .events = POLLIN};
		poll(&pollfd, 1, 10);
		take_events(host);
		hypervisor->status(host->self, &status);
		if (status.calls > host->calls_most)
			host->calls_most = status.calls;
	}
}

/* Live until that holds. */
static void run_until(
	struct host *host, bool (*holds)(struct host *host), const char *what)
{
	for (int64_t end_ms = now_ms() + PATIENCE_MS; !holds(host);) {
		if (now_ms() > end_ms)
			fail_msg("it doesn't come to this: %s", what);
		run(host, 50);
	}
}

#define RUN_UNTIL(host, holds) run_until(host, holds, #holds)

static bool is_connected(struct host *host)
{
	return host->connected;
}

static bool orders_go_on(struct host *host)
{
	return host->delay_count >= HEALTHY * 5;
}

static bool no_call_hangs(struct host *host)
{
	(void)host;
	return fakevir_hanging() == 0;
}

static bool a_call_is_late(struct host *host)
{
	struct hypervisor_status status;
	hypervisor->status(host->self, &status);
	return status.calls_late >= 1;
}

static bool hardly_any_calls_run(struct host *host)
{
	struct hypervisor_status status;
	hypervisor->status(host->self, &status);
	return status.calls <= 1;
}

static bool no_call_runs(struct host *host)
{
	struct hypervisor_status status;
	hypervisor->status(host->self, &status);
	return status.calls == 0;
}

static bool the_first_has_a_later_order(struct host *host)
{
	return fakevir_actual_kib(host->guests[0]) >= 200 * KIB_PER_MIB;
}

static unsigned count_hung(struct host *host)
{
	struct snapshot snapshot = {0};
	unsigned count = 0;
	hypervisor->sample(host->self, &snapshot);
	for (size_t i = 0; i < snapshot.guest_count; i++)
		count += snapshot.guests[i].hung;
	snapshot_done(&snapshot);
	return count;
}

static size_t count_guests(struct host *host)
{
	struct snapshot snapshot = {0};
	hypervisor->sample(host->self, &snapshot);
	size_t count = snapshot.guest_count;
	snapshot_done(&snapshot);
	return count;
}

static void wait_until_hung(struct host *host, unsigned wanted)
{
	int64_t end_ms = now_ms() + PATIENCE_MS;
	while (count_hung(host) != wanted) {
		if (now_ms() > end_ms)
			fail_msg("%u guests hang, and not %u", count_hung(host), wanted);
		run(host, 50);
	}
}

static void wait_for_guests(struct host *host, size_t wanted)
{
	int64_t end_ms = now_ms() + PATIENCE_MS;
	while (count_guests(host) != wanted) {
		if (now_ms() > end_ms)
			fail_msg("%zu guests are known, and not %zu", count_guests(host),
				wanted);
		run(host, 20);
	}
}

/* ---- setting up ---- */

static void tell_process(struct host *host, size_t index, char state)
{
	char name[32];
	snprintf(name, sizeof(name), "%zu/stat", 1000 + index);
	made_up_file(&host->folder, name, "%zu (qemu) %c 1 1", 1000 + index, state);
	snprintf(name, sizeof(name), "%zu/cmdline", 1000 + index);
	made_up_file(&host->folder, name, "qemu%c-uuid%c%s%c-S", 0, 0,
		fakevir_uuid(host->guests[index]), 0);
}

static void open_host(struct host *host)
{
	struct hypervisor_env env = {
		.uri = "qemu:///made-up",
		.call_deadline_ms = DEADLINE_MS,
		.resync_period_ms = 1000,
		.stats_period_s = 1,
		.set_stats_period = true,
		.workers = WORKERS,
		.proc_root = host->folder.root,
	};
	struct err err;
	assert_int_equal(hypervisor->open(&host->self, &env, &err), 0);
}

static int set_up(void **state)
{
	struct host *host = mem_alloc(sizeof(*host));
	fakevir_reset();
	made_up_init(&host->folder);
	for (size_t i = 0; i < GUESTS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "vm%zu", i);
		host->guests[i] = fakevir_start(name);
		tell_process(host, i, 'S');
	}
	open_host(host);
	*state = host;
	wait_for_guests(host, GUESTS);
	run(host, 3 * PERIOD_MS);
	return 0;
}

/* Those that hung clean up behind themselves. */
static void wait_for_threads(void)
{
	for (int64_t end_ms = now_ms() + PATIENCE_MS;
		fakevir_open() && now_ms() < end_ms;)
		poll(NULL, 0, 10);
}

static int tear_down(void **state)
{
	struct host *host = *state;
	hypervisor->close(host->self);
	wait_for_threads();
	unsigned open = fakevir_open();
	made_up_done(&host->folder);
	free(host);
	if (open)
		fail_msg("%u handles of libvirt are left", open);
	return 0;
}

/* The last so many guests hang, and momd may see it in /proc (a stopped process), or not
 * (a monitor that doesn't answer). */
static void hang(struct host *host, size_t count, bool seen)
{
	for (size_t i = GUESTS - count; i < GUESTS; i++) {
		fakevir_hang(host->guests[i], true);
		if (seen)
			tell_process(host, i, 'T');
	}
}

static void unhang(struct host *host)
{
	for (size_t i = 0; i < GUESTS; i++) {
		tell_process(host, i, 'S');
		fakevir_hang(host->guests[i], false);
	}
}

static int by_size(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
	return (left > right) - (left < right);
}

static unsigned p99_ms(struct host *host)
{
	assert_true(host->delay_count > 0);
	qsort(host->delays, host->delay_count, sizeof(*host->delays), by_size);
	return host->delays[(host->delay_count * 99 + 99) / 100 - 1];
}

/* Orders go on in the first moments, and when it is known who hangs. */
static void keeps_pace(struct host *host, unsigned hung, bool seen)
{
	host->delay_count = host->refused = host->rounds = 0;
	hang(host, hung, seen);
	run(host, 2500);
	wait_until_hung(host, hung);
	RUN_UNTIL(host, orders_go_on);
	unsigned p99 = p99_ms(host);
	unsigned threads = entries("/proc/self/task");
	print_message("# hung=%u orders=%zu p99_order_delay_ms=%u period_ms=%d "
		      "calls_most=%u hanging_most=%u threads=%u\n",
		hung, host->delay_count, p99, PERIOD_MS, host->calls_most,
		fakevir_hanging_most(), threads);
	assert_int_equal(host->refused, 0);
	assert_true(p99 < PACE_MS);
	assert_true(host->calls_most <= WORKERS);
	assert_true(threads <= WORKERS + 4);
	unhang(host);
	wait_until_hung(host, 0);
	RUN_UNTIL(host, no_call_hangs);
}

static void e49_one_stopped_guest_leaves_the_others_their_pace(void **state)
{
	keeps_pace(*state, 1, true);
}

static void e50_six_stopped_guests_do(void **state)
{
	keeps_pace(*state, 6, true);
}

static void e50_twenty_five_stopped_guests_do(void **state)
{
	keeps_pace(*state, 25, true);
}

static void e50_monitors_that_hang_unseen_do(void **state)
{
	keeps_pace(*state, 1, false);
	keeps_pace(*state, 5, false);
}

/* More than there are calls for: momd goes on, within its cap, and recovers. */
static void e50_more_unseen_than_calls_are_survived(void **state)
{
	struct host *host = *state;
	hang(host, 25, false);
	run(host, 3000);
	assert_true(host->calls_most <= WORKERS);
	unhang(host);
	wait_until_hung(host, 0);
	host->delay_count = 0;
	RUN_UNTIL(host, orders_go_on);
}

/* The answer comes long after its deadline: it is dropped, and the guest is as well as
 * before. */
static void e51_an_answer_after_the_deadline_is_dropped(void **state)
{
	struct host *host = *state;
	fakevir_hang(host->guests[0], true);
	assert_int_equal(hypervisor->set_target(host->self, fakevir_uuid(host->guests[0]),
				 100 * KIB_PER_MIB, NULL),
		0);
	wait_until_hung(host, 1);
	RUN_UNTIL(host, a_call_is_late);
	assert_int_equal(hypervisor->set_target(host->self, fakevir_uuid(host->guests[0]),
				 120 * KIB_PER_MIB, NULL),
		-EBUSY);
	unhang(host);
	wait_until_hung(host, 0);
	RUN_UNTIL(host, hardly_any_calls_run);
	RUN_UNTIL(host, the_first_has_a_later_order);
}

static void e47_a_libvirtd_that_hangs_is_left_and_found_again(void **state)
{
	struct host *host = *state;
	/* who answers after others began to wait proves libvirtd well */
	RUN_UNTIL(host, no_call_runs);
	fakevir_hang_daemon(true);
	run(host, 2 * DEADLINE_MS);
	assert_int_equal(count_hung(host), 0); /* it isn't the guests' fault */
	assert_true(host->calls_most <= WORKERS);
	fakevir_break(); /* keepalive gives up */
	run(host, PERIOD_MS);
	RUN_UNTIL(host, is_connected);
	host->delay_count = 0;
	RUN_UNTIL(host, orders_go_on);
}

static uint32_t boots_of(struct host *host, size_t index)
{
	struct snapshot snapshot = {0};
	uint32_t boots = 0;
	hypervisor->sample(host->self, &snapshot);
	for (size_t i = 0; i < snapshot.guest_count; i++)
		if (!strcmp(snapshot.guests[i].uuid, fakevir_uuid(host->guests[index])))
			boots = snapshot.guests[i].boots;
	snapshot_done(&snapshot);
	return boots;
}

/* The event was lost with the connection: what the guest counts since its boot tells. */
static void e57_a_reboot_that_nobody_told_of_is_noticed(void **state)
{
	struct host *host = *state;
	run(host, 2 * PERIOD_MS);
	uint32_t before = boots_of(host, 7), other = boots_of(host, 8);
	fakevir_reboot(host->guests[7]);
	int64_t end_ms = now_ms() + PATIENCE_MS;
	while (boots_of(host, 7) == before && now_ms() < end_ms)
		run(host, PERIOD_MS);
	run(host, 3 * PERIOD_MS);
	assert_int_equal(boots_of(host, 7), before + 1);
	assert_int_equal(boots_of(host, 8), other);
}

static void e76_closing_waits_for_nobody_who_hangs(void **state)
{
	struct host *host = *state;
	hang(host, 6, false);
	run(host, 1000);
	int64_t begun_ms = now_ms();
	hypervisor->close(host->self);
	int64_t took_ms = now_ms() - begun_ms;
	print_message("# closed in %jd ms\n", (intmax_t)took_ms);
	assert_true(took_ms < PACE_MS);
	unhang(host);
	wait_for_threads();
	open_host(host);
	wait_for_guests(host, GUESTS);
}

struct holdings {
	size_t bytes;
	unsigned threads, files, handles;
};

static struct holdings take_stock(void)
{
	return (struct holdings){
		.bytes = mallinfo2().uordblks,
		.threads = entries("/proc/self/task"),
		.files = entries("/proc/self/fd"),
		.handles = fakevir_open(),
	};
}

static bool has_more(const struct holdings *after, const struct holdings *before)
{
	return after->bytes >= before->bytes + 64 * 1024 ||
	       after->threads > WORKERS + 4 || after->files > before->files + 2 ||
	       after->handles > before->handles + GUESTS * WORKERS;
}

static void come_and_go(struct host *host, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		unsigned guest = fakevir_start("fleeting");
		if (i % 4 == 0)
			wait_for_guests(host, GUESTS + 1);
		fakevir_stop(guest);
		run(host, 1);
	}
	wait_for_guests(host, GUESTS);
	run(host, 1500); /* a survey, so that all is settled */
}

static void e45_a_thousand_guests_that_come_and_go_leave_nothing(void **state)
{
	struct host *host = *state;
	come_and_go(host, 100);
	struct holdings before = take_stock();
	come_and_go(host, 1000);
	struct holdings after = take_stock();
	/* a round that is under way holds something, too */
	for (int i = 0; i < 100 && has_more(&after, &before); i++) {
		run(host, 100);
		after = take_stock();
	}
	print_message("# 1000 starts and stops: %zu bytes before, %zu after; %u and %u "
		      "threads, %u and %u files, %u and %u handles\n",
		before.bytes, after.bytes, before.threads, after.threads, before.files,
		after.files, before.handles, after.handles);
	assert_false(has_more(&after, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define HUNG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		HUNG(e49_one_stopped_guest_leaves_the_others_their_pace),
		HUNG(e50_six_stopped_guests_do),
		HUNG(e50_twenty_five_stopped_guests_do),
		HUNG(e50_monitors_that_hang_unseen_do),
		HUNG(e50_more_unseen_than_calls_are_survived),
		HUNG(e51_an_answer_after_the_deadline_is_dropped),
		HUNG(e47_a_libvirtd_that_hangs_is_left_and_found_again),
		HUNG(e57_a_reboot_that_nobody_told_of_is_noticed),
		HUNG(e76_closing_waits_for_nobody_who_hangs),
		HUNG(e45_a_thousand_guests_that_come_and_go_leave_nothing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
