/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "mom/control/change.h"
#include "mom/control/connection.h"
#include "mom/control/listen.h"
#include "mom/mem.h"

#define ACCEPT_PAUSE_S 1 /* after descriptors ran out */

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

/* ---- methods ---- */

static void answer(struct client *client, struct json_object *id,
	struct json_object *result, const struct err *err)
{
	control_connection_send(&client->connection,
		err ? control_error_line(id, err) : control_result_line(id, result));
}

static const char *access_name(enum control_access access)
{
	return access == CONTROL_CHANGE ? "change" : "read";
}

static struct json_object *list_methods(const struct control_server *server)
{
	struct json_object *list = json_object_new_array();
	for (const struct control_method *m = server->methods; m->name; m++) {
		struct json_object *entry = json_object_new_object();
		json_object_object_add(entry, "name", control_json_text(m->name));
		json_object_object_add(
			entry, "access", control_json_text(access_name(m->access)));
		json_object_object_add(entry, "help", control_json_text(m->help));
		json_object_array_add(list, entry);
	}
	return list;
}

static const struct control_topic *find_topic(
	const struct control_server *server, const char *name)
{
	const struct control_topic *topic = server->topics;
	while (topic && topic->name && strcmp(topic->name, name) != 0)
		topic++;
	return topic && topic->name ? topic : NULL;
}

static int subscribe(struct client *client, struct json_object *params, struct err *err)
{
	const char *wanted;
	int rc = control_need_text(params, "topic", &wanted, err);
	if (rc)
		return rc;
	const struct control_topic *topic = find_topic(client->server, wanted);
	if (!topic)
		return err_set(err, -ENOENT, "there is no topic \"%s\"", wanted);
	client->topic = topic;
	client->connection.patient = true;
	return 0;
}

/* What the server answers on its own; whether it was that. */
static bool call_own(struct client *client, const struct control_request *request)
{
	struct json_object *result = NULL;
	struct err err;
	int rc = 0;
	if (strcmp(request->method, "methods") == 0)
		result = list_methods(client->server);
	else if (strcmp(request->method, "subscribe") == 0)
		rc = subscribe(client, request->params, &err);
	else
		return false;
	answer(client, request->id, result, rc ? &err : NULL);
	json_object_put(result);
	return true;
}

static void note_change(const struct client *client, const struct control_method *method,
	const struct control_request *request, const struct err *err)
{
	const struct control_server *server = client->server;
	if (!server->note || !method->change)
		return;
	auto_free char *change = control_change_text(method->change, request->params);
	auto_free char *user = client->peer.uid
				       ? mem_printf("user %u", (unsigned)client->peer.uid)
				       : mem_dup("root");
	auto_free char *text =
		mem_printf("%s (process %d) asks to %s%s%s", user, (int)client->peer.pid,
			change, err ? ", in vain: " : "", err ? err->text : "");
	server->note(server->context, text);
}

static void start_method(struct client *client, const struct control_method *method,
	const struct control_request *request)
{
	struct control_reply *reply = mem_alloc(sizeof(*reply));
	*reply = (struct control_reply){
		.client = client, .id = json_object_get(request->id)};
	client->owed = reply;
	note_change(client, method, request, NULL);
	method->start(client->server->context, request->params, reply);
}

static void call_method(struct client *client, const struct control_method *method,
	const struct control_request *request)
{
	struct json_object *result = NULL;
	struct err err = {.text = "failed"};
	int rc = method->call(client->server->context, request->params, &result, &err);
	err.code = rc;
	note_change(client, method, request, rc < 0 ? &err : NULL);
	answer(client, request->id, result, rc < 0 ? &err : NULL);
	json_object_put(result);
}

static const struct control_method *find_method(
	const struct control_server *server, const char *name)
{
	const struct control_method *method = server->methods;
	while (method->name && strcmp(method->name, name) != 0)
		method++;
	return method->name ? method : NULL;
}

static int check_method(const struct client *client, const struct control_method *method,
	const struct control_request *request, struct err *err)
{
	if (!method)
		return err_set(err, -ENOSYS, "momd %s has no method \"%.64s\"",
			client->server->version, request->method);
	if (client->peer.access < method->access)
		return err_set(err, -EACCES,
			"%s is for root and the admin group of momd only", method->name);
	return 0;
}

static void dispatch(struct client *client, const struct control_request *request)
{
	struct err err;
	if (call_own(client, request))
		return;
	const struct control_method *method =
		find_method(client->server, request->method);
	if (check_method(client, method, request, &err))
		answer(client, request->id, NULL, &err);
	else if (method->start)
		start_method(client, method, request);
	else
		call_method(client, method, request);
}

static void serve(struct client *client)
{
	struct control_request request;
	struct err err;
	size_t length;
	leave_queue(client);
	auto_free char *line = control_connection_take_line(&client->connection, &length);
	if (control_parse_request(&request, line, length, &err))
		answer(client, request.id, NULL, &err);
	else
		dispatch(client, &request);
	control_request_done(&request);
}

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
	serve(client);
	schedule(server);
}

void control_reply_send(
	struct control_reply *reply, struct json_object *result, const struct err *err)
{
	if (reply->answer) {
		reply->answer(reply->asker, result, err);
	} else if (reply->client) {
		reply->client->owed = NULL;
		answer(reply->client, reply->id, result, err);
	}
	json_object_put(result);
	json_object_put(reply->id);
	free(reply);
}

void control_method_ask(const struct control_method *methods, void *context,
	const char *name, struct json_object *params, control_answer_fn told, void *asker)
{
	const struct control_method *method = methods;
	struct control_reply *reply = mem_alloc(sizeof(*reply));
	struct json_object *result = NULL;
	struct err err = {.text = "failed"};
	*reply = (struct control_reply){.answer = told, .asker = asker};
	while (method->name && strcmp(method->name, name) != 0)
		method++;
	if (method->start) {
		method->start(context, params, reply);
		return;
	}
	err.code = method->name
			   ? method->call(context, params, &result, &err)
			   : err_set(&err, -ENOSYS, "there is no method \"%s\"", name);
	control_reply_send(reply, result, err.code < 0 ? &err : NULL);
}

static bool hears(const struct client *client, const char *topic)
{
	return client->topic && strcmp(client->topic->name, topic) == 0;
}

/* A client that has asked something, or hasn't read, is in no state to be told more. */
static bool may_be_told(const struct client *client)
{
	const struct control_connection *connection = &client->connection;
	return connection->phase == CONTROL_IDLE ||
	       (connection->phase == CONTROL_REPLY && !connection->closing &&
		       control_connection_unsent(connection) < client->topic->backlog);
}

bool control_server_watched(const struct control_server *server, const char *topic)
{
	const struct client *client;
	if (!server)
		return false;
	TAILQ_FOREACH(client, &server->all, all)
	if (hears(client, topic))
		return true;
	return false;
}

void control_server_publish(
	struct control_server *server, const char *topic, struct json_object *data)
{
	struct client *client;
	TAILQ_FOREACH(client, &server->all, all)
	{
		if (!hears(client, topic))
			continue;
		if (!may_be_told(client)) {
			client->missed++;
			server->missed++;
			continue;
		}
		control_connection_send(&client->connection,
			control_event_line(topic, data, client->missed));
		client->missed = 0;
	}
}

struct control_server_load control_server_load(const struct control_server *server)
{
	return server ? (struct control_server_load){server->count, server->missed}
		      : (struct control_server_load){0};
}

void control_server_refresh(struct control_server *server)
{
	const struct control_topic *topic = server->topics;
	for (; topic && topic->name; topic++) {
		if (!topic->build || !control_server_watched(server, topic->name))
			continue;
		struct json_object *data = topic->build(server->context);
		if (data)
			control_server_publish(server, topic->name, data);
		json_object_put(data);
	}
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
