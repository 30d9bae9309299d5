/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A QEMU process as /proc shows it: the host's side of a guest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"

struct qemu_memory {
	uint64_t rss_kib, rss_anon_kib, rss_shmem_kib;
	uint64_t swap_kib;
	uint64_t page_table_kib;
};

struct qemu_faults {
	uint64_t minor, major; /* counters of the whole process */
};

/*
 * What the process holds.
 *
 * Shape:  `fd` is an open /proc/PID directory; RssAnon and RssShmem are 0 where the
 * kernel doesn't tell them (before 4.5). Units:  KiB. Errors: -ESRCH the process is gone;
 * -EBADMSG no VmRSS (a zombie, a kernel thread). Source: /proc/PID/status
 */
int qemu_proc_memory(int fd, struct qemu_memory *memory, struct err *err);

/*
 * Page faults of the process.
 *
 * Errors: -ESRCH it is gone; -EBADMSG the line has another shape.
 * Source: /proc/PID/stat, fields 10 and 12
 */
int qemu_proc_faults(int fd, struct qemu_faults *faults, struct err *err);

/*
 * Private memory, in RAM and in swap, outside the guest's RAM.
 *
 * Shape:  guest RAM is what the largest mappings that can be written and not executed
 * make up of `guest_kib`, the guest's configured memory (QEMU has one mapping of that
 *         size, or one for each NUMA node or DIMM).
 * Units:  KiB, page tables not included.
 * Errors: -ESRCH it is gone; -EACCES not allowed; -EBADMSG no mapping in it.
 * Source: /proc/PID/smaps; reading it takes time in proportion to resident memory.
 */
int qemu_proc_private(int fd, uint64_t guest_kib, uint64_t *private_kib, struct err *err);

/* Guest RAM in the process: its mappings, largest first. */
#define QEMU_RAM_PIECES 16
struct qemu_ram {
	struct {
		uint64_t from, to; /* addresses */
	} pieces[QEMU_RAM_PIECES];
	size_t count;
	uint64_t size_kib;
	uint64_t referenced_kib; /* touched since the bits were last cleared; 0 without
				    `walk` */
};

/*
 * Where guest RAM lies, and with `walk` how much of it was touched by this process.
 *
 * Errors: as qemu_proc_private(); -ENODATA no mapping looks like guest RAM.
 * Source: /proc/PID/maps, or /proc/PID/smaps, which takes time in proportion to resident
 *         memory
 */
int qemu_proc_ram(
	int fd, uint64_t guest_kib, bool walk, struct qemu_ram *ram, struct err *err);

/*
 * Where the process stands below the memory hierarchy: the v1 memory controller's where
 * it has one, else the unified one's.
 *
 * Errors: -ESRCH it is gone; -ENOENT no such line; -ENAMETOOLONG it doesn't fit.
 * Source: /proc/PID/cgroup
 */
int qemu_proc_cgroup(int fd, char *path, size_t size, struct err *err);
