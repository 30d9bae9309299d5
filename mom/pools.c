/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/pools.h"

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"
#include "mom/units.h"

#define RESERVE_PART 4 /* a reserve that was set is at most this part of a cgroup */

/* ---- membership ---- */

static struct pool *find_pool(struct pools *pools, const char *path)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!strcmp(pools->items[i].path, path))
			return &pools->items[i];
	return NULL;
}

static struct pool *add_pool(struct pools *pools, const char *path)
{
	pools->items = mem_grow(
		pools->items, pools->count, &pools->capacity, sizeof(*pools->items));
	struct pool *pool = &pools->items[pools->count++];
	*pool = (struct pool){0};
	snprintf(pool->path, sizeof(pool->path), "%s", path);
	return pool;
}

static bool in_snapshot(const struct snapshot *snapshot, const char *path)
{
	for (size_t i = 0; i < snapshot->pool_count; i++)
		if (!strcmp(snapshot->pools[i].path, path))
			return true;
	return false;
}

static void drop_absent(struct pools *pools, const struct snapshot *snapshot)
{
	size_t kept = 1;
	for (size_t i = 1; i < pools->count; i++)
		if (in_snapshot(snapshot, pools->items[i].path))
			pools->items[kept++] = pools->items[i];
		else
			policy_vars_free(pools->items[i].vars);
	pools->count = kept;
}

static bool is_below(const char *path, const char *pool_path)
{
	size_t length = strlen(pool_path);
	return !strncmp(path, pool_path, length) &&
	       (path[length] == '/' || path[length] == '\0');
}

/* The nearest pool above the guest's cgroup: the one with the longest path. */
static size_t pool_of(const struct pools *pools, const char *cgroup)
{
	size_t best = 0;
	for (size_t i = 1; i < pools->count; i++)
		if (is_below(cgroup, pools->items[i].path) &&
			strlen(pools->items[i].path) > strlen(pools->items[best].path))
			best = i;
	return best;
}

void pools_follow(
	struct pools *pools, const struct snapshot *snapshot, struct roster *roster)
{
	if (!pools->count)
		add_pool(pools, "");
	drop_absent(pools, snapshot);
	for (size_t i = 0; i < snapshot->pool_count; i++) {
		const struct pool_facts *facts = &snapshot->pools[i];
		struct pool *pool = find_pool(pools, facts->path);
		if (!pool)
			pool = add_pool(pools, facts->path);
		pool->facts = *facts;
	}
	for (size_t i = 0; i < pools->count; i++)
		pools->items[i].guest_count = pools->items[i].managed_count = 0;
	for (size_t i = 0; i < roster->count; i++) {
		struct guest *guest = roster->guests[i];
		guest->pool = pool_of(pools, guest->facts.cgroup);
		pools->items[guest->pool].guest_count++;
	}
}

void pools_done(struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		policy_vars_free(pools->items[i].vars);
	free(pools->items);
	*pools = (struct pools){0};
}

/* ---- the picture ---- */

/* What can't be shrunk can't be divided: the others would wait for it in vain. */
static bool is_managed(const struct guest *guest)
{
	return guest->state == GUEST_STATE_MANAGED && guest->fresh;
}

/* The guests as this pool's books see them: the host carries the other pools' as a
 * burden. */
static size_t list_entries(
	const struct roster *roster, size_t pool, struct guest_entry *entries)
{
	size_t count = 0;
	for (size_t i = 0; i < roster->count; i++) {
		const struct guest *guest = roster->guests[i];
		if (pool && guest->pool != pool)
			continue;
		entries[count++] = (struct guest_entry){
			.sample = &guest->facts.sample,
			.managed = guest->pool == pool && is_managed(guest),
			.hugepages = guest->facts.hugepages,
		};
	}
	return count;
}

static uint64_t held_kib(const struct guest_entry *entries, size_t count)
{
	uint64_t held = 0;
	for (size_t i = 0; i < count; i++)
		held += entries[i].sample->rss_anon_kib +
			entries[i].sample->rss_shmem_kib;
	return held;
}

/* What a cgroup can still give, were the host to have it. */
static uint64_t pool_available(const struct pool_facts *facts)
{
	uint64_t left = pool_left_kib(facts);
	return facts->has_above ? min_u64(left, facts->above_kib) : left;
}

/* Where the host's own figures are missing, a limit stands alone. */
static void show_no_host(struct host_sample *sample)
{
	sample->mem_total_kib = sample->mem_free_kib = UINT64_MAX;
	sample->mem_usable_kib = sample->cached_kib = UINT64_MAX;
}

/* Nothing is known of what is left. */
static void show_nothing(struct host_sample *sample)
{
	sample->mem_total_kib = sample->mem_free_kib = 0;
	sample->mem_usable_kib = sample->cached_kib = 0;
}

/* A pool's memory in the words of a host's. */
static void show_pool(struct host_sample *sample, const struct pool_facts *facts)
{
	sample->mem_total_kib = facts->limit_kib;
	sample->mem_free_kib =
		min_u64(sub_u64(facts->limit_kib, facts->use_kib), sample->mem_free_kib);
	sample->cached_kib = min_u64(facts->inactive_file_kib, sample->cached_kib);
	sample->buffers_kib = 0;
	sample->mem_usable_kib = min_u64(pool_available(facts), sample->mem_usable_kib);
}

/* A budget set as a size: a smaller host whose guests hold all that is used of it. */
static void show_budget(struct host_sample *sample, uint64_t budget_kib, uint64_t held)
{
	uint64_t left = sub_u64(budget_kib, held);
	sample->mem_total_kib = min_u64(budget_kib, sample->mem_total_kib);
	sample->mem_free_kib = min_u64(left, sample->mem_free_kib);
	sample->mem_usable_kib = min_u64(left, sample->mem_usable_kib);
	sample->cached_kib = sample->buffers_kib = 0;
}

static void fit_demands(
	struct roster *roster, size_t pool, uint64_t divisible_kib, uint64_t safety_kib)
{
	auto_free struct guest_sample **members =
		mem_array(roster->count, sizeof(struct guest_sample *));
	size_t count = 0;
	for (size_t i = 0; i < roster->count; i++) {
		struct guest *guest = roster->guests[i];
		if (guest->pool == pool && is_managed(guest) &&
			guest->facts.sample.has_demand)
			members[count++] = &guest->facts.sample;
	}
	estimate_fit_buffers(members, count, divisible_kib, safety_kib);
}

/* The pool's memory, as far as it is known. */
static void show(struct pool *pool, size_t index, const struct config_budget *budget,
	uint64_t held)
{
	struct host_sample *sample = &pool->sample;
	bool sized = !index && budget->kind == BUDGET_SIZE;
	pool->blind = index ? !pool->facts.has_use : !sized && !sample->has_meminfo;
	if (!sample->has_meminfo)
		show_no_host(sample);
	if (pool->blind)
		show_nothing(sample);
	else if (index)
		show_pool(sample, &pool->facts);
	else if (sized)
		show_budget(sample, budget->kib, held);
	sample->has_meminfo = !pool->blind;
}

static enum host_state judge(struct pool *pool, int64_t now_ms)
{
	if (pool->blind)
		return pool->track.seen ? pool->track.state : HOST_SNUG;
	enum host_state state = estimate_host_state(&pool->track, &pool->sample, now_ms);
	/* no new alarm where memory is there again, and has only to stay for a while */
	bool told = pool->announced == HOST_EXHAUSTED || !pool->track.better_since_ms;
	return state == HOST_CRITICAL && pool->exhausted && told ? HOST_EXHAUSTED : state;
}

/* What is little for the host may be all that a small cgroup has. */
static uint64_t reserve_of(
	struct pool *pool, size_t index, const struct config_auto_size *reserve)
{
	uint64_t most_kib = pool->sample.mem_total_kib / RESERVE_PART;
	bool bound = index && !pool->blind && !reserve->automatic;
	pool->reserve_cut = bound && reserve->kib > most_kib;
	return pool->reserve_cut ? most_kib : reserve->kib;
}

static void estimate_pool(struct pool *pool, size_t index, const struct config *config,
	struct roster *roster, struct guest_entry *entries, uint64_t reaction_ms,
	int64_t now_ms)
{
	size_t count = list_entries(roster, index, entries);
	show(pool, index, &config->host.budget, held_kib(entries, count));
	struct host_terms terms = {
		.reserve_automatic = config->host.reserve.automatic,
		.reserve_kib = reserve_of(pool, index, &config->host.reserve),
		.reaction_ms = reaction_ms,
		.size_kib = pool->sample.mem_total_kib,
		.available_kib = pool->sample.mem_usable_kib,
		.claim_kib = pool->claim_kib,
	};
	estimate_host(&pool->sample, &terms, entries, count);
	fit_demands(
		roster, index, pool->sample.divisible_kib, config->balloon.safety_kib);
	pool->sample.state = judge(pool, now_ms);
}

static void remember(struct pool *pool, uint64_t period_ms, int64_t now_ms)
{
	bool due =
		!pool->history.count || now_ms - pool->history_ms >= (int64_t)period_ms;
	if (due)
		pool->history_ms = now_ms;
	host_history_put(&pool->history, &pool->sample, due);
}

void pools_estimate(struct pools *pools, const struct host_sample *host,
	const struct config *config, struct roster *roster, uint64_t reaction_ms,
	int64_t now_ms)
{
	auto_free struct guest_entry *entries =
		mem_array(roster->count, sizeof(struct guest_entry));
	for (size_t i = 0; i < roster->count; i++)
		if (is_managed(roster->guests[i]))
			pools->items[roster->guests[i]->pool].managed_count++;
	for (size_t i = 0; i < pools->count; i++) {
		struct pool *pool = &pools->items[i];
		pool->sample = *host;
		estimate_pool(pool, i, config, roster, entries, reaction_ms, now_ms);
		pool->sample.worst_state = pool->sample.state;
	}
	pools->items[0].sample.worst_state = pools_state(pools);
	for (size_t i = 0; i < pools->count; i++)
		remember(&pools->items[i], config->sampling.period_ms, now_ms);
}

size_t pools_busiest(const struct pools *pools)
{
	size_t busiest = 0;
	for (size_t i = 1; i < pools->count; i++)
		if (pools->items[i].guest_count > pools->items[busiest].guest_count)
			busiest = i;
	return busiest;
}

enum host_state pools_state(const struct pools *pools)
{
	enum host_state worst = pools->count ? HOST_ROOMY : HOST_SNUG;
	for (size_t i = 0; i < pools->count; i++)
		if ((pools->items[i].guest_count || i == 0) &&
			pools->items[i].sample.state > worst)
			worst = pools->items[i].sample.state;
	return worst;
}

static const struct pool_facts *find_facts(
	const struct snapshot *snapshot, const char *path)
{
	for (size_t i = 0; i < snapshot->pool_count; i++)
		if (!strcmp(snapshot->pools[i].path, path))
			return &snapshot->pools[i];
	return NULL;
}

bool pools_alarm(const struct pools *pools, const struct snapshot *glance)
{
	for (size_t i = 0; i < pools->count; i++) {
		const struct pool *pool = &pools->items[i];
		const struct pool_facts *facts = find_facts(glance, pool->path);
		uint64_t left = UINT64_MAX;
		if (glance->host.has_meminfo)
			left = glance->host.mem_usable_kib;
		if (facts)
			left = min_u64(left, pool_available(facts));
		enum host_state now =
			estimate_state_by_memory(left, pool->sample.reserve_kib);
		if (pool->sample.state < HOST_EXHAUSTED && now >= HOST_TIGHT &&
			(now > pool->sample.state || now == HOST_CRITICAL))
			return true;
	}
	return false;
}
