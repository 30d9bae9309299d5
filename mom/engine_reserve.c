/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/announce.h"
#include "mom/log.h"
#include "mom/units.h"

/* ---- the tick ---- */

static void ended(
	void *context, const struct reservation *reservation, const struct guest *guest)
{
	announce_unreserved(context, reservation, guest);
}

void engine_reserve_follow(struct engine *engine)
{
	struct live *live = &engine->live;
	struct follow_terms terms = {
		.step_kib = engine->config->balloon.step_kib,
		.step_ratio = engine->config->balloon.step_ratio,
	};
	struct err err;
	/* who comes isn't known meanwhile, and is found afterwards */
	if (engine->connected &&
		reservations_follow(&live->reservations, &engine->roster, engine->now_ms,
			ended, engine) &&
		live_save(live, &err) < 0)
		log_warning("%s; a restart would bring the reservation back", err.text);
	reserve_claim(&live->reservations, &engine->roster, &terms, &engine->pools);
}

void engine_reserve_judge(struct engine *engine)
{
	const struct reservations *list = &engine->live.reservations;
	engine->unmet = false;
	for (size_t i = 0; i < list->count; i++) {
		struct reserve_look look;
		engine_reserve_look(engine, &list->items[i], &look);
		if (reserve_held_kib(&list->items[i], &look) < list->items[i].size_kib)
			engine->unmet = true;
	}
}

void engine_reserve_explain(struct engine *engine, size_t pool)
{
	char mention[REASON_MAX];
	reserve_mention(&engine->live.reservations, &engine->pools, pool, mention);
	for (size_t i = 0; i < engine->roster.count && *mention; i++) {
		struct guest *guest = engine->roster.guests[i];
		struct wish *wish = &guest->wish;
		size_t used = strlen(wish->because);
		if (guest->pool == pool && wish->has_target &&
			wish->target_kib < guest->balloon.target_kib)
			snprintf(wish->because + used, sizeof(wish->because) - used,
				"%s%s", used ? "; " : "", mention);
	}
}

/* ---- asked for ---- */

void engine_reserve_look(const struct engine *engine,
	const struct reservation *reservation, struct reserve_look *look)
{
	struct reserve_terms terms = {
		.roster = &engine->roster,
		.pools = &engine->pools,
		.safety_kib = engine->config->balloon.safety_kib,
		.dry_run = engine_dry_run(engine),
	};
	reserve_look(&engine->live.reservations, reservation, &terms, look);
}

int engine_reserve_pool(const struct engine *engine, const char *name,
	struct reservation *wanted, struct err *err)
{
	const struct pools *pools = &engine->pools;
	size_t pool = name ? 0 : pools_busiest(pools);
	if (name && strcmp(name, "host") != 0) {
		while (pool < pools->count && strcmp(pools->items[pool].path, name) != 0)
			pool++;
		if (pool == pools->count)
			return err_set(err, -ENOENT,
				"there is no cgroup \"%s\" with guests and a limit",
				name);
	}
	if (pools->count)
		memcpy(wanted->pool, pools->items[pool].path, sizeof(wanted->pool));
	return 0;
}

int engine_reserve(struct engine *engine, struct reservation *wanted, const char *pool,
	struct reserve_look *look, struct err *err)
{
	if (!engine->connected)
		return err_set(err, -EAGAIN,
			"%s isn't connected: what memory is left isn't known",
			engine->env.hypervisor->name);
	if (wanted->name[0] && roster_find(&engine->roster, wanted->name))
		return err_set(
			err, -EEXIST, "guest \"%s\" is running already", wanted->name);
	int result = engine_reserve_pool(engine, pool, wanted, err);
	if (result < 0)
		return result;
	wanted->known_id = reserve_known_id(&engine->roster);
	engine_reserve_look(engine, wanted, look);
	if (!look->known)
		return err_set(err, -EAGAIN, "what memory is left isn't known");
	if (look->most_kib < (int64_t)wanted->size_kib)
		return 0;
	announce_reserved(engine, wanted);
	wanted->number = reservations_put(&engine->live.reservations, wanted);
	return (int)wanted->number;
}
