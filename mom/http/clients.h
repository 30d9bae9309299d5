/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is connected: libevent's HTTP server sets its clients no bounds but on their
 * silence, so that one who sends a byte now and then would stay for ever. Here each has a
 * time in which something whole must happen, and while all places are taken nobody is
 * accepted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event;
struct event_base;
struct evconnlistener;

struct http_client {
	struct bufferevent *link; /* referenced; NULL: a free place */
	int64_t since_ms;         /* something whole happened: it came, or was served */
	bool owed;                /* an answer: the time is the handler's */
};

struct http_clients {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *look;
	struct http_client *places;
	size_t capacity;
	uint64_t wait_ms;
	bool full; /* nobody is accepted */
};

/* Errors: -ENOMEM libevent can't. The listener stays the caller's. */
int http_clients_init(struct http_clients *clients, struct event_base *base,
	struct evconnlistener *listener, size_t capacity, uint64_t wait_ms);
void http_clients_done(struct http_clients *clients);

/* The connection of one who comes; as evhttp_set_bevcb() wants it. */
struct bufferevent *http_clients_add(struct event_base *base, void *clients);

/* A request of it is whole (`owed`), or it was given the answer. */
void http_clients_note(
	struct http_clients *clients, const struct bufferevent *link, bool owed);
