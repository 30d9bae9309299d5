/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon itself takes, under the names that Prometheus has for it.
 */

#include <stdbool.h>
#include <stdint.h>

/*
 * A figure by its metric's name; false where it can't be had.
 *
 * Source: proc_pid_statm(5), getrusage(2)
 */
bool metrics_process(const char *name, int64_t started_at_ms, double *value);
