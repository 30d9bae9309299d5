/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/connection.h"

#include <errno.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "mom/control/codec.h"
#include "mom/mem.h"

static void set_deadline(struct control_connection *connection, uint64_t ms)
{
	const struct timeval within = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};
	evtimer_add(connection->deadline, &within);
}

/* Time runs from the entry into a phase: dripping bytes don't make it longer. */
static void enter(struct control_connection *connection, enum control_phase phase)
{
	const struct control_limits *limits = &connection->limits;
	if (connection->phase == phase)
		return;
	connection->phase = phase;
	if (phase == CONTROL_WORK || (phase == CONTROL_IDLE && connection->patient))
		evtimer_del(connection->deadline);
	else if (phase == CONTROL_IDLE)
		set_deadline(connection, limits->idle_ms);
	else if (phase == CONTROL_LINE)
		set_deadline(connection, limits->line_ms);
	else
		set_deadline(connection, limits->reply_ms);
}

size_t control_connection_unsent(const struct control_connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

static void free_line(const void *line, size_t length, void *data)
{
	(void)line, (void)length;
	free(data);
}

/* Long answers aren't copied once more. */
void control_connection_send(struct control_connection *connection, char *line)
{
	evbuffer_add_reference(bufferevent_get_output(connection->stream), line,
		strlen(line), free_line, line);
	enter(connection, CONTROL_REPLY);
}

void control_connection_finish(struct control_connection *connection, char *line)
{
	connection->closing = true;
	bufferevent_disable(connection->stream, EV_READ);
	control_connection_send(connection, line);
}

/* Where the first newline stands, looking at each byte once; −1 not yet here. */
static ssize_t find_newline(struct control_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);
	struct evbuffer_ptr from;
	evbuffer_ptr_set(input, &from, connection->scanned, EVBUFFER_PTR_SET);
	ssize_t at = evbuffer_search(input, "\n", 1, &from).pos;
	connection->scanned = at < 0 ? evbuffer_get_length(input) : (size_t)at;
	return at;
}

static void refuse_long(struct control_connection *connection)
{
	struct err err;
	err_set(&err, -EMSGSIZE, "a request of more than %zu bytes is not taken",
		connection->limits.line);
	control_connection_finish(connection, control_error_line(NULL, &err));
}

/* Look at the input: what comes next for a client that waits for nothing. */
static void look(struct control_connection *connection)
{
	if (find_newline(connection) >= 0) {
		enter(connection, CONTROL_WORK);
		connection->hooks->line(connection->owner);
	} else if (connection->scanned >= connection->limits.line) {
		refuse_long(connection);
	} else if (connection->ended) {
		connection->hooks->gone(connection->owner);
	} else {
		enter(connection, connection->scanned ? CONTROL_LINE : CONTROL_IDLE);
	}
}

char *control_connection_take_line(struct control_connection *connection, size_t *length)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);
	*length = connection->scanned;
	char *line = mem_alloc(*length + 1);
	evbuffer_remove(input, line, *length);
	evbuffer_drain(input, 1);
	connection->scanned = 0;
	return line;
}

/* While it fills the input and nothing is taken of that, libevent would tell for ever. */
static void on_read(struct bufferevent *stream, void *data)
{
	struct control_connection *connection = data;
	if (connection->phase == CONTROL_IDLE || connection->phase == CONTROL_LINE)
		look(connection);
	else if (evbuffer_get_length(bufferevent_get_input(stream)) >=
		 connection->limits.line)
		bufferevent_disable(stream, EV_READ);
}

/* The output is empty. */
static void on_written(struct bufferevent *stream, void *data)
{
	struct control_connection *connection = data;
	if (connection->phase != CONTROL_REPLY)
		return;
	connection->hooks->sent(connection->owner);
	if (connection->closing) {
		connection->hooks->gone(connection->owner);
	} else {
		bufferevent_enable(stream, EV_READ);
		look(connection);
	}
}

/* A client may close its sending side and still read what it is owed. */
static void on_event(struct bufferevent *stream, short what, void *data)
{
	struct control_connection *connection = data;
	(void)stream;
	if (!(what & BEV_EVENT_EOF)) {
		connection->hooks->gone(connection->owner);
		return;
	}
	connection->ended = true;
	if (connection->phase == CONTROL_IDLE || connection->phase == CONTROL_LINE)
		look(connection);
}

static void on_deadline(evutil_socket_t fd, short what, void *data)
{
	struct control_connection *connection = data;
	(void)fd, (void)what;
	connection->hooks->gone(connection->owner);
}

int control_connection_init(struct control_connection *connection,
	struct event_base *base, int fd, const struct control_limits *limits,
	const struct control_hooks *hooks, void *owner, struct err *err)
{
	struct bufferevent *stream =
		bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!stream) {
		close(fd);
		return err_set(err, -ENOMEM, "cannot watch a client's socket");
	}
	*connection = (struct control_connection){
		.stream = stream,
		.hooks = hooks,
		.owner = owner,
		.limits = *limits,
	};
	connection->deadline = evtimer_new(base, on_deadline, connection);
	bufferevent_setcb(stream, on_read, on_written, on_event, connection);
	bufferevent_setwatermark(stream, EV_READ, 0, limits->line);
	bufferevent_enable(stream, EV_READ | EV_WRITE);
	return 0;
}

void control_connection_done(struct control_connection *connection)
{
	if (!connection->stream)
		return;
	event_free(connection->deadline);
	bufferevent_free(connection->stream);
	*connection = (struct control_connection){0};
}
