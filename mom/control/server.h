/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's side of the control socket: lines in, a table of methods, lines out, on
 * the caller's event loop. What a client can cost is bounded: its lines, its unsent
 * answers, its time, and one request in each turn of the loop for all clients together.
 */

#include "mom/control/codec.h"
#include "mom/control/limits.h"
#include "mom/control/peer.h"
#include "mom/err.h"

struct event_base;
struct control_server;
struct control_reply;

/*
 * One method. `call` answers at once: 0 and a result that it hands over (NULL: null), or
 * a negative errno. A method that needs time has `start` instead: it keeps `reply` and
 * ends with control_reply_send(). `params` is an object and lives as long as the call.
 */
struct control_method {
	const char *name;
	enum control_access access; /* what a client needs: to read or to change */
	const char *help;           /* one line */
	int (*call)(void *context, struct json_object *params,
		struct json_object **result, struct err *err);
	void (*start)(
		void *context, struct json_object *params, struct control_reply *reply);
	const char *change; /* what it changes, for change.h; NULL nothing */
};

/*
 * What clients may subscribe to. Each line waits to be read before the next one is sent,
 * and those that come meanwhile are missed: a client wants the latest state, not the
 * queue. Where every line counts, `backlog` bytes of them may wait.
 */
struct control_topic {
	const char *name;
	const char *help; /* one line */
	size_t backlog;
	/* What control_server_refresh() says; a new object, NULL for nothing now. */
	struct json_object *(*build)(void *context);
};

struct control_server_settings {
	const char *socket;                 /* path */
	const char *group;                  /* may read; NULL or "": root only */
	const char *admin_group;            /* may change; NULL or "": root only */
	const char *version;                /* of the program, for the greeting */
	const struct control_topic *topics; /* ends with a NULL name; may be NULL */
	struct control_limits limits;       /* CONTROL_LIMITS_DEFAULT */
	/* Told each change that was asked for, in one line; may be NULL. */
	void (*note)(void *context, const char *text);
};

/*
 * Listen and answer until control_server_free(); `methods` ends with a NULL name, and it
 * and the topics outlive the server; the settings are only read here.
 *
 * Errors: as control_rules_init() and control_socket_open().
 */
int control_server_new(struct control_server **server, struct event_base *base,
	const struct control_server_settings *settings,
	const struct control_method *methods, void *context, struct err *err);

/* Accepts NULL. Replies that are still owed may be sent later, to nobody. */
void control_server_free(struct control_server *server);

/*
 * Answer a request that was started; `reply` is gone afterwards. Hands `result` over;
 * where `err` isn't NULL it is the answer. Nobody minds if the client has left.
 */
void control_reply_send(
	struct control_reply *reply, struct json_object *result, const struct err *err);

/*
 * Ask a method from inside the daemon, as a client that may read or change would: the
 * table and its context are those of control_server_new(). `answer` is called once, now
 * or later; `result` is only lent to it, and counts where `err` is NULL.
 *
 * Errors: what the method finds wrong, and -ENOSYS there is no such method.
 */
typedef void (*control_answer_fn)(
	void *asker, struct json_object *result, const struct err *err);

void control_method_ask(const struct control_method *methods, void *context,
	const char *name, struct json_object *params, control_answer_fn answer,
	void *asker);

/* Whether somebody subscribed to `topic`: what nobody hears needn't be said. Accepts
 * NULL.
 */
bool control_server_watched(const struct control_server *server, const char *topic);

/* Send `data` to those who subscribed to `topic`; `data` stays the caller's. Who hasn't
 * read the lines before misses this one, and is told how many it missed. */
void control_server_publish(
	struct control_server *server, const char *topic, struct json_object *data);

/* Publish every topic that is built and has subscribers. */
void control_server_refresh(struct control_server *server);

/* Clients there are, and lines that subscribers missed since the start. Accepts NULL. */
struct control_server_load {
	size_t clients;
	uint64_t missed;
};

struct control_server_load control_server_load(const struct control_server *server);
