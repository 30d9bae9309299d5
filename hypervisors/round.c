/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <errno.h>
#include <string.h>

#include "hypervisors/qemu_process.h"
#include "mom/mem.h"
#include "mom/units.h"

/* A QEMU that some call has held for so long isn't asked: it would only hang, too. */
#define OCCUPIED_MS 300

/* Statistics that stand still so long are a lost period; looked at so often. */
#define FROZEN_MIN_MS  3000
#define PERIOD_LOOK_MS 30000

#define STATS_WANTED (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON)

enum answer {
	ANSWER_NONE, /* not asked, or an error */
	ANSWER_GOOD,
	ANSWER_HELD,    /* some call holds its QEMU */
	ANSWER_STOPPED, /* its process is stopped */
	ANSWER_GONE,
};

struct member {
	struct guest *guest;
	struct handle handle;
	virDomainPtr domain; /* the slot's; not owned */
	enum answer answer;
	uint64_t held_ms; /* for so long */
	bool job;         /* a job holds the domain */
	bool has_run;
	enum guest_run run;
	struct balloon_report report;
};

/* Some guests that are asked in one bulk call. */
struct group {
	struct core *core;
	uint64_t number, epoch;
	uint64_t round; /* the round that waits for it, 0 none */
	bool dead;      /* the connection is */
	bool no_nowait; /* the driver doesn't know the flag */
	size_t count;
	struct member members[GROUP_MAX];
};

/* ---- in the worker ---- */

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

/* A stopped process and a held QEMU are found out without hanging on them. */
static enum answer screen(const struct core *core, struct member *member)
{
	virDomainControlInfo info;
	if (qemu_process_stopped(core->proc_root, member->handle.pid))
		return ANSWER_STOPPED;
	if (virDomainGetControlInfo(member->domain, &info, 0) < 0)
		return link_errno() == -ENOENT ? ANSWER_GONE : ANSWER_NONE;
	member->job = info.state == VIR_DOMAIN_CONTROL_JOB;
	member->held_ms = info.stateTime;
	if (info.state == VIR_DOMAIN_CONTROL_OCCUPIED && info.stateTime > OCCUPIED_MS)
		return ANSWER_HELD;
	return ANSWER_NONE;
}

static void read_param(struct member *member, const virTypedParameter *param)
{
	if (strcmp(param->field, "state.state") == 0) {
		member->has_run = true;
		member->run = core_run_of_state(param->value.i);
	}
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

static void group_run(void *work, unsigned slot)
{
	struct group *group = work;
	virDomainPtr domains[GROUP_MAX + 1] = {NULL};
	size_t count = 0;
	if (!link_of_slot(group->core, slot)) {
		group->dead = true;
		return;
	}
	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		member->domain = link_domain(group->core, slot, &member->handle);
		member->answer =
			member->domain ? screen(group->core, member) : ANSWER_GONE;
		if (member->answer == ANSWER_NONE)
			domains[count++] = member->domain;
		else
			member->domain = NULL;
	}
	if (count)
		ask_all(group, domains);
}

static void group_free(void *work)
{
	struct group *group = work;
	core_lock(group->core);
	for (size_t i = 0; i < group->count; i++)
		guest_unref(group->members[i].guest);
	core_unlock(group->core);
	free(group);
}

/* ---- with the lock: what an answer means ---- */

/*
 * Statistics that stand still though a period was set: somebody may have set it to 0, or
 * the guest has no driver. Its XML tells.
 */
static void watch_period(struct core *core, struct guest *guest, bool moved)
{
	int64_t now_ms = core_now_ms();
	uint64_t frozen_ms = max_u64(FROZEN_MIN_MS, guest->stats_period_s * 3000);
	if (moved || guest->facts.run != GUEST_RUNNING) {
		guest->update_ms = now_ms;
		return;
	}
	if (!guest->facts.has_balloon || now_ms - guest->update_ms < (int64_t)frozen_ms ||
		now_ms < guest->period_look_ms)
		return;
	guest->period_look_ms = now_ms + PERIOD_LOOK_MS;
	guest->stale_xml = true;
	survey_want(core);
}

static void answered(struct core *core, struct guest *guest, const struct member *member)
{
	struct guest_facts *facts = &guest->facts;
	uint64_t before = facts->last_update;
	facts->busy = member->job;
	if (member->has_run)
		facts->run = member->run;
	balloon_stats_apply(facts, &member->report);
	watch_period(core, guest, facts->last_update != before);
	core_set_hung(core, guest, false);
}

/* Not hung before it has been held for as long as a call may take. */
static void held(struct core *core, struct guest *guest, const struct member *member)
{
	int64_t now_ms = core_now_ms();
	if (!guest->held_ms)
		guest->held_ms = now_ms - (int64_t)min_u64(member->held_ms, INT32_MAX);
	if (now_ms - guest->held_ms >= (int64_t)core->deadline_ms)
		core_set_hung(core, guest, true);
	balloon_stats_apply(&guest->facts, &member->report);
}

static void probe_later(struct core *core, struct guest *guest, bool backing_off)
{
	guest->probe_ms =
		core_now_ms() + (backing_off ? (int64_t)guest->probe_wait_ms : 0);
	guest->probe_wait_ms = min_u64(guest->probe_wait_ms * 2, core->deadline_ms);
}

static void take_member(struct group *group, struct member *member)
{
	struct core *core = group->core;
	struct guest *guest = member->guest;
	if (guest->asked == group->number)
		guest->asked = 0;
	if (guest->gone || guest->answered > group->number)
		return; /* a newer answer stands */
	switch (member->answer) {
	case ANSWER_GOOD:
		guest->answered = group->number;
		answered(core, guest, member);
		break;
	case ANSWER_STOPPED:
		core_set_hung(core, guest, true);
		probe_later(core, guest, false);
		break;
	case ANSWER_HELD:
		held(core, guest, member);
		probe_later(core, guest, true);
		break;
	case ANSWER_GONE:
		survey_want(core);
		break;
	case ANSWER_NONE:
		probe_later(core, guest, true);
		break;
	}
}

/* ---- with the lock: rounds ---- */

static void round_over(struct core *core)
{
	core->round = false;
	core_tell(core, EVENT_ROUND_DONE, NULL, "%s", "");
}

/* The round waits for this group no longer. */
static void let_go(struct group *group)
{
	struct core *core = group->core;
	bool counted = core->round && group->round == core->round_number;
	group->round = 0;
	if (counted && --core->round_groups == 0)
		round_over(core);
}

static void group_done(void *work)
{
	struct group *group = work;
	struct core *core = group->core;
	core->no_nowait |= group->no_nowait;
	if (group->dead && group->epoch == core->epoch && !core->in_process)
		survey_want(core); /* finds out about the main connection */
	for (size_t i = 0; i < group->count; i++)
		if (group->epoch == core->epoch)
			take_member(group, &group->members[i]);
		else if (group->members[i].guest->asked == group->number)
			group->members[i].guest->asked = 0;
	let_go(group);
}

static bool waits_for(const struct group *group, const struct guest *guest)
{
	return !guest->gone && guest->asked == group->number;
}

static void group_late(void *work, bool started)
{
	struct group *group = work;
	struct core *core = group->core;
	core->status.calls_late += started;
	for (size_t i = 0; i < group->count; i++) {
		struct guest *guest = group->members[i].guest;
		bool hangs = started && !guest->gone && guest->answered < group->number;
		if (guest->asked == group->number)
			guest->asked = 0;
		if (hangs)
			core_set_hung(core, guest, true);
	}
	let_go(group);
}

/* Whoever it hung on is free again: ask at the next round. */
static void group_back(void *work)
{
	struct group *group = work;
	for (size_t i = 0; i < group->count; i++)
		group->members[i].guest->probe_ms = 0;
}

static void group_slow(void *work);

static const struct pool_kind group_kind = {
	.run = group_run,
	.done = group_done,
	.slow = group_slow,
	.late = group_late,
	.back = group_back,
	.free = group_free,
};

static void ask(struct core *core, struct guest **guests, size_t count, uint64_t round)
{
	struct group *group = mem_alloc(sizeof(*group));
	group->core = core;
	group->epoch = core->epoch;
	group->round = round;
	group->no_nowait = core->no_nowait;
	group->count = count;
	for (size_t i = 0; i < count; i++) {
		group->members[i].guest = guest_ref(guests[i]);
		group->members[i].handle = guest_handle(guests[i]);
	}
	group->number = core_submit(core, LANE_SAMPLES, &group_kind, group, 0, SLOW_MS);
	for (size_t i = 0; i < count; i++)
		guests[i]->asked = group->number;
	if (round)
		core->round_groups++;
}

/*
 * One of the group hangs: the others are asked again in halves, until it stands alone.
 * The first look at each of them finds out whether its QEMU is held, so that normally
 * nothing hangs a second time; the round goes on without the one that does.
 */
static void group_slow(void *work)
{
	struct group *group = work;
	struct core *core = group->core;
	struct guest *waiting[GROUP_MAX];
	size_t count = 0;
	uint64_t round =
		core->round && group->round == core->round_number ? group->round : 0;
	for (size_t i = 0; i < group->count; i++)
		if (waits_for(group, group->members[i].guest))
			waiting[count++] = group->members[i].guest;
	if (count > 1) {
		ask(core, waiting, count / 2, round);
		ask(core, waiting + count / 2, count - count / 2, round);
	}
	let_go(group);
}

static bool is_suspect(const struct guest *guest)
{
	return guest->facts.hung || guest->held_ms;
}

/* Those that are well, in groups. */
static void ask_the_well(struct core *core)
{
	struct guest *group[GROUP_MAX];
	size_t count = 0;
	for (size_t i = 0; i < core->guest_count; i++) {
		struct guest *guest = core->guests[i];
		if (!guest->known || guest->asked || is_suspect(guest))
			continue;
		group[count++] = guest;
		if (count < GROUP_MAX)
			continue;
		ask(core, group, count, core->round_number);
		count = 0;
	}
	if (count)
		ask(core, group, count, core->round_number);
}

/* Those that don't answer, each alone, and no round waits for them. */
static void ask_the_hung(struct core *core)
{
	int64_t now_ms = core_now_ms();
	for (size_t i = 0; i < core->guest_count; i++) {
		struct guest *guest = core->guests[i];
		if (guest->known && !guest->asked && is_suspect(guest) &&
			guest->probe_ms <= now_ms)
			ask(core, &guest, 1, 0);
	}
}

void round_begin(struct core *core)
{
	if (core->round)
		return;
	core->round = true;
	core->round_number++;
	core->round_groups = 0;
	core->round_due_ms = core_now_ms() + (int64_t)core->deadline_ms;
	bool room = pool_room(core->pool, LANE_SAMPLES) > 0;
	if (!room)
		core_note(core, NOTE_NO_ROOM,
			"libvirt: all calls for samples hang: going on with the last "
			"ones "
			"until one comes back");
	if (core->status.connected && room) {
		ask_the_well(core);
		ask_the_hung(core);
	}
	if (core->round_groups == 0)
		round_over(core);
}

void round_tick(struct core *core, int64_t now_ms)
{
	if (core->round && core->round_due_ms <= now_ms)
		round_over(core);
}
