/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mom/control/client.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

#define DEADLINE_MS 10000

static int fail_open(const struct err *err)
{
	switch (err->code) {
	case -ENOENT:
	case -ECONNREFUSED:
		return momctl_fail(MOMCTL_NO_MOMD, "%s", err->text);
	case -EACCES:
		return momctl_fail(MOMCTL_DENIED, "%s", err->text);
	case -EPROTONOSUPPORT:
		return momctl_fail(MOMCTL_VERSION, "%s", err->text);
	default:
		return momctl_fail(MOMCTL_FAILED, "%s", err->text);
	}
}

/* A method that the daemon doesn't know: is it of another version, or isn't it built? */
static int fail_method(const struct control_client *client, const struct err *err)
{
	if (strcmp(control_client_version(client), PACKAGE_VERSION) == 0)
		return momctl_fail(MOMCTL_FAILED, "%s", err->text);
	return momctl_fail(MOMCTL_VERSION,
		"%s; momctl is version %s: install the same of both", err->text,
		PACKAGE_VERSION);
}

static int fail_call(const struct control_client *client, const struct err *err)
{
	switch (err->code) {
	case -EACCES:
		return momctl_fail(MOMCTL_DENIED, "%s", err->text);
	case -ENOSYS:
		return fail_method(client, err);
	default:
		return momctl_fail(MOMCTL_FAILED, "%s", err->text);
	}
}

static int connect_within(
	const struct momctl *ctl, uint64_t deadline_ms, struct control_client **client)
{
	struct err err;
	if (control_client_open(client, ctl->socket, deadline_ms, &err))
		return fail_open(&err);
	return MOMCTL_OK;
}

int momctl_connect(const struct momctl *ctl, struct control_client **client)
{
	return connect_within(ctl, DEADLINE_MS, client);
}

int momctl_ask(struct control_client *client, const char *method,
	struct json_object *params, struct json_object **result)
{
	struct err err;
	int code = MOMCTL_OK;
	if (control_call(client, method, params, result, &err))
		code = fail_call(client, &err);
	json_object_put(params);
	return code;
}

int momctl_call_within(const struct momctl *ctl, const char *method,
	struct json_object *params, uint64_t deadline_ms, struct json_object **result)
{
	struct control_client *client = NULL;
	int code = connect_within(ctl, deadline_ms, &client);
	if (code)
		json_object_put(params);
	else
		code = momctl_ask(client, method, params, result);
	control_client_close(client);
	return code;
}

int momctl_call(const struct momctl *ctl, const char *method, struct json_object *params,
	struct json_object **result)
{
	return momctl_call_within(ctl, method, params, DEADLINE_MS, result);
}

/* What the daemon has to say beside "done": that it couldn't keep it, say. */
static void print_note(const struct momctl *ctl, struct json_object *result)
{
	const char *note = json_get_text(result, "note");
	if (*note)
		output_line(&ctl->out, "note: ", "%s", note);
}

int momctl_do(const struct momctl *ctl, const char *method, struct json_object *params,
	const char *done, ...)
{
	struct json_object *result = NULL;
	int code = momctl_call(ctl, method, params, &result);
	if (code)
		return code;
	va_list args;
	va_start(args, done);
	auto_free char *text = mem_vprintf(done, args);
	va_end(args);
	if (ctl->json) {
		json_print(ctl->out.file, result);
	} else {
		output_line(&ctl->out, "", "%s", text);
		print_note(ctl, result);
	}
	json_object_put(result);
	return MOMCTL_OK;
}
