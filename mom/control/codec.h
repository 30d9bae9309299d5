/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The control protocol's lines: requests, replies and the greeting as JSON text, one a
 * line, and the values inside them. Functions of their arguments: who reads and writes
 * the lines is server.c and client.c. doc/control-protocol.md describes it for others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "mom/err.h"

#define CONTROL_PROTOCOL    1
#define CONTROL_DEPTH_MAX   16
#define CONTROL_VERSION_MAX 32

/* One request; everything in it lives as long as `root`. */
struct control_request {
	struct json_object *root;
	struct json_object *id; /* a whole number or a text; NULL where none was read */
	const char *method;
	struct json_object *params; /* an object, never NULL */
};

struct control_greeting {
	int64_t protocol;
	char version[CONTROL_VERSION_MAX];
};

/*
 * Read a request.
 *
 * Shape:  {"id": 1, "method": "status", "params": {…}}; `params` may be missing. Texts
 *         are UTF-8 without NUL; at most CONTROL_DEPTH_MAX levels.
 * Errors: -EBADMSG not such a line. `request->id` is set where it could be read, so that
 *         the answer finds its question; control_request_done() is needed either way.
 */
int control_parse_request(struct control_request *request, const char *line,
	size_t length, struct err *err);
void control_request_done(struct control_request *request);

/* Lines to be sent, newline included; freed by the caller. `id` may be NULL. */
char *control_request_line(int64_t id, const char *method, struct json_object *params);
char *control_result_line(struct json_object *id, struct json_object *result);
char *control_error_line(struct json_object *id, const struct err *err);
char *control_event_line(const char *topic, struct json_object *data, uint64_t missed);
char *control_greeting_line(const char *version);

/*
 * Read the server's first line.
 *
 * Errors: -EBADMSG it isn't momd's; the code and text of an error that came instead.
 */
int control_parse_greeting(struct control_greeting *greeting, const char *line,
	size_t length, struct err *err);

/*
 * Read the reply to request `id`; on success `*result` is the caller's.
 *
 * Shape:  {"id": 1, "result": …} or {"id": 1, "error": {"code": "…", "message": "…"}}.
 * Errors: -EBADMSG not a reply to `id`; else the errno that the error's code stands for.
 */
int control_parse_reply(const char *line, size_t length, int64_t id,
	struct json_object **result, struct err *err);

/* Read {"event": …, "missed": …, "data": …}; `*event` is the caller's. */
int control_parse_event(
	const char *line, size_t length, struct json_object **event, struct err *err);

/* The name of an errno in the protocol: "not-found" for ENOENT, "failed" for any other.
 */
const char *control_code_name(int code);

/* Values: a text of any bytes becomes UTF-8; NULL and what is no number become null. */
struct json_object *control_json_text(const char *text);
struct json_object *control_json_number(double number);

/* A member of `object` that is a text, or NULL. */
const char *control_get_text(struct json_object *object, const char *key);

/*
 * The text member `key` of a request's parameters.
 *
 * Errors: -EINVAL it is missing or no text.
 */
int control_need_text(
	struct json_object *params, const char *key, const char **text, struct err *err);
