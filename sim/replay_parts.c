/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/replay_parts.h"

#include <string.h>

#include "mom/mem.h"

/* ---- the hypervisor ---- */

static int view_open(void **self, const struct hypervisor_env *env, struct err *err)
{
	(void)err;
	*self = env->context;
	return 0;
}

static int view_fd(void *self)
{
	(void)self;
	return -1; /* nothing here waits */
}

static void view_refresh(void *self)
{
	(void)self;
}

static int view_next_event(void *self, struct hypervisor_event *event)
{
	(void)self;
	(void)event;
	return 0; /* they are handed to the engine at their time */
}

static void view_sample(void *self, struct snapshot *into)
{
	const struct recorded_tick *tick = ((struct replay_view *)self)->tick;
	into->connected = tick && tick->connected;
	for (size_t i = 0; tick && i < tick->guest_count; i++) {
		struct guest_facts *facts = snapshot_add_guest(into);
		*facts = tick->guests[i].facts;
		facts->metadata = mem_dup(facts->metadata);
	}
}

static int view_set_target(
	void *self, const char *uuid, uint64_t target_kib, struct err *err)
{
	(void)self;
	(void)uuid;
	(void)target_kib;
	(void)err;
	return 0;
}

static void view_ask_statistics(void *self, const char *uuid)
{
	(void)self;
	(void)uuid;
}

static void view_status(void *self, struct hypervisor_status *status)
{
	const struct recorded_tick *tick = ((struct replay_view *)self)->tick;
	*status = (struct hypervisor_status){.connected = tick && tick->connected};
}

static void view_close(void *self)
{
	(void)self;
}

const struct hypervisor replay_hypervisor = {
	.name = "recording",
	.open = view_open,
	.fd = view_fd,
	.refresh = view_refresh,
	.next_event = view_next_event,
	.sample = view_sample,
	.set_target = view_set_target,
	.ask_statistics = view_ask_statistics,
	.status = view_status,
	.close = view_close,
};

/* ---- the collector ---- */

static int open_collector(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	*self = env->hypervisor_self;
	return 0;
}

static int sample(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	const struct recorded_tick *tick = ((struct replay_view *)self)->tick;
	if (!tick)
		return 0;
	into->host = tick->host;
	into->host_swap_in_pages = tick->swap_in_pages;
	into->host_swap_out_pages = tick->swap_out_pages;
	for (size_t i = 0; i < tick->pool_count; i++)
		*snapshot_add_pool(into) = tick->pools[i];
	view_sample(self, into);
	return 0;
}

static void close_collector(void *self)
{
	(void)self;
}

static const struct collector recorded = {
	.name = "recording",
	.help = "what was collected then",
	.open = open_collector,
	.sample = sample,
	.close = close_collector,
};

const struct collector *const replay_collectors[] = {&recorded, NULL};
const struct controller *const replay_controllers[] = {NULL};
