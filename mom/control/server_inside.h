/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The server, inside: server.c lets clients in and has them wait in a queue, dispatch.c
 * answers what they ask, topics.c tells those who subscribed.
 */

#include <sys/queue.h>

#include "mom/control/connection.h"
#include "mom/control/listen.h"
#include "mom/control/server.h"

struct event;
struct evconnlistener;

struct client {
	struct control_connection connection;
	struct control_server *server;
	TAILQ_ENTRY(client) all;
	TAILQ_ENTRY(client) ready;
	struct control_peer peer;
	struct control_reply *owed;
	const struct control_topic *topic; /* subscribed to */
	uint64_t missed; /* lines of the topic since the last one sent */
	bool is_ready;   /* in the queue: a line waits */
};

TAILQ_HEAD(clients, client);

struct control_reply {
	struct client *client; /* NULL: has left */
	struct json_object *id;
	control_answer_fn answer; /* of one who asked from inside, and has no client */
	void *asker;
};

struct control_server {
	struct control_socket socket;
	struct control_rules rules;
	struct control_limits limits;
	char *version;
	const struct control_topic *topics;
	const struct control_method *methods;
	void *context;
	void (*note)(void *context, const char *text);
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepting */
	struct event *work;
	struct clients all, ready;
	size_t count;
	uint64_t missed; /* lines, by all clients since the start */
};

/* Answer the client's line, or begin to. */
void dispatch_line(struct client *client);

/*
 * Make the client a listener.
 *
 * Errors: -EINVAL no topic is named, -ENOENT there is no such topic.
 */
int topics_subscribe(struct client *client, struct json_object *params, struct err *err);
