/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "mom/err.h"
#include "mom/mem.h"

/* The address sanitizer lets nobody lock memory; gcc and clang tell of it each in its own
 * way. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CAN_LOCK false
#else
#define CAN_LOCK true
#endif

static void fresh_memory_is_zero(void **state)
{
	(void)state;
	auto_free uint64_t *numbers = mem_array(100, sizeof(*numbers));
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(numbers[i], 0);
	auto_free char *nothing = mem_array(0, 8);
	assert_non_null(nothing);
}

static void copies_are_their_own(void **state)
{
	(void)state;
	char text[] = "guest";
	auto_free char *whole = mem_dup(text);
	auto_free char *part = mem_ndup(text, 2);
	text[0] = 'q';
	assert_string_equal(whole, "guest");
	assert_string_equal(part, "gu");
	assert_null(mem_dup(NULL));
}

static void printf_makes_room(void **state)
{
	(void)state;
	auto_free char *text = mem_printf("%0500d", 7);
	assert_int_equal(strlen(text), 500);
}

static void arrays_grow_and_new_room_is_zero(void **state)
{
	(void)state;
	int *numbers = NULL;
	size_t capacity = 0;
	for (size_t count = 0; count < 1000; count++) {
		numbers = mem_grow(numbers, count, &capacity, sizeof(*numbers));
		assert_true(capacity > count);
		assert_int_equal(numbers[count], 0);
		numbers[count] = (int)count + 1;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i + 1);
	free(numbers);
}

static void replace_takes_its_own_text(void **state)
{
	(void)state;
	char *owned = mem_dup("old");
	mem_replace(&owned, owned + 1);
	assert_string_equal(owned, "ld");
	mem_replace(&owned, NULL);
	assert_null(owned);
}

static char *handed_over(void)
{
	auto_free char *text = mem_dup("kept");
	return take(text);
}

static void taken_values_survive_their_scope(void **state)
{
	(void)state;
	auto_free char *text = handed_over();
	assert_string_equal(text, "kept");
}

static int open_and_leave(void)
{
	auto_close int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void descriptors_close_with_their_scope(void **state)
{
	(void)state;
	int fd = open_and_leave();
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void no_memory_ends_the_process(void **state)
{
	(void)state;
	volatile size_t absurd = SIZE_MAX / 2;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		free(mem_resize(NULL, absurd, 4));
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_not_equal(status, 0); /* a sanitizer ends it by an exit of its own */
}

static long locked_kib(void)
{
	auto_fclose FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %ld", &kib) == 1)
			break;
	return kib;
}

/* Locks are of a process, so each is tried in one of its own: gives its exit status. */
static int status_of(int (*work)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* 0 it was locked and let go of, 1 it wasn't, 77 it may not be here. */
static int lock_and_let_go(void)
{
	if (!CAN_LOCK || mem_lock(true, NULL) < 0)
		return 77;
	long locked = locked_kib();
	mem_lock(false, NULL);
	return locked > 0 && locked_kib() == 0 ? 0 : 1;
}

static void memory_is_locked_and_let_go_of(void **state)
{
	(void)state;
	int status = status_of(lock_and_let_go);
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

/* 0 it was refused in words that help, and what is mapped later is had all the same. */
static int lock_under_a_limit(void)
{
	struct rlimit little = {.rlim_cur = 65536, .rlim_max = 65536};
	struct err err = {0};
	if (setrlimit(RLIMIT_MEMLOCK, &little) < 0 || (!geteuid() && setuid(65534) < 0))
		return 77;
	if (mem_lock(true, &err) != -EPERM || !strstr(err.text, "RLIMIT_MEMLOCK"))
		return 1;
	memset(mem_alloc((size_t)16 << 20), 1, (size_t)16 << 20);
	return locked_kib() == 0 ? 0 : 1;
}

static void under_a_limit_nothing_is_locked(void **state)
{
	(void)state;
	int status = status_of(lock_under_a_limit);
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_zero),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(printf_makes_room),
		cmocka_unit_test(arrays_grow_and_new_room_is_zero),
		cmocka_unit_test(replace_takes_its_own_text),
		cmocka_unit_test(taken_values_survive_their_scope),
		cmocka_unit_test(descriptors_close_with_their_scope),
		cmocka_unit_test(no_memory_ends_the_process),
		cmocka_unit_test(memory_is_locked_and_let_go_of),
		cmocka_unit_test(under_a_limit_nothing_is_locked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
