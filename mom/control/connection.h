/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One client of the control socket: takes lines apart, sends answers, and loses patience.
 * It goes round through its phases; a line is announced only when the answer to the one
 * before has been read, so what a client has waiting here is one line and one answer.
 */

#include <stdbool.h>
#include <stddef.h>

#include "mom/control/limits.h"
#include "mom/err.h"

struct bufferevent;
struct event;
struct event_base;

enum control_phase {
	CONTROL_IDLE,
	CONTROL_LINE,  /* half a line is here */
	CONTROL_WORK,  /* a whole line is here or taken, its answer isn't */
	CONTROL_REPLY, /* something to be read is under way */
};

/* What the owner is told. */
struct control_hooks {
	void (*line)(void *owner); /* control_connection_take_line() has one */
	void (*sent)(void *owner); /* all that was sent has been read */
	void (*gone)(void *owner); /* free it now */
};

struct control_connection {
	struct bufferevent *stream;
	struct event *deadline;
	const struct control_hooks *hooks;
	void *owner;
	struct control_limits limits; /* its `line` is this client's own */
	enum control_phase phase;
	size_t scanned; /* bytes of input that hold no newline */
	bool ended;     /* the client sends no more */
	bool closing;   /* to be gone when its output is out */
	bool patient;   /* it listens: may be idle for ever */
};

/* `fd` is the connection's from here on, also on errors (-ENOMEM). */
int control_connection_init(struct control_connection *connection,
	struct event_base *base, int fd, const struct control_limits *limits,
	const struct control_hooks *hooks, void *owner, struct err *err);
void control_connection_done(struct control_connection *connection);

/* The line that was announced, without its newline; freed by the caller. */
char *control_connection_take_line(struct control_connection *connection, size_t *length);

/* Send a line that ends with a newline; `line` is freed. */
void control_connection_send(struct control_connection *connection, char *line);

/* Send the last words and be gone. */
void control_connection_finish(struct control_connection *connection, char *line);

/* Bytes that wait to be read by the client. */
size_t control_connection_unsent(const struct control_connection *connection);
