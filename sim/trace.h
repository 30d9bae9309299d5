/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Guests that live through what real ones were seen to need.
 *
 * Shape:  CSV, plain or gzip, with the header
 * vm_id,t_seconds,provisioned_kib,used_kib,granted_kib; missing slots are absent rows.
 *         Need is the highest use within a window before, and a base that is a part of
 *         what was provisioned; the rest of what was granted is cache.
 */

#include "sim/scenario.h"

/*
 * The words behind "trace": FILE and KEY=VALUE; adds guests and their courses.
 *
 * Errors: any of reading a file; -EBADMSG "FILE:LINE: …"; -EINVAL a bad word, or fewer
 * machines in the file than asked for.
 */
int trace_read_line(struct scenario *scenario, const char *path, char **words,
	size_t count, struct err *err);

/* So many machines of a file, for as long as the scenario lasts. Errors: the same. */
int trace_read(struct scenario *scenario, const char *path, uint64_t vms, uint64_t pick,
	struct err *err);
