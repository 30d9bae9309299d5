/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Pages for programs and people on this host: a table of paths, served by libevent's HTTP
 * server on the caller's loop. It only reads: GET and HEAD. What clients can cost is
 * bounded: how many there are at once, the size of their requests, their time.
 *
 * Nobody else is let in: it listens on loopback or on a Unix socket alone, and on
 * loopback a request must call the host by a loopback name, so that no page from
 * elsewhere can have a browser ask for it (DNS rebinding). Every answer forbids a browser
 * to load anything from outside.
 */

#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"

struct event_base;
struct http_request;
struct http_server;

/*
 * One page. `handle` answers the request, now or later, by exactly one http_send…() or
 * http_refuse(); all from the loop's thread. Until then the request holds, whether its
 * client has left or not.
 */
struct http_route {
	const char *path; /* "/metrics" */
	const char *type; /* of its content, where the answer names no other */
	void (*handle)(void *context, struct http_request *request);
};

struct http_limits {
	size_t clients;   /* at once; more wait unaccepted */
	size_t headers;   /* bytes of a request */
	uint64_t wait_ms; /* for a whole request, and for an answer to be read */
};

#define HTTP_LIMITS_DEFAULT                                                              \
	((struct http_limits){.clients = 32, .headers = 8192, .wait_ms = 30 * 1000})

struct http_settings {
	const char *listen; /* as loopback_parse() */
	const char *group;  /* as control_rules_init(), for a Unix socket */
	const char *admin_group;
	struct http_limits limits;
};

/*
 * Listen and answer until http_server_free(); `routes` ends with a NULL path and outlives
 * the server, the settings are only read here.
 *
 * Errors: as loopback_parse() and control_socket_open(), others from the system:
 *         -EADDRINUSE somebody else listens there.
 */
int http_server_new(struct http_server **server, struct event_base *base,
	const struct http_settings *settings, const struct http_route *routes,
	void *context, struct err *err);

/* Accepts NULL. Answers that are still owed may be sent later, to nobody. */
void http_server_free(struct http_server *server);

/* ---- what a handler asks and says ---- */

/* A parameter of the query ("?name=value"), decoded; NULL where it isn't there. */
const char *http_param(const struct http_request *request, const char *name);

/* A header of the request; NULL where it isn't there. */
const char *http_header(const struct http_request *request, const char *name);

/* Add a header to the answer that is to come. */
void http_set_header(struct http_request *request, const char *name, const char *value);

/*
 * Answer, and let go of the request. `type` NULL is the route's. http_send() copies,
 * http_send_text() takes an allocated text over.
 */
void http_send(
	struct http_request *request, const char *type, const void *data, size_t size);
void http_send_text(struct http_request *request, const char *type, char *text);

/* Answer with a failure (404, 503, …) and a line that says what it is. */
void http_refuse(struct http_request *request, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
