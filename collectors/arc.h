/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ZFS's cache (ARC): memory that the kernel gets back when it asks for it, but doesn't
 * count as available.
 */

#include <stdint.h>

/* The file with its figures under this /proc; −1 where there is no ZFS. */
int arc_open(const char *proc_root);

/*
 * What can be counted on of it.
 *
 * Shape:  lines "name type value"; size less c_min, and not more than what the four
 *         *_evictable_* lines add up to, where they are there. Of that three quarters,
 * for it is given back slower than page cache and some of it is in use by then. Units:
 * bytes; in KiB. Errors: 0 where the file can't be read or has another shape. Source:
 * /proc/spl/kstat/zfs/arcstats
 */
uint64_t arc_reclaimable_kib(int fd);
