/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/pages.h"

#include <grp.h>
#include <string.h>

#include "mom/daemon.h"
#include "mom/http/server.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/metrics.h"
#include "mom/web.h"

static void answer_metrics(void *context, struct http_request *request)
{
	const struct daemon *daemon = context;
	enum metrics_format format = metrics_accept(http_header(request, "Accept"));
	http_set_header(request, "Vary", "Accept");
	http_send_text(request, metrics_type(format), metrics_build(daemon, format));
}

static const struct http_route routes[] = {
	{"/metrics", "text/plain; charset=utf-8", answer_metrics},
	{"/", "text/html; charset=utf-8", web_answer_page},
	{"/mom.css", "text/css; charset=utf-8", web_answer_style},
	{"/mom.js", "text/javascript; charset=utf-8", web_answer_script},
	{"/mom.svg", "image/svg+xml", web_answer_icon},
	{"/api/status", "application/json", web_answer_status},
	{"/api/explain", "application/json", web_answer_explain},
	{"/api/history", "application/json", web_answer_history},
	{"/api/events", "application/json", web_answer_events},
	{0},
};

/* The control socket has told of a group that isn't there. */
static const char *group_or_none(const char *name)
{
	return *name && getgrnam(name) ? name : "";
}

static void begin(struct daemon *daemon, const struct config *config)
{
	const struct http_settings settings = {
		.listen = config->http.listen,
		.group = group_or_none(config->control.group),
		.admin_group = group_or_none(config->control.admin_group),
		.limits = HTTP_LIMITS_DEFAULT,
	};
	struct err err;
	if (http_server_new(
		    &daemon->http, daemon->base, &settings, routes, daemon, &err) < 0) {
		log_warning("%s; serving no pages", err.text);
		mem_replace(&daemon->http_trouble, err.text);
		return;
	}
	daemon->http_listen = mem_dup(settings.listen);
	log_info("http: serving on %s", settings.listen);
}

void pages_follow(struct daemon *daemon)
{
	const struct config *config = daemon->engine.config;
	const char *now = daemon->http_listen ? daemon->http_listen : "";
	if (!daemon->http_trouble && strcmp(now, config->http.listen) == 0)
		return;
	pages_end(daemon);
	if (*config->http.listen)
		begin(daemon, config);
	else
		log_info("http: off");
}

void pages_end(struct daemon *daemon)
{
	http_server_free(daemon->http);
	daemon->http = NULL;
	mem_replace(&daemon->http_listen, NULL);
	mem_replace(&daemon->http_trouble, NULL);
}
