/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "mom/control/server_inside.h"
#include "mom/mem.h"

#define ACCEPT_PAUSE_S 1 /* after descriptors ran out */

/* ---- clients and their queue ---- */

/* One request in each turn of the loop, so that the daemon's own work goes on. */
static void schedule(struct control_server *server)
{
	static const struct timeval now = {0};
	if (!TAILQ_EMPTY(&server->ready) && !evtimer_pending(server->work, NULL))
		evtimer_add(server->work, &now);
}

static void on_line(void *owner)
{
	struct client *client = owner;
	TAILQ_INSERT_TAIL(&client->server->ready, client, ready);
	client->is_ready = true;
	schedule(client->server);
}

static void leave_queue(struct client *client)
{
	if (client->is_ready)
		TAILQ_REMOVE(&client->server->ready, client, ready);
	client->is_ready = false;
}

static void client_free(struct client *client)
{
	struct control_server *server = client->server;
	leave_queue(client);
	TAILQ_REMOVE(&server->all, client, all);
	server->count--;
	if (client->owed)
		client->owed->client = NULL;
	control_connection_done(&client->connection);
	free(client);
}

static void on_sent(void *owner)
{
	struct client *client = owner;
	schedule(client->server);
}

static void on_gone(void *owner)
{
	struct client *client = owner;
	struct control_server *server = client->server;
	client_free(client);
	schedule(server);
}

static const struct control_hooks hooks = {
	.line = on_line,
	.sent = on_sent,
	.gone = on_gone,
};

static size_t all_unsent(const struct control_server *server)
{
	const struct client *client;
	size_t sum = 0;
	TAILQ_FOREACH(client, &server->all, all)
	sum += control_connection_unsent(&client->connection);
	return sum;
}

/* Slow readers hold up other readers, and for a deadline's time only; never a changer. */
static struct client *next_ready(const struct control_server *server)
{
	struct client *client;
	bool full = all_unsent(server) > server->limits.output;
	TAILQ_FOREACH(client, &server->ready, ready)
	if (!full || client->peer.access == CONTROL_CHANGE)
		return client;
	return NULL;
}

static void on_work(evutil_socket_t fd, short what, void *data)
{
	struct control_server *server = data;
	(void)fd, (void)what;
	struct client *client = next_ready(server);
	if (!client)
		return;
	leave_queue(client);
	dispatch_line(client);
	schedule(server);
}

/* ---- who comes in ---- */

static int admit(const struct control_server *server, int fd, struct control_peer *peer,
	struct err *err)
{
	int rc = control_peer_read(peer, fd, &server->rules, err);
	if (rc)
		return rc;
	if (peer->access == CONTROL_NONE)
		return err_set(
			err, -EACCES, "only root and the groups of momd may talk to it");
	size_t places = server->limits.clients;
	if (peer->access != CONTROL_CHANGE)
		places -= server->limits.admin_clients;
	if (server->count >= places)
		return err_set(
			err, -EBUSY, "%zu clients are connected already", server->count);
	return 0;
}

/* A line fits into a fresh socket's buffer; who doesn't read it gets none. */
static void refuse(int fd, const struct err *err)
{
	auto_free char *line = control_error_line(NULL, err);
	send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static int welcome(struct control_server *server, int fd, const struct control_peer *peer,
	struct err *err)
{
	struct control_limits limits = server->limits;
	if (peer->access == CONTROL_CHANGE)
		limits.line = limits.admin_line;
	struct client *client = mem_alloc(sizeof(*client));
	client->server = server;
	client->peer = *peer;
	int rc = control_connection_init(
		&client->connection, server->base, fd, &limits, &hooks, client, err);
	if (rc) {
		free(client);
		return rc;
	}
	TAILQ_INSERT_TAIL(&server->all, client, all);
	server->count++;
	control_connection_send(
		&client->connection, control_greeting_line(server->version));
	return 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *address, int length, void *data)
{
	struct control_server *server = data;
	struct control_peer peer;
	struct err err;
	(void)listener, (void)address, (void)length;
	if (admit(server, fd, &peer, &err))
		refuse(fd, &err);
	else
		welcome(server, fd, &peer, &err);
}

/* Out of descriptors: the listener would be readable without end. */
static void on_accept_error(struct evconnlistener *listener, void *data)
{
	struct control_server *server = data;
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	evconnlistener_disable(listener);
	evtimer_add(server->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *data)
{
	struct control_server *server = data;
	(void)fd, (void)what;
	evconnlistener_enable(server->listener);
}

/* ---- the server's life ---- */

static int start(struct control_server *server, struct err *err)
{
	server->listener = evconnlistener_new(server->base, on_accept, server,
		LEV_OPT_CLOSE_ON_EXEC, 0, server->socket.fd);
	if (!server->listener)
		return err_set(err, -ENOMEM, "cannot watch \"%s\"", server->socket.path);
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	server->work = evtimer_new(server->base, on_work, server);
	server->resume = evtimer_new(server->base, on_resume, server);
	/* json-c would print 0.2 with seventeen digits. */
	json_c_set_serialization_double_format("%.9g", JSON_C_OPTION_GLOBAL);
	/* A client that leaves while it is answered is an error code, not an end. */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int control_server_new(struct control_server **server, struct event_base *base,
	const struct control_server_settings *settings,
	const struct control_method *methods, void *context, struct err *err)
{
	struct control_server *fresh = mem_alloc(sizeof(*fresh));
	*fresh = (struct control_server){
		.base = base,
		.limits = settings->limits,
		.version = mem_dup(settings->version),
		.topics = settings->topics,
		.methods = methods,
		.context = context,
		.note = settings->note,
	};
	TAILQ_INIT(&fresh->all);
	TAILQ_INIT(&fresh->ready);
	int rc = control_rules_init(
		&fresh->rules, settings->group, settings->admin_group, err);
	if (!rc)
		rc = control_socket_open(
			&fresh->socket, settings->socket, &fresh->rules, err);
	if (!rc)
		rc = start(fresh, err);
	if (rc) {
		control_server_free(fresh);
		return err_prefix(err, "control");
	}
	*server = fresh;
	return 0;
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->all))
		client_free(TAILQ_FIRST(&server->all));
	if (server->listener) {
		evconnlistener_free(server->listener);
		event_free(server->work);
		event_free(server->resume);
	}
	control_socket_close(&server->socket);
	free(server->version);
	free(server);
}
