/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much of guest RAM is touched, by a sample of its pages marked idle: the kernel
 * takes the mark away when the process, or the guest under KVM, touches a page. The cost
 * is that of the sample, whatever the size of the guest.
 */

#include <stdbool.h>
#include <stdint.h>

#include "collectors/qemu_proc.h"
#include "mom/err.h"

#define IDLE_SAMPLES 1024

struct idle_page {
	uint64_t address; /* in the process */
	uint64_t frame;   /* that it was in; 0 nowhere */
};

struct idle_pages {
	uint64_t size_kib; /* what the sample stands for */
	struct idle_page pages[IDLE_SAMPLES];
};

/* The kernel keeps idle marks, and we may set them. */
bool idle_pages_available(const char *sys_root);

/*
 * Mark a sample of the pages idle, one in each of IDLE_SAMPLES equal parts.
 *
 * Errors: -EPERM page frames are not told (needs CAP_SYS_ADMIN); others from the files.
 * Source: /proc/PID/pagemap, /proc/kpageflags, /sys/kernel/mm/page_idle/bitmap; kernel
 *         Documentation/admin-guide/mm/idle_page_tracking.rst
 */
int idle_pages_begin(struct idle_pages *idle, const char *proc_root, const char *sys_root,
	int pid, const struct qemu_ram *ram, uint64_t seed, struct err *err);

/*
 * How much memory was touched since then, by the part of the sample that was.
 *
 * Errors: as above.
 */
int idle_pages_end(const struct idle_pages *idle, const char *proc_root,
	const char *sys_root, int pid, uint64_t *touched_kib, struct err *err);
