/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happened, as the daemon passes it on: the latest in memory, all to subscribers of
 * the topic "event" and to the history. The shape is that of doc/control-protocol.md.
 */

#include "mom/occurrence.h"

struct daemon;
struct json_object;

/* Of engine_env: stamp it, keep it, pass it on. The context is a struct daemon. */
void events_occurred(void *daemon, const struct occurrence *occurrence);

/* The daemon itself has something to say: logged, and passed on the same way. */
void events_say(struct daemon *daemon, enum log_level level, enum occurrence_kind kind,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

struct json_object *events_describe(const struct occurrence *occurrence);

/*
 * The latest ones from memory, oldest first.
 *
 * Shape:  `guest` name or UUID, NULL all; from `since_ms` to before `until_ms`, at most
 *         `limit`; `*more` whether older ones were left out.
 */
struct json_object *events_latest(const struct daemon *daemon, const char *guest,
	int64_t since_ms, int64_t until_ms, size_t limit, bool *more);
