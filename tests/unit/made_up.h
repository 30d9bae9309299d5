/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up /proc and /sys in a folder of its own. Failures end the test at once: what a
 * test can't set up it can't judge.
 */

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mom/mem.h"

struct made_up {
	char root[64];
};

static inline void made_up_init(struct made_up *made_up)
{
	snprintf(made_up->root, sizeof(made_up->root), "%s/mom-test-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(made_up->root))
		abort();
}

static inline int made_up_forget(
	const char *path, const struct stat *about, int kind, struct FTW *walk)
{
	(void)about, (void)kind, (void)walk;
	return remove(path);
}

static inline void made_up_done(struct made_up *made_up)
{
	nftw(made_up->root, made_up_forget, 8, FTW_DEPTH | FTW_PHYS);
}

/* The folders above a file. */
static inline void made_up_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
}

/* Write a file, with the folders above it. */
__attribute__((format(printf, 3, 4))) static inline void made_up_file(
	const struct made_up *made_up, const char *name, const char *format, ...)
{
	auto_free char *path = mem_printf("%s/%s", made_up->root, name);
	made_up_folders(path);
	auto_fclose FILE *file = fopen(path, "we");
	va_list args;
	if (!file)
		abort();
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
}

static inline void made_up_link(
	const struct made_up *made_up, const char *name, const char *target)
{
	auto_free char *path = mem_printf("%s/%s", made_up->root, name);
	made_up_folders(path);
	unlink(path);
	if (symlink(target, path) < 0)
		abort();
}

/* The number a file holds; −1 where there is no such file. */
static inline long made_up_number(const struct made_up *made_up, const char *name)
{
	auto_free char *path = mem_printf("%s/%s", made_up->root, name);
	auto_fclose FILE *file = fopen(path, "re");
	long number;
	return file && fscanf(file, "%ld", &number) == 1 ? number : -1;
}
