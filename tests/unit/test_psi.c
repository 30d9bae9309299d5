/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "mom/collector.h"
#include "tests/unit/made_up.h"

/*
 * The host's memory pressure, and the kernel's own call for help. To make a host stall on
 * memory harms it, so its processors' pressure stands in: the files are of one kind.
 */

#define PRESSURE   "proc/pressure/memory"
#define STAND_IN   "/proc/pressure/cpu"
#define SPINNERS   2
#define PROCESSORS 8 /* among more, what happens on one is too little for a trigger */
#define PATIENT_MS 60000

extern const struct collector collector_psi;

struct bench {
	struct made_up made_up;
	char *proc;
	void *psi;
	struct snapshot snapshot;
	struct err err;
};

static int set_up(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));
	made_up_init(&bench->made_up);
	bench->proc = mem_printf("%s/proc", bench->made_up.root);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	collector_psi.close(bench->psi);
	snapshot_done(&bench->snapshot);
	made_up_done(&bench->made_up);
	free(bench->proc);
	free(bench);
	return 0;
}

static int open_it(struct bench *bench)
{
	struct collector_env env = {.proc_root = bench->proc, .sys_root = bench->proc};
	return collector_psi.open(&bench->psi, &env, &bench->err);
}

static int look(struct bench *bench)
{
	snapshot_reset(&bench->snapshot);
	return collector_psi.sample(bench->psi, &bench->snapshot, &bench->err);
}

static void a_kernel_without_it_is_no_source(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(open_it(bench), -ENOENT);
	bench->psi = NULL;
	assert_non_null(strstr(bench->err.text, "pressure/memory"));
}

static void the_last_ten_seconds_are_told(void **state)
{
	struct bench *bench = *state;
	made_up_file(&bench->made_up, PRESSURE, "%s", "");
	assert_int_equal(open_it(bench), 0);
	made_up_file(&bench->made_up, PRESSURE,
		"some avg10=12.50 avg60=3.00 avg300=1.00 total=9\n"
		"full avg10=4.25 avg60=2.00 avg300=0.50 total=7\n");
	assert_int_equal(look(bench), 0);
	assert_true(bench->snapshot.host.has_psi);
	assert_float_equal(bench->snapshot.host.psi_some, 0.125, 1e-9);
	assert_float_equal(bench->snapshot.host.psi_full, 0.0425, 1e-9);
}

static void another_shape_is_named(void **state)
{
	struct bench *bench = *state;
	made_up_file(&bench->made_up, PRESSURE, "%s", "");
	assert_int_equal(open_it(bench), 0);
	made_up_file(&bench->made_up, PRESSURE, "some avg10=1.00\n");
	assert_int_equal(look(bench), -EBADMSG);
	assert_false(bench->snapshot.host.has_psi);
}

static bool is_woken(int fd, int timeout_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	return poll(&wait, 1, timeout_ms) > 0;
}

/* Two who want the same processor. */
static void press(pid_t *spinners)
{
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET((unsigned)sched_getcpu(), &here);
	for (int i = 0; i < SPINNERS; i++) {
		spinners[i] = fork();
		if (spinners[i] != 0)
			continue;
		sched_setaffinity(0, sizeof(here), &here);
		alarm(2 * PATIENT_MS / 1000);
		for (;;)
			;
	}
}

static void relieve(const pid_t *spinners)
{
	for (int i = 0; i < SPINNERS; i++) {
		kill(spinners[i], SIGKILL);
		waitpid(spinners[i], NULL, 0);
	}
}

/* The kernel reckons its averages anew every two seconds, and not when it wakes. */
static bool tells_of_pressure(struct bench *bench)
{
	for (int ms = 0; ms < PATIENT_MS; ms += 100) {
		if (look(bench) == 0 && bench->snapshot.host.psi_some > 0)
			return true;
		poll(NULL, 0, 100);
	}
	return false;
}

static void the_kernel_wakes_who_waits_and_is_heard_once(void **state)
{
	struct bench *bench = *state;
	pid_t spinners[SPINNERS];
	made_up_link(&bench->made_up, PRESSURE, STAND_IN);
	int fd = open_it(bench) == 0 ? collector_psi.wake_fd(bench->psi) : -1;
	if (fd < 0 || sysconf(_SC_NPROCESSORS_ONLN) > PROCESSORS)
		skip(); /* this kernel may grant nobody here a trigger */
	press(spinners);
	bool woken = is_woken(fd, PATIENT_MS);
	bool told = woken && tells_of_pressure(bench);
	relieve(spinners);
	assert_true(woken);
	assert_true(told);
	/* what was heard doesn't wake again; news come once in a second at most */
	bool quiet = false;
	for (int i = 0; i < 10 && !quiet; i++) {
		assert_int_equal(look(bench), 0);
		quiet = !is_woken(fd, 0);
	}
	assert_true(quiet);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_kernel_without_it_is_no_source),
		TEST(the_last_ten_seconds_are_told),
		TEST(another_shape_is_named),
		TEST(the_kernel_wakes_who_waits_and_is_heard_once),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
