/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The other side of the control socket, for command lines: blocking calls with a
 * deadline.
 */

#include <stdint.h>

#include <json-c/json.h>

#include "mom/err.h"

struct control_client;

/*
 * Connect and be greeted. Each later step has `deadline_ms` too.
 *
 * Errors: -ENOENT, -ECONNREFUSED no daemon serves `path`; -EACCES the system or the
 * daemon lets us not in; -EPROTONOSUPPORT the daemon speaks another version, or it isn't
 *         momd; -EBUSY too many clients; -ETIMEDOUT it doesn't answer.
 */
int control_client_open(struct control_client **client, const char *path,
	uint64_t deadline_ms, struct err *err);

/* Accepts NULL. */
void control_client_close(struct control_client *client);

/* The daemon's version, as it greeted. */
const char *control_client_version(const struct control_client *client);

/*
 * Ask and wait for the answer; `params` stays the caller's and may be NULL, `*result` is
 * the caller's on success.
 *
 * Errors: what the daemon answers (see control_code_name()), -ENOSYS among them: it
 * doesn't know the method; -ECONNRESET it went away; -ETIMEDOUT it doesn't answer.
 */
int control_call(struct control_client *client, const char *method,
	struct json_object *params, struct json_object **result, struct err *err);

/*
 * Wait for the next line of the topic that was subscribed to, however long that takes.
 *
 * Errors: -ECONNRESET the daemon went away; -EBADMSG.
 */
int control_client_next(
	struct control_client *client, struct json_object **event, struct err *err);

/*
 * The same with an end: 1 an event, or 0 where none came within `wait_ms` (negative: for
 * ever), or before a signal, or before `other_fd` (−1 none) had something to be read.
 */
int control_client_wait(struct control_client *client, int other_fd, int64_t wait_ms,
	struct json_object **event, struct err *err);
