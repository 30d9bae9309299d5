/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"
#include "sim/manager.h"

#define PERIOD_MS 1000
#define CLOSE_KIB 4096 /* between what is needed and what is given */

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
	peer->due_ms = now_ms + PERIOD_MS;
	return true;
}

static void none_act(void *self, int64_t now_ms)
{
	is_due(self, now_ms);
}

/* ---- dividing by what is handed in ---- */

/* What one takes whose balloon doesn't answer. */
typedef double (*size_fn)(const struct sim_guest *guest, int64_t now_ms);

/* All that can be divided: what is there for guests, without QEMU's own and those whom
 * nobody can move. */
static uint64_t divisible(const struct sim_world *world, size_fn unmoved_kib)
{
	double left = world_for_guests(world);
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present)
			continue;
		left -= (double)guest->make.overhead_kib;
		if (!guest->driver)
			left -= unmoved_kib(guest, world->now_ms);
	}
	return left > 0 ? (uint64_t)left : 0;
}

/* Guests that can be moved, and what is asked for them. */
struct division {
	struct claim *claims;
	uint64_t *targets;
	struct sim_guest **whose;
	size_t count;
};

static void division_init(struct division *division, const struct peer *peer)
{
	struct sim_world *world = peer->env.world;
	*division = (struct division){
		.claims = mem_array(world->count, sizeof(*division->claims)),
		.targets = mem_array(world->count, sizeof(*division->targets)),
		.whose = mem_array(world->count, sizeof(struct sim_guest *)),
	};
	for (size_t i = 0; i < world->count; i++) {
		struct sim_guest *guest = &world->guests[i];
		const struct guest_settings *settings = &peer->env.settings[i];
		if (!guest->present || !guest->driver)
			continue;
		division->whose[division->count] = guest;
		division->claims[division->count++] = (struct claim){
			.floor_kib = guest_floor_kib(settings, guest->make.max_kib),
			.ceiling_kib = guest_limit_kib(settings, guest->make.max_kib),
			.shares = (double)guest->make.max_kib,
		};
	}
}

static void division_done(struct division *division)
{
	free(division->claims);
	free(division->targets);
	free(division->whose);
}

static void divide(struct division *division, uint64_t budget_kib)
{
	share_divide(division->claims, division->count, budget_kib, 0, division->targets);
	for (size_t i = 0; i < division->count; i++)
		sim_guest_order(division->whose[i], (double)division->targets[i]);
}

static double all_of_it(const struct sim_guest *guest, int64_t now_ms)
{
	(void)now_ms;
	return (double)guest->make.max_kib;
}

static void fixed_act(void *self, int64_t now_ms)
{
	struct peer *peer = self;
	struct division division;
	if (!is_due(peer, now_ms))
		return;
	division_init(&division, peer);
	divide(&division, divisible(peer->env.world, all_of_it));
	division_done(&division);
}

/* What the guest will need while memory is on its way to it or from it. */
static double future_need(const struct sim_guest *guest, int64_t now_ms)
{
	int64_t at_ms = now_ms - guest->booted_ms - (int64_t)guest->make.boot_ms +
			guest->shift_ms;
	double way_ms =
		1000 * (double)guest->make.max_kib / 2 *
		(1 / guest->make.inflate_kib_per_s + 1 / guest->make.deflate_kib_per_s);
	int64_t ahead_ms = (int64_t)fmax(2 * PERIOD_MS, way_ms);
	double peak = work_peak(guest->work, at_ms < 0 ? 0 : at_ms, at_ms + ahead_ms);
	return peak + sim_guest_least(guest) + CLOSE_KIB;
}

/* What a guest will hold that boots, or that has no driver: what it has touched once
 * stays with it. */
static double future_size(const struct sim_guest *guest, int64_t now_ms)
{
	double touched = fmax(sim_guest_touched(guest), guest->make.boot_touch_kib);
	double kib = fmax(touched, future_need(guest, now_ms));
	return fmin(kib, (double)guest->make.max_kib);
}

/* What the host has beyond all that guests may take by now. */
static double room_left(const struct sim_world *world)
{
	double room_kib = world_for_guests(world);
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (guest->present && guest->driver)
			room_kib -= sim_guest_most(guest, guest->actual);
		else if (guest->present)
			room_kib -= future_size(guest, world->now_ms) +
				    (double)guest->make.overhead_kib;
	}
	return room_kib;
}

/* Takes first, and gives what has arrived by then. */
static void move_on(struct division *division, const struct sim_world *world)
{
	for (size_t i = 0; i < division->count; i++)
		if ((double)division->targets[i] < division->whose[i]->target)
			sim_guest_order(division->whose[i], (double)division->targets[i]);
	double room_kib = fmax(room_left(world), 0);
	for (size_t i = 0; i < division->count; i++) {
		struct sim_guest *guest = division->whose[i];
		double target = (double)division->targets[i];
		double has = fmax(guest->target, guest->actual);
		double given = fmin(fmax(target - has, 0), room_kib);
		if (target > guest->target)
			sim_guest_order(guest, fmin(target, has + given));
		room_kib -= given;
	}
}

/* Gives what will be needed, and takes only what doesn't fit beside it. */
static void oracle_act(void *self, int64_t now_ms)
{
	struct peer *peer = self;
	struct division division;
	if (!is_due(peer, now_ms))
		return;
	uint64_t budget_kib = divisible(peer->env.world, future_size);
	division_init(&division, peer);
	for (size_t i = 0; i < division.count; i++) {
		struct claim *claim = &division.claims[i];
		uint64_t stands = (uint64_t)division.whose[i]->target;
		claim->want_kib =
			clamp_u64((uint64_t)future_need(division.whose[i], now_ms),
				claim->floor_kib, claim->ceiling_kib);
		claim->ceiling_kib = max_u64(claim->want_kib, stands);
	}
	share_divide(division.claims, division.count, budget_kib, 0, division.targets);
	move_on(&division, peer->env.world);
	division_done(&division);
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
