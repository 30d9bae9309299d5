/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/server_inside.h"

static const struct control_topic *find_topic(
	const struct control_server *server, const char *name)
{
	const struct control_topic *topic = server->topics;
	while (topic && topic->name && strcmp(topic->name, name) != 0)
		topic++;
	return topic && topic->name ? topic : NULL;
}

int topics_subscribe(struct client *client, struct json_object *params, struct err *err)
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
