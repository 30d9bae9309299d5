/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"
#include "sim/manager.h"

#define FIXED_PERIOD_MS 1000
#define CLOSE_KIB       4096 /* between what is needed and what is given */
#define STEADY_PART                                                                      \
	0.02 /* of a guest: less than that isn't worth a move to one who                 \
		knows what comes */

/* Managers that no policy can be. */
struct peer {
	struct manager_env env;
	int64_t due_ms;
};

static void free_config(struct config *config)
{
	config_done(config);
	free(config);
}

static int peer_open(void **self, const struct manager_env *env, struct err *err)
{
	(void)err;
	struct peer *peer = mem_alloc(sizeof(*peer));
	peer->env = *env;
	*self = peer;
	return 0;
}

static void peer_close(void *self)
{
	struct peer *peer = self;
	if (!peer)
		return;
	free_config(peer->env.config);
	free(peer);
}

/* Nobody judges the host here: it is roomy while it has memory. */
static enum host_state peer_state(void *self)
{
	struct peer *peer = self;
	return world_available(peer->env.world) > 0 ? HOST_ROOMY : HOST_CRITICAL;
}

/* They hear nothing of what the world tells. */
static bool is_due(struct peer *peer, int64_t now_ms)
{
	peer->env.world->news_told = peer->env.world->news_count = 0;
	if (now_ms < peer->due_ms)
		return false;
	peer->due_ms = now_ms + FIXED_PERIOD_MS;
	return true;
}

static void none_act(void *self, int64_t now_ms)
{
	is_due(self, now_ms);
}

/* ---- dividing by what is handed in ---- */

/* All that the guests can have: the host's memory without its own needs and QEMU's. */
static uint64_t divisible(const struct sim_world *world)
{
	double left = (double)(world->make.memory_kib - world->make.base_kib);
	left -= 5 * sqrt((double)world->make.memory_kib);
	left *= 0.99; /* files in use */
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present)
			continue;
		left -= (double)guest->make.overhead_kib;
		if (!guest->driver)
			left -= (double)guest->make.max_kib;
	}
	return left > 0 ? (uint64_t)left : 0;
}

static void divide(struct peer *peer, double (*want)(const struct sim_guest *, int64_t),
	int64_t now_ms, double steady)
{
	struct sim_world *world = peer->env.world;
	auto_free struct claim *claims = mem_array(world->count, sizeof(*claims));
	auto_free uint64_t *targets = mem_array(world->count, sizeof(*targets));
	auto_free struct sim_guest **whose =
		mem_array(world->count, sizeof(struct sim_guest *));
	size_t count = 0;
	for (size_t i = 0; i < world->count; i++) {
		struct sim_guest *guest = &world->guests[i];
		const struct guest_settings *settings = &peer->env.settings[i];
		if (!guest->present || !guest->driver)
			continue;
		whose[count] = guest;
		claims[count++] = (struct claim){
			.floor_kib = guest_floor_kib(settings, guest->make.max_kib),
			.want_kib = (uint64_t)want(guest, now_ms),
			.ceiling_kib = guest_limit_kib(settings, guest->make.max_kib),
			.shares = (double)guest->make.max_kib,
		};
	}
	share_divide(claims, count, divisible(world), 0, targets);
	for (size_t i = 0; i < count; i++) {
		double band = steady * (double)whose[i]->make.max_kib;
		bool lacks = whose[i]->actual < (double)claims[i].want_kib;
		if (lacks || fabs((double)targets[i] - whose[i]->target) > band)
			sim_guest_order(whose[i], (double)targets[i]);
	}
}

static double by_size(const struct sim_guest *guest, int64_t now_ms)
{
	(void)guest;
	(void)now_ms;
	return 0;
}

static void fixed_act(void *self, int64_t now_ms)
{
	if (is_due(self, now_ms))
		divide(self, by_size, now_ms, STEADY_PART);
}

/* What the guest will need while memory is on its way to it or from it, and some more,
 * so that memory lies ready where it will be wanted. */
static double by_future(const struct sim_guest *guest, int64_t now_ms)
{
	int64_t at_ms = now_ms - guest->booted_ms - (int64_t)guest->make.boot_ms +
			guest->shift_ms;
	double way_ms =
		1000 * (double)guest->make.max_kib / 2 / guest->make.inflate_kib_per_s;
	int64_t ahead_ms = (int64_t)fmax(2 * FIXED_PERIOD_MS, way_ms);
	double peak = work_peak(guest->work, at_ms < 0 ? 0 : at_ms, at_ms + ahead_ms);
	return peak + sim_guest_least(guest) + CLOSE_KIB;
}

static void oracle_act(void *self, int64_t now_ms)
{
	if (is_due(self, now_ms))
		divide(self, by_future, now_ms, STEADY_PART);
}

const struct manager manager_none = {
	.name = "none",
	.help = "nobody: every guest keeps its memory, the host's kernel decides",
	.open = peer_open,
	.act = none_act,
	.state = peer_state,
	.close = peer_close,
};

const struct manager manager_fixed = {
	.name = "static",
	.help = "a fixed division by configured size",
	.open = peer_open,
	.act = fixed_act,
	.state = peer_state,
	.close = peer_close,
};

const struct manager manager_oracle = {
	.name = "oracle",
	.help = "knows what every guest will need, and when: the limit",
	.open = peer_open,
	.act = oracle_act,
	.state = peer_state,
	.close = peer_close,
};

const struct manager *manager_find(const char *name)
{
	static const struct manager *const known[] = {
		&manager_none, &manager_fixed, &manager_oracle};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i]->name, name) == 0)
			return known[i];
	return &manager_engine;
}
