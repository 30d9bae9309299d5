/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/web.h"

#include <errno.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/daemon.h"
#include "mom/http/server.h"
#include "mom/mem.h"

/* ---- files ---- */

static void send_file(struct http_request *request, const char *text)
{
	http_send(request, NULL, text, strlen(text));
}

void web_answer_page(void *context, struct http_request *request)
{
	(void)context;
	send_file(request, web_page_html);
}

void web_answer_style(void *context, struct http_request *request)
{
	(void)context;
	send_file(request, web_mom_css);
}

void web_answer_script(void *context, struct http_request *request)
{
	(void)context;
	send_file(request, web_mom_js);
}

void web_answer_icon(void *context, struct http_request *request)
{
	(void)context;
	send_file(request, web_mom_svg);
}

/* ---- methods of the control socket ---- */

/* Texts, all of them: who wants a number reads it out of one. */
static struct json_object *read_params(const struct http_request *request)
{
	static const char *const names[] = {
		"guest", "since", "until", "last_s", "limit", "points", "step_s"};
	struct json_object *params = json_object_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = http_param(request, names[i]);
		if (value)
			json_object_object_add(
				params, names[i], control_json_text(value));
	}
	return params;
}

static void send_json(struct http_request *request, struct json_object *result)
{
	const char *text = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN);
	http_send(request, NULL, text, strlen(text));
}

static void refuse(struct http_request *request, const struct err *err)
{
	static const struct {
		int code, status;
	} known[] = {{-EINVAL, 400}, {-ERANGE, 400}, {-ENOENT, 404}, {-EAGAIN, 503},
		{-EBUSY, 503}, {-EOPNOTSUPP, 404}, {-ETIMEDOUT, 503}, {-ECANCELED, 503}};
	int status = 500;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].code == err->code)
			status = known[i].status;
	http_refuse(request, status, "%s", err->text);
}

static void send_answer(void *request, struct json_object *result, const struct err *err)
{
	if (err)
		refuse(request, err);
	else
		send_json(request, result);
}

/* Only methods that change nothing: whoever comes by HTTP may read, and no more. */
static void answer(void *context, struct http_request *request, const char *name)
{
	struct json_object *params = read_params(request);
	control_method_ask(daemon_methods, context, name, params, send_answer, request);
	json_object_put(params);
}

void web_answer_status(void *context, struct http_request *request)
{
	answer(context, request, "status");
}

void web_answer_explain(void *context, struct http_request *request)
{
	answer(context, request, "explain");
}

void web_answer_events(void *context, struct http_request *request)
{
	answer(context, request, "events");
}

void web_answer_history(void *context, struct http_request *request)
{
	answer(context, request, "history");
}
