/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/publish.h"

#include "mom/daemon.h"
#include "mom/describe.h"

#define SNAPSHOT_TOPIC   "snapshot"
#define SNAPSHOT_BACKLOG (4 * 1024 * 1024) /* some seconds' of many guests */
#define EVENT_BACKLOG    (64 * 1024)       /* some hundred of them */

static struct json_object *build_tick(void *context)
{
	const struct daemon *daemon = context;
	return daemon->engine.pools.count ? describe_status(daemon) : NULL;
}

static struct json_object *build_snapshot(void *context)
{
	struct daemon *daemon = context;
	return recorder_tick(&daemon->recorder, &daemon->engine, daemon_clock_ms());
}

const struct control_topic publish_topics[] = {
	{.name = "tick",
		.help = "the host's ledger and all guests, after each tick",
		.build = build_tick},
	{.name = "event",
		.help = "what happened: orders, changes of state, complaints",
		.backlog = EVENT_BACKLOG},
	{.name = SNAPSHOT_TOPIC,
		.help = "all that went into a tick and came out of it",
		.backlog = SNAPSHOT_BACKLOG,
		.build = build_snapshot},
	{0},
};

void publish_tick(struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;
	for (size_t i = 0; i < engine->roster.count; i++) {
		struct guest *guest = engine->roster.guests[i];
		rates_follow(&guest->rates, &guest->facts.counters, engine->now_ms);
	}
	control_server_refresh(daemon->server);
}

void publish_input(struct daemon *daemon, const struct hypervisor_event *event)
{
	if (control_server_watched(daemon->server, SNAPSHOT_TOPIC))
		recorder_event(&daemon->recorder, event);
	else
		recorder_done(&daemon->recorder);
}

void publish_collected(void *context, const struct snapshot *snapshot)
{
	struct daemon *daemon = context;
	if (control_server_watched(daemon->server, SNAPSHOT_TOPIC))
		recorder_collected(&daemon->recorder, snapshot);
}
