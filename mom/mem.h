/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory that is always there: allocation failure aborts, for nothing is held that a tick
 * can't rebuild. Values are freed where they go out of scope (`auto_free`), and handed
 * over with `take()`.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_dup(const char *text) __attribute__((malloc)); /* NULL stays NULL */
char *mem_ndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 0)));

/*
 * Room for one more element of a growing array: doubles `*capacity` when `count` has
 * reached it. The new part is zeroed.
 */
void *mem_grow(void *array, size_t count, size_t *capacity, size_t size)
	__attribute__((returns_nonnull));

struct err;

/*
 * Keep all that the process has touched, or will touch, out of swap; or no longer. What
 * is mapped and never touched, as most of a thread's stack, takes no memory by it.
 *
 * Errors: -EPERM the limit on locked memory can't be lifted; with one, what is mapped
 *         later would be refused, so nothing is locked then.
 * Source: mlockall(2), RLIMIT_MEMLOCK in getrlimit(2).
 */
int mem_lock(bool wanted, struct err *err);

/* Replace an owned string by a copy of another one. */
void mem_replace(char **owned, const char *text);

static inline void mem_auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void mem_auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mem_auto_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define auto_free   __attribute__((cleanup(mem_auto_free)))
#define auto_close  __attribute__((cleanup(mem_auto_close)))
#define auto_fclose __attribute__((cleanup(mem_auto_fclose)))

/* Hand a pointer over: gives its value and leaves NULL, so that `auto_free` lets it go.
 */
#define take(p)                                                                          \
	__extension__({                                                                  \
		__typeof__(p) taken_ = (p);                                              \
		(p) = NULL;                                                              \
		taken_;                                                                  \
	})
