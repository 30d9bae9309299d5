/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/change.h"
#include "mom/control/server_inside.h"
#include "mom/mem.h"

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

/* What the server answers on its own; whether it was that. */
static bool call_own(struct client *client, const struct control_request *request)
{
	struct json_object *result = NULL;
	struct err err;
	int rc = 0;
	if (strcmp(request->method, "methods") == 0)
		result = list_methods(client->server);
	else if (strcmp(request->method, "subscribe") == 0)
		rc = topics_subscribe(client, request->params, &err);
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
	const struct control_method *method, const char *name)
{
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
		find_method(client->server->methods, request->method);
	if (check_method(client, method, request, &err))
		answer(client, request->id, NULL, &err);
	else if (method->start)
		start_method(client, method, request);
	else
		call_method(client, method, request);
}

void dispatch_line(struct client *client)
{
	struct control_request request;
	struct err err;
	size_t length;
	auto_free char *line = control_connection_take_line(&client->connection, &length);
	if (control_parse_request(&request, line, length, &err))
		answer(client, request.id, NULL, &err);
	else
		dispatch(client, &request);
	control_request_done(&request);
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
	const struct control_method *method = find_method(methods, name);
	struct control_reply *reply = mem_alloc(sizeof(*reply));
	struct json_object *result = NULL;
	struct err err = {.text = "failed"};
	*reply = (struct control_reply){.answer = told, .asker = asker};
	if (method && method->start) {
		method->start(context, params, reply);
		return;
	}
	err.code = method ? method->call(context, params, &result, &err)
			  : err_set(&err, -ENOSYS, "there is no method \"%s\"", name);
	control_reply_send(reply, result, err.code < 0 ? &err : NULL);
}
