/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Guests that live through what momd recorded of real ones, on a host like theirs: what
 * they used and cached over time, when they came and went, and their settings.
 */

#include "sim/scenario.h"

/*
 * The words behind "recording": FILE and KEY=VALUE; adds guests and their courses, and
 * the host and the length where the scenario hasn't given them.
 *
 * Errors: as recording_open() and recording_next(); -EINVAL a bad word, nothing to play.
 */
int recorded_read_line(struct scenario *scenario, const char *where, char **words,
	size_t count, struct err *err);
