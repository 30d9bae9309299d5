/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/http/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "mom/http/clients.h"
#include "mom/http/listen.h"
#include "mom/loopback.h"
#include "mom/mem.h"

#define STATUS_OK        200
#define STATUS_FORBIDDEN 403
#define STATUS_NOT_FOUND 404
#define STATUS_METHOD    405

#define ANY_METHOD 0xffff /* ours is the better refusal */

struct http_request {
	struct http_server *server; /* NULL: has ended */
	struct evhttp_request *raw; /* NULL: has ended with the server */
	const struct http_route *route;
	struct evkeyvalq query;
	TAILQ_ENTRY(http_request) all;
};

TAILQ_HEAD(http_requests, http_request);

struct http_server {
	struct http_place place;
	struct evhttp *http;
	struct http_clients clients;
	const struct http_route *routes;
	void *context;
	struct http_requests owed;
};

/* What a browser may do with an answer: show it, and load nothing from elsewhere. */
static const struct {
	const char *name, *value;
} security_headers[] = {
	{"Content-Security-Policy",
		"default-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

/* ---- answers ---- */

static struct bufferevent *link_of(struct evhttp_request *raw)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(raw);
	return connection ? evhttp_connection_get_bufferevent(connection) : NULL;
}

static void request_free(struct http_request *request)
{
	if (request->server)
		TAILQ_REMOVE(&request->server->owed, request, all);
	evhttp_clear_headers(&request->query);
	free(request);
}

static void on_read(struct evhttp_request *raw, void *context)
{
	http_clients_note(context, link_of(raw), false);
}

static void set_default(struct evkeyvalq *headers, const char *name, const char *value)
{
	if (!evhttp_find_header(headers, name))
		evhttp_add_header(headers, name, value);
}

/* libevent would send it after a HEAD, too. */
static void leave_out(struct evbuffer *body, struct evkeyvalq *headers)
{
	char length[24];
	snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
	evhttp_add_header(headers, "Content-Length", length);
	evbuffer_drain(body, evbuffer_get_length(body));
}

/* Takes the body over; nobody minds if the client has left. */
static void reply(
	struct http_request *request, int status, const char *type, struct evbuffer *body)
{
	struct evhttp_request *raw = request->raw;
	if (raw) {
		struct http_clients *clients = &request->server->clients;
		struct evkeyvalq *headers = evhttp_request_get_output_headers(raw);
		for (size_t i = 0; i < ARRAY_SIZE(security_headers); i++)
			set_default(headers, security_headers[i].name,
				security_headers[i].value);
		set_default(headers, "Content-Type", type);
		set_default(headers, "Cache-Control", "no-store");
		if (evhttp_request_get_command(raw) == EVHTTP_REQ_HEAD)
			leave_out(body, headers);
		http_clients_note(clients, link_of(raw), false);
		evhttp_request_set_on_complete_cb(raw, on_read, clients);
		evhttp_send_reply(raw, status, NULL, body);
	}
	evbuffer_free(body);
	request_free(request);
}

static struct evbuffer *new_body(void)
{
	struct evbuffer *body = evbuffer_new();
	if (!body)
		abort();
	return body;
}

void http_send(
	struct http_request *request, const char *type, const void *data, size_t size)
{
	struct evbuffer *body = new_body();
	if (evbuffer_add(body, data, size) < 0)
		abort();
	reply(request, STATUS_OK, type ? type : request->route->type, body);
}

static void let_go(const void *data, size_t size, void *text)
{
	(void)data;
	(void)size;
	free(text);
}

void http_send_text(struct http_request *request, const char *type, char *text)
{
	struct evbuffer *body = new_body();
	if (evbuffer_add_reference(body, text, strlen(text), let_go, text) < 0)
		abort();
	reply(request, STATUS_OK, type ? type : request->route->type, body);
}

void http_refuse(struct http_request *request, int status, const char *format, ...)
{
	struct evbuffer *body = new_body();
	va_list args;
	va_start(args, format);
	if (evbuffer_add_vprintf(body, format, args) < 0 ||
		evbuffer_add(body, "\n", 1) < 0)
		abort();
	va_end(args);
	reply(request, status, "text/plain; charset=utf-8", body);
}

/* ---- requests ---- */

const char *http_param(const struct http_request *request, const char *name)
{
	return evhttp_find_header(&request->query, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
	if (!request->raw)
		return NULL;
	return evhttp_find_header(evhttp_request_get_input_headers(request->raw), name);
}

void http_set_header(struct http_request *request, const char *name, const char *value)
{
	if (request->raw)
		evhttp_add_header(
			evhttp_request_get_output_headers(request->raw), name, value);
}

/* Both the header and an address in the request's first line, where it has one. */
static bool is_meant(const struct http_request *request, const struct evhttp_uri *uri)
{
	const char *other = evhttp_uri_get_host(uri);
	if (!request->server->place.port)
		return true; /* no browser speaks to a Unix socket */
	return loopback_is_host(http_header(request, "Host")) &&
	       (!other || loopback_is_host(other));
}

static const struct http_route *find_route(
	const struct http_server *server, const char *path)
{
	const struct http_route *route = server->routes;
	while (route->path && strcmp(route->path, path ? path : "") != 0)
		route++;
	return route->path ? route : NULL;
}

static void handle(struct http_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->raw);
	const enum evhttp_cmd_type method = evhttp_request_get_command(request->raw);
	if (!is_meant(request, uri)) {
		http_refuse(request, STATUS_FORBIDDEN,
			"only by a name of this host's own, such as localhost");
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		http_set_header(request, "Allow", "GET, HEAD");
		http_refuse(request, STATUS_METHOD, "there is nothing to change here");
	} else if (!(request->route = find_route(
			     request->server, evhttp_uri_get_path(uri)))) {
		http_refuse(request, STATUS_NOT_FOUND, "there is no such page");
	} else {
		const char *query = evhttp_uri_get_query(uri);
		if (query)
			evhttp_parse_query_str(query, &request->query);
		request->route->handle(request->server->context, request);
	}
}

static void on_request(struct evhttp_request *raw, void *context)
{
	struct http_server *server = context;
	struct http_request *request = mem_alloc(sizeof(*request));
	*request = (struct http_request){.server = server, .raw = raw};
	TAILQ_INIT(&request->query);
	TAILQ_INSERT_TAIL(&server->owed, request, all);
	http_clients_note(&server->clients, link_of(raw), true);
	handle(request);
}

/* ---- the server ---- */

static int start(struct http_server *server, struct event_base *base,
	const struct http_limits *limits, struct err *err)
{
	server->http = evhttp_new(base);
	struct evconnlistener *listener = evconnlistener_new(
		base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, server->place.fd);
	if (!server->http || !listener) {
		if (listener)
			evconnlistener_free(listener);
		return err_set(err, -ENOMEM, "libevent cannot serve HTTP");
	}
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)limits->headers);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_allowed_methods(server->http, ANY_METHOD);
	evhttp_set_timeout(server->http, (int)(limits->wait_ms / 1000) + 1);
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_bevcb(server->http, http_clients_add, &server->clients);
	int rc = http_clients_init(
		&server->clients, base, listener, limits->clients, limits->wait_ms);
	if (rc || !evhttp_bind_listener(server->http, listener)) {
		evconnlistener_free(listener);
		return err_set(err, -ENOMEM, "libevent cannot serve HTTP");
	}
	return 0;
}

int http_server_new(struct http_server **server, struct event_base *base,
	const struct http_settings *settings, const struct http_route *routes,
	void *context, struct err *err)
{
	struct http_server *fresh = mem_alloc(sizeof(*fresh));
	*fresh = (struct http_server){.routes = routes, .context = context};
	TAILQ_INIT(&fresh->owed);
	int rc = http_place_open(&fresh->place, settings->listen, settings->group,
		settings->admin_group, err);
	if (!rc)
		rc = start(fresh, base, &settings->limits, err);
	if (rc) {
		http_server_free(fresh);
		return err_prefix(err, "http");
	}
	*server = fresh;
	return 0;
}

/* Their connections go with the server; a request that has lost its own is still ours. */
static void orphan(struct http_server *server)
{
	struct http_request *request;
	while ((request = TAILQ_FIRST(&server->owed))) {
		TAILQ_REMOVE(&server->owed, request, all);
		if (!evhttp_request_get_connection(request->raw))
			evhttp_request_free(request->raw);
		request->server = NULL;
		request->raw = NULL;
	}
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	orphan(server);
	if (server->http)
		evhttp_free(server->http);
	http_clients_done(&server->clients);
	http_place_close(&server->place);
	free(server);
}
