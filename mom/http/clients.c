/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/http/clients.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "mom/mem.h"

#define LOOK_MS      1000
#define LOOK_FULL_MS 100 /* somebody waits to be let in */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The HTTP server has let go of it: it hears nothing of it any more. */
static bool has_left(const struct http_client *client)
{
	void *owner;
	bufferevent_getcb(client->link, NULL, NULL, NULL, &owner);
	return !owner;
}

static void leave(struct http_client *client)
{
	bufferevent_decref(client->link);
	*client = (struct http_client){0};
}

/* Who waits for an answer isn't to blame, but who doesn't read one is. */
static bool is_late(
	const struct http_clients *clients, const struct http_client *client, int64_t now)
{
	return !client->owed && now - client->since_ms > (int64_t)clients->wait_ms;
}

/* Forget those who left, and end those whose time is up: the server sees the end. */
static size_t count_present(struct http_clients *clients)
{
	int64_t now = now_ms();
	size_t count = 0;
	for (size_t i = 0; i < clients->capacity; i++) {
		struct http_client *client = &clients->places[i];
		if (client->link && has_left(client))
			leave(client);
		if (!client->link)
			continue;
		count++;
		if (is_late(clients, client, now))
			shutdown(bufferevent_getfd(client->link), SHUT_RDWR);
	}
	return count;
}

static void look_again(struct http_clients *clients)
{
	int wait_ms = clients->full ? LOOK_FULL_MS : LOOK_MS;
	struct timeval delay = {
		.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	if (clients->full || !evtimer_pending(clients->look, NULL))
		evtimer_add(clients->look, &delay);
}

static void on_look(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct http_clients *clients = context;
	size_t count = count_present(clients);
	if (clients->full && count < clients->capacity) {
		clients->full = false;
		evconnlistener_enable(clients->listener);
	}
	if (count)
		look_again(clients);
}

static void close_doors(struct http_clients *clients)
{
	clients->full = true;
	evconnlistener_disable(clients->listener);
	look_again(clients);
}

/* The server is out of descriptors: a pause, for the kernel would wake us at once. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
	(void)listener;
	close_doors(context);
}

int http_clients_init(struct http_clients *clients, struct event_base *base,
	struct evconnlistener *listener, size_t capacity, uint64_t wait_ms)
{
	*clients = (struct http_clients){
		.base = base,
		.listener = listener,
		.look = evtimer_new(base, on_look, clients),
		.places = mem_array(capacity, sizeof(*clients->places)),
		.capacity = capacity,
		.wait_ms = wait_ms,
	};
	evconnlistener_set_error_cb(listener, on_accept_error);
	return clients->look ? 0 : -ENOMEM;
}

void http_clients_done(struct http_clients *clients)
{
	for (size_t i = 0; clients->places && i < clients->capacity; i++)
		if (clients->places[i].link)
			leave(&clients->places[i]);
	if (clients->look)
		event_free(clients->look);
	free(clients->places);
	*clients = (struct http_clients){0};
}

static struct http_client *find(
	struct http_clients *clients, const struct bufferevent *link)
{
	for (size_t i = 0; i < clients->capacity; i++)
		if (clients->places[i].link == link)
			return &clients->places[i];
	return NULL;
}

struct bufferevent *http_clients_add(struct event_base *base, void *context)
{
	struct http_clients *clients = context;
	struct bufferevent *link = bufferevent_socket_new(base, -1, 0);
	count_present(clients);
	struct http_client *place = find(clients, NULL);
	if (!link || !place)
		return link;
	bufferevent_incref(link);
	*place = (struct http_client){.link = link, .since_ms = now_ms()};
	look_again(clients);
	if (!find(clients, NULL))
		close_doors(clients);
	return link;
}

void http_clients_note(
	struct http_clients *clients, const struct bufferevent *link, bool owed)
{
	struct http_client *client = link ? find(clients, link) : NULL;
	if (!client)
		return;
	client->owed = owed;
	client->since_ms = now_ms();
}
