/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/doctor.h"

#include <stdlib.h>

#include "mom/mem.h"
#include "mom/units.h"

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NONE] = "none",
		[SEVERITY_ADVICE] = "advice",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_SERIOUS] = "serious",
	};
	return names[severity];
}

uint64_t doctor_may_need(const struct doctor *all)
{
	uint64_t need = 0;
	for (size_t i = 0; i < all->guest_count; i++)
		if (!all->guests[i].hugepages)
			need += all->guests[i].max.value + all->guests[i].overhead.value;
	return need;
}

uint64_t doctor_can_give(const struct doctor *all)
{
	uint64_t held = 0;
	for (size_t i = 0; i < all->guest_count; i++)
		held += all->guests[i].rss.value;
	return min_u64(all->host.mem_available.value + held, all->host.mem_total.value);
}

static void add(const struct doctor *all, struct findings *findings,
	const struct rule *rule, struct finding finding)
{
	finding.rule = rule;
	if (!rule->applies(all, &finding))
		return;
	findings->items = mem_grow(findings->items, findings->count, &findings->capacity,
		sizeof(*findings->items));
	findings->items[findings->count++] = finding;
	if (rule->severity > findings->worst)
		findings->worst = rule->severity;
}

static void examine_guest(const struct doctor *all, struct findings *findings,
	const struct rule *rule, const struct doctor_guest *guest)
{
	struct finding finding = {.guest = guest};
	if (rule->os != OS_ANY && guest->windows != (rule->os == OS_WINDOWS))
		return;
	if (rule->about == ABOUT_GUEST)
		add(all, findings, rule, finding);
	for (size_t i = 0; rule->about == ABOUT_DISK && i < guest->disk_count; i++) {
		finding.disk = &guest->disks[i];
		add(all, findings, rule, finding);
	}
	for (size_t i = 0; rule->about == ABOUT_NIC && i < guest->nic_count; i++) {
		finding.nic = &guest->nics[i];
		add(all, findings, rule, finding);
	}
}

static void examine_host(
	const struct doctor *all, struct findings *findings, const struct rule *rule)
{
	bool machine = rule->about == ABOUT_MACHINE && !all->alone;
	if (rule->about == ABOUT_HOST || machine)
		add(all, findings, rule, (struct finding){0});
	bool pools = rule->about == ABOUT_POOL && !all->alone;
	for (size_t i = 0; pools && i < all->pool_count; i++)
		add(all, findings, rule, (struct finding){.pool = &all->pools[i]});
	bool managers = rule->about == ABOUT_MANAGER;
	for (size_t i = 0; managers && i < all->host.manager_count; i++)
		add(all, findings, rule,
			(struct finding){.rival = &all->host.managers[i]});
}

void doctor_examine(const struct doctor *all, struct findings *findings)
{
	*findings = (struct findings){0};
	for (int severity = SEVERITY_SERIOUS; severity > SEVERITY_NONE; severity--) {
		for (const struct rule *rule = doctor_rules; rule->id; rule++)
			if ((int)rule->severity == severity)
				examine_host(all, findings, rule);
		for (size_t i = 0; i < all->guest_count; i++)
			for (const struct rule *rule = doctor_rules; rule->id; rule++)
				if ((int)rule->severity == severity)
					examine_guest(
						all, findings, rule, &all->guests[i]);
	}
}

void findings_done(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){0};
}
