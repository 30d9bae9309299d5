/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/publish.h"

#include "mom/daemon.h"
#include "mom/describe.h"

#define EVENT_BACKLOG (64 * 1024) /* some hundred of them */

static struct json_object *build_tick(void *context)
{
	const struct daemon *daemon = context;
	return daemon->engine.pools.count ? describe_status(daemon) : NULL;
}

const struct control_topic publish_topics[] = {
	{.name = "tick",
		.help = "the host's ledger and all guests, after each tick",
		.build = build_tick},
	{.name = "event",
		.help = "what happened: orders, changes of state, complaints",
		.backlog = EVENT_BACKLOG},
	{0},
};

void publish_tick(struct daemon *daemon)
{
	control_server_refresh(daemon->server);
}
