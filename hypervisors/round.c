/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/sample.h"

#include "mom/mem.h"
#include "mom/units.h"

/* Statistics that stand still so long are a lost period; looked at so often. */
#define FROZEN_MIN_MS  3000
#define PERIOD_LOOK_MS 30000

/* Windows counts page faults in 32 bits: beyond half of that, less is no boot. */
#define COUNTER_WRAPS (UINT64_C(1) << 31)

static void group_run(void *work, unsigned slot)
{
	sample_group(work, slot);
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

/*
 * What counts up since the guest's boot and is less than before tells of a boot whose
 * event was lost: the connection was, or libvirtd. The first new statistics after an
 * event are those of the boot that it told of.
 */
static void notice_boot(
	struct core *core, struct guest *guest, const struct guest_counters *before)
{
	const struct guest_counters *now = &guest->facts.counters;
	bool told = guest->boot_told;
	guest->boot_told = false;
	bool fell = before->has_minor_fault && now->has_minor_fault &&
		    now->minor_fault < before->minor_fault &&
		    before->minor_fault < COUNTER_WRAPS;
	if (!fell || told)
		return;
	guest->facts.boots++;
	core_tell(core, EVENT_GUEST_REBOOTED, guest, "%s", guest->facts.name);
}

static void answered(struct core *core, struct guest *guest, const struct member *member)
{
	struct guest_facts *facts = &guest->facts;
	struct guest_counters counters = facts->counters;
	uint64_t before = facts->last_update;
	facts->busy = member->job;
	if (member->has_run)
		facts->run = member->run;
	facts->io_error =
		facts->run == GUEST_PAUSED && member->reason == VIR_DOMAIN_PAUSED_IOERROR;
	balloon_stats_apply(facts, &member->report);
	if (facts->last_update != before)
		notice_boot(core, guest, &counters);
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
	guest->facts.busy = member->job;
	balloon_stats_apply(&guest->facts, &member->report);
}

static void probe_later(struct core *core, struct guest *guest, bool backing_off)
{
	guest->probe_ms =
		core_now_ms() + (backing_off ? (int64_t)guest->probe_wait_ms : 0);
	guest->probe_wait_ms = min_u64(guest->probe_wait_ms * 2, core->deadline_ms);
}

static void ask(struct core *core, struct guest **guests, size_t count, uint64_t round,
	bool insist);

/*
 * A QEMU that waits for its host may hang a call for long, so only some of them are asked
 * at a time, each alone; the others count as held.
 */
static void ask_or_hold(struct group *group, struct member *member)
{
	struct core *core = group->core;
	bool counted = core->round && group->round == core->round_number;
	if (core->insisting < core->insisting_max) {
		ask(core, &member->guest, 1, counted ? group->round : 0, true);
		return;
	}
	held(core, member->guest, member);
	probe_later(core, member->guest, true);
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
	case ANSWER_BLOCKED:
		ask_or_hold(group, member);
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
	core->insisting -= group->insist;
	if (group->dead && group->epoch == core->epoch && !core->in_process)
		survey_want(core); /* finds out about the main connection */
	if (!group->dead)
		core_heard(core);
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
	core->insisting -= !started && group->insist;
	bool blamed = started && core_blames(core, group->begun_ms);
	for (size_t i = 0; i < group->count; i++) {
		struct guest *guest = group->members[i].guest;
		bool hangs = blamed && !guest->gone && guest->answered < group->number;
		if (!started && guest->asked == group->number)
			guest->asked = 0; /* else not before the call is back */
		if (hangs)
			core_set_hung(core, guest, true);
	}
	let_go(group);
}

/* Whoever it hung on is free again: ask at the next round. */
static void group_back(void *work)
{
	struct group *group = work;
	group->core->insisting -= group->insist;
	for (size_t i = 0; i < group->count; i++) {
		struct guest *guest = group->members[i].guest;
		if (guest->asked == group->number)
			guest->asked = 0;
		guest->probe_ms = 0;
	}
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

static void ask(struct core *core, struct guest **guests, size_t count, uint64_t round,
	bool insist)
{
	struct group *group = mem_alloc(sizeof(*group));
	group->core = core;
	group->epoch = core->epoch;
	group->begun_ms = core_now_ms();
	group->round = round;
	group->insist = insist;
	group->no_nowait = core->no_nowait;
	group->count = count;
	for (size_t i = 0; i < count; i++) {
		group->members[i].guest = guest_ref(guests[i]);
		group->members[i].handle = guest_handle(guests[i]);
	}
	group->number = core_submit(core, LANE_SAMPLES, &group_kind, group, 0, SLOW_MS);
	for (size_t i = 0; i < count; i++)
		guests[i]->asked = group->number;
	core->insisting += insist;
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
		ask(core, waiting, count / 2, round, false);
		ask(core, waiting + count / 2, count - count / 2, round, false);
	}
	survey_want(core); /* so that it is known whether libvirtd answers at all */
	let_go(group);
}

static bool is_suspect(const struct guest *guest)
{
	return guest->facts.hung || guest->held_ms;
}

/* Where a round can't get to all of them, the next one begins with who waited longest. */
static size_t longest_unanswered(const struct core *core)
{
	size_t first = 0;
	for (size_t i = 1; i < core->guest_count; i++)
		if (core->guests[i]->answered < core->guests[first]->answered)
			first = i;
	return first;
}

/* Those that are well, in groups. */
static void ask_the_well(struct core *core)
{
	struct guest *group[GROUP_MAX];
	size_t count = 0, first = longest_unanswered(core);
	for (size_t i = 0; i < core->guest_count; i++) {
		struct guest *guest = core->guests[(first + i) % core->guest_count];
		if (!guest->known || guest->asked || is_suspect(guest))
			continue;
		group[count++] = guest;
		if (count < GROUP_MAX)
			continue;
		ask(core, group, count, core->round_number, false);
		count = 0;
	}
	if (count)
		ask(core, group, count, core->round_number, false);
}

/* Those that don't answer, each alone, and no round waits for them. */
static void ask_the_hung(struct core *core)
{
	int64_t now_ms = core_now_ms();
	for (size_t i = 0; i < core->guest_count; i++) {
		struct guest *guest = core->guests[i];
		if (guest->known && !guest->asked && is_suspect(guest) &&
			guest->probe_ms <= now_ms)
			ask(core, &guest, 1, 0, false);
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
	if (room)
		core->notes &= ~(1u << NOTE_NO_ROOM);
	else if (core->status.connected)
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
