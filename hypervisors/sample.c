/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/sample.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "hypervisors/qemu_process.h"

/* A QEMU that some call has held for so long isn't asked: it would only hang, too. */
#define OCCUPIED_MS 300

/* How often and how long a blocked process is given to go on. */
#define BLOCKED_LOOKS   2
#define BLOCKED_WAIT_NS 3000000

#define STATS_WANTED (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON)

struct field {
	const char *name; /* in bulk statistics */
	int tag;          /* in virDomainMemoryStats(), -1 none */
};

static const struct field fields[BALLOON_VALUE_COUNT] = {
	[BALLOON_MAXIMUM] = {"balloon.maximum", -1},
	[BALLOON_CURRENT] = {"balloon.current", VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON},
	[BALLOON_SWAP_IN] = {"balloon.swap_in", VIR_DOMAIN_MEMORY_STAT_SWAP_IN},
	[BALLOON_SWAP_OUT] = {"balloon.swap_out", VIR_DOMAIN_MEMORY_STAT_SWAP_OUT},
	[BALLOON_MAJOR_FAULT] = {"balloon.major_fault",
		VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT},
	[BALLOON_MINOR_FAULT] = {"balloon.minor_fault",
		VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT},
	[BALLOON_UNUSED] = {"balloon.unused", VIR_DOMAIN_MEMORY_STAT_UNUSED},
	[BALLOON_TOTAL] = {"balloon.available", VIR_DOMAIN_MEMORY_STAT_AVAILABLE},
	[BALLOON_USABLE] = {"balloon.usable", VIR_DOMAIN_MEMORY_STAT_USABLE},
	[BALLOON_CACHE] = {"balloon.disk_caches", VIR_DOMAIN_MEMORY_STAT_DISK_CACHES},
	[BALLOON_RSS] = {"balloon.rss", VIR_DOMAIN_MEMORY_STAT_RSS},
	[BALLOON_LAST_UPDATE] = {"balloon.last-update",
		VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE},
};

/* Every process is blocked now and then; one that still is a moment later may be for
 * long. */
static enum qemu_process_state settled_state(const char *proc_root, int pid)
{
	enum qemu_process_state state = qemu_process_state(proc_root, pid);
	for (int i = 0; i < BLOCKED_LOOKS && state == QEMU_BLOCKED; i++) {
		nanosleep(&(struct timespec){.tv_nsec = BLOCKED_WAIT_NS}, NULL);
		state = qemu_process_state(proc_root, pid);
	}
	return state;
}

/* A process that is stopped or blocked, and a QEMU that is held, are found out without
 * hanging on them. */
static enum answer screen(const struct group *group, struct member *member)
{
	virDomainControlInfo info;
	enum qemu_process_state state =
		settled_state(group->core->proc_root, member->handle.pid);
	if (state == QEMU_STOPPED)
		return ANSWER_STOPPED;
	if (state == QEMU_BLOCKED && !group->insist)
		return ANSWER_BLOCKED;
	if (virDomainGetControlInfo(member->domain, &info, 0) < 0)
		return link_errno() == -ENOENT ? ANSWER_GONE : ANSWER_NONE;
	member->job = info.state == VIR_DOMAIN_CONTROL_JOB;
	member->held_ms = info.stateTime;
	if (info.state == VIR_DOMAIN_CONTROL_OCCUPIED && info.stateTime > OCCUPIED_MS)
		return ANSWER_HELD;
	member->job |= domain_has_job(member->domain);
	return ANSWER_NONE;
}

static void read_param(struct member *member, const virTypedParameter *param)
{
	if (strcmp(param->field, "state.state") == 0) {
		member->has_run = true;
		member->run = core_run_of_state(param->value.i);
	}
	if (strcmp(param->field, "state.reason") == 0)
		member->reason = param->value.i;
	if (param->type != VIR_TYPED_PARAM_ULLONG)
		return;
	for (size_t i = 0; i < BALLOON_VALUE_COUNT; i++) {
		if (strcmp(param->field, fields[i].name) == 0) {
			member->report.has[i] = true;
			member->report.values[i] = param->value.ul;
		}
	}
}

/* The member a record is about, or NULL. */
static struct member *member_of(struct group *group, virDomainPtr domain)
{
	char uuid[UUID_TEXT_MAX];
	if (virDomainGetUUIDString(domain, uuid) < 0)
		return NULL;
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->members[i].handle.uuid, uuid) == 0)
			return &group->members[i];
	return NULL;
}

static void read_record(struct group *group, const virDomainStatsRecord *record)
{
	struct member *member = member_of(group, record->dom);
	if (!member)
		return;
	for (int i = 0; i < record->nparams; i++)
		read_param(member, &record->params[i]);
	if (member->report.has[BALLOON_CURRENT])
		member->answer =
			balloon_stats_asked(&member->report) ? ANSWER_GOOD : ANSWER_HELD;
}

/* Domain by domain, where the bulk answer has no balloon group. */
static void ask_one(struct member *member)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	virDomainInfo info;
	int count =
		virDomainMemoryStats(member->domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);
	if (count < 0 || virDomainGetInfo(member->domain, &info) < 0)
		return;
	struct balloon_report *report = &member->report;
	for (size_t i = 0; i < BALLOON_VALUE_COUNT; i++) {
		for (int j = 0; j < count; j++) {
			if (stats[j].tag != fields[i].tag)
				continue;
			report->has[i] = true;
			report->values[i] = stats[j].val;
		}
	}
	report->has[BALLOON_MAXIMUM] = true;
	report->values[BALLOON_MAXIMUM] = info.maxMem;
	member->has_run = true;
	member->run = core_run_of_state(info.state);
	member->answer = ANSWER_GOOD;
}

static int bulk(
	struct group *group, virDomainPtr *domains, virDomainStatsRecordPtr **records)
{
	unsigned nowait = group->no_nowait ? 0 : VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
	int count = virDomainListGetStats(domains, STATS_WANTED, records, nowait);
	if (count >= 0 || !nowait)
		return count;
	int error = link_errno();
	if (error != -ENOTSUP && error != -EINVAL)
		return count;
	group->no_nowait = true;
	return virDomainListGetStats(domains, STATS_WANTED, records, 0);
}

static void ask_all(struct group *group, virDomainPtr *domains)
{
	virDomainStatsRecordPtr *records = NULL;
	int count = bulk(group, domains, &records);
	if (count < 0 && virConnectIsAlive(virDomainGetConnect(domains[0])) != 1) {
		group->dead = true;
		return;
	}
	for (int i = 0; i < count; i++)
		read_record(group, records[i]);
	virDomainStatsRecordListFree(records);
	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		if (member->domain && member->answer == ANSWER_NONE)
			ask_one(member);
	}
}

void sample_group(struct group *group, unsigned slot)
{
	virDomainPtr domains[GROUP_MAX + 1] = {NULL};
	size_t count = 0;
	if (!link_of_slot(group->core, slot)) {
		group->dead = true;
		return;
	}
	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		member->domain = link_domain(group->core, slot, &member->handle);
		member->answer = member->domain ? screen(group, member) : ANSWER_GONE;
		if (member->answer == ANSWER_NONE)
			domains[count++] = member->domain;
		else
			member->domain = NULL;
	}
	if (count)
		ask_all(group, domains);
}
