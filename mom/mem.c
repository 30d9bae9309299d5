/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/mem.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "mom/err.h"

void *mem_alloc(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	if (!memory)
		abort();
	return memory;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size);
	if (!memory)
		abort();
	return memory;
}

char *mem_dup(const char *text)
{
	return text ? mem_ndup(text, strlen(text)) : NULL;
}

char *mem_ndup(const char *text, size_t length)
{
	char *copy = mem_alloc(length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = mem_vprintf(format, args);
	va_end(args);
	return text;
}

char *mem_vprintf(const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

void *mem_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t larger = *capacity ? *capacity * 2 : 8;
	char *memory = mem_resize(array, larger, size);
	memset(memory + *capacity * size, 0, (larger - *capacity) * size);
	*capacity = larger;
	return memory;
}

void mem_replace(char **owned, const char *text)
{
	char *copy = mem_dup(text);
	free(*owned);
	*owned = copy;
}

/* The limit doesn't count for this capability. */
static bool has_ipc_lock(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capget, &head, caps) == 0 &&
	       caps[0].effective & 1u << CAP_IPC_LOCK;
}

/* A soft limit may be lifted up to the hard one by anybody, the hard one by few. */
static bool lift_lock_limit(void)
{
	struct rlimit limit;
	if (has_ipc_lock())
		return true;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		return true;
	limit = (struct rlimit){.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

int mem_lock(bool wanted, struct err *err)
{
	if (!wanted) {
		munlockall();
		return 0;
	}
	if (!lift_lock_limit())
		return err_set(err, -EPERM,
			"how much memory may be locked is limited (RLIMIT_MEMLOCK, "
			"\"LimitMEMLOCK=infinity\" of a unit lifts it)");
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return err_errno(err, errno, "memory can't be locked");
	return 0;
}
