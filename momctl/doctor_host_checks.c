/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/doctor_checks.h"

#include <string.h>

#include "mom/units.h"

#define NO_SWAP_RATIO   10 /* swap that is asked for at least: a tenth of memory */
#define SWAP_LEFT_RATIO 20 /* of which less than a twentieth is free is full */
#define IDLE_PAGES_KIB  (64 * KIB_PER_MIB)

static bool is(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static struct fact known(uint64_t value)
{
	return (struct fact){true, value};
}

bool check_no_momd(const struct doctor *all, struct finding *finding)
{
	finding->word = all->momd_says;
	return !all->has_momd && !all->denied;
}

bool check_no_access(const struct doctor *all, struct finding *finding)
{
	finding->word = all->momd_says;
	return all->denied;
}

bool check_no_libvirt(const struct doctor *all, struct finding *finding)
{
	finding->word = all->hypervisor_why;
	finding->seconds = all->disconnected_s;
	return all->has_momd && !all->connected;
}

bool check_only_reads(const struct doctor *all, struct finding *finding)
{
	finding->word = all->uri;
	return all->has_momd && all->connected && all->read_only;
}

/* The guest whose minimum is in the way most. */
bool check_exhausted(const struct doctor *all, struct finding *finding)
{
	finding->other = known(0);
	for (size_t i = 0; i < all->guest_count; i++)
		if (all->guests[i].min.value >= finding->other.value) {
			finding->other = all->guests[i].min;
			finding->word = all->guests[i].name;
		}
	finding->size = all->host.swap_free;
	return all->has_momd && is(all->state, "exhausted");
}

bool check_dry_run(const struct doctor *all, struct finding *finding)
{
	(void)finding;
	return all->has_momd && all->dry_run;
}

bool check_all_paused(const struct doctor *all, struct finding *finding)
{
	(void)finding;
	return all->has_momd && all->paused;
}

bool check_no_policy(const struct doctor *all, struct finding *finding)
{
	(void)finding;
	return all->has_momd && all->policies.known && !all->policies.value;
}

bool check_momd_warns(const struct doctor *all, struct finding *finding)
{
	finding->word = all->warning;
	return all->has_momd && all->warnings.value;
}

/* What a restart of all guests at once would take that the host hasn't got. */
static uint64_t missing_kib(const struct doctor *all)
{
	return sub_u64(doctor_may_need(all), doctor_can_give(all));
}

static bool knows_needs(const struct doctor *all)
{
	return all->has_momd && all->guest_count && all->host.mem_total.known;
}

bool check_no_swap(const struct doctor *all, struct finding *finding)
{
	const struct doctor_host *host = &all->host;
	uint64_t least = host->mem_total.value / NO_SWAP_RATIO;
	finding->size = known(max_u64(least, missing_kib(all)));
	finding->other = known(doctor_may_need(all));
	finding->other.known = knows_needs(all);
	return host->swap_total.known && !host->swap_total.value;
}

bool check_swap_full(const struct doctor *all, struct finding *finding)
{
	const struct doctor_host *host = &all->host;
	finding->size = host->swap_total;
	finding->other = host->swap_free;
	return host->swap_total.value && host->swap_free.known &&
	       host->swap_free.value < host->swap_total.value / SWAP_LEFT_RATIO;
}

bool check_no_zswap(const struct doctor *all, struct finding *finding)
{
	const struct doctor_host *host = &all->host;
	uint64_t used = sub_u64(host->swap_total.value, host->swap_free.value);
	finding->size = (struct fact){used > 0, used};
	return host->swap_total.value && host->has_zswap && !host->zswap && !host->zram;
}

bool check_restart_short(const struct doctor *all, struct finding *finding)
{
	uint64_t missing = missing_kib(all), swap = all->host.swap_free.value;
	finding->size = known(doctor_may_need(all));
	finding->other = known(sub_u64(missing, swap));
	return knows_needs(all) && missing > swap;
}

bool check_restart_swaps(const struct doctor *all, struct finding *finding)
{
	uint64_t missing = missing_kib(all);
	finding->size = known(doctor_may_need(all));
	finding->other = known(missing);
	return knows_needs(all) && missing && missing <= all->host.swap_free.value;
}

bool check_strict_overcommit(const struct doctor *all, struct finding *finding)
{
	(void)finding;
	return all->host.overcommit.known && all->host.overcommit.value == 2;
}

bool check_huge_pages_idle(const struct doctor *all, struct finding *finding)
{
	finding->size = all->host.huge_free;
	return all->host.huge_free.known && all->host.huge_free.value >= IDLE_PAGES_KIB;
}

/* Where a policy sets KSM, its being off is a decision. */
bool check_ksm_off(const struct doctor *all, struct finding *finding)
{
	uint64_t held = 0;
	size_t mergeable = 0;
	for (size_t i = 0; i < all->guest_count; i++) {
		const struct doctor_guest *guest = &all->guests[i];
		if (guest->hugepages || guest->shared || guest->nosharepages)
			continue;
		mergeable++;
		held += guest->rss.value;
	}
	finding->size = (struct fact){mergeable > 1, held};
	return all->host.ksm_run.known && all->host.ksm_run.value != 1 &&
	       !all->ksm_policy && (!all->has_momd || mergeable > 1);
}

bool check_ksm_contested(const struct doctor *all, struct finding *finding)
{
	finding->rival = &all->host.tuner;
	return all->host.tuner.program != NULL;
}

bool check_killer_at_work(const struct doctor *all, struct finding *finding)
{
	finding->rival = &all->host.killer;
	return all->host.killer.program != NULL;
}

bool check_other_manager(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return finding->rival != NULL;
}

static bool pool_is_short(const struct doctor_pool *pool, struct finding *finding)
{
	finding->size = pool->budget;
	finding->other = known(pool->may_need);
	return pool->budget.known && pool->path[0] == '/' &&
	       pool->may_need > pool->budget.value;
}

bool check_pool_short_v1(const struct doctor *all, struct finding *finding)
{
	return all->host.cgroup_v1 && pool_is_short(finding->pool, finding);
}

bool check_pool_short_v2(const struct doctor *all, struct finding *finding)
{
	return !all->host.cgroup_v1 && pool_is_short(finding->pool, finding);
}
