/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <errno.h>
#include <string.h>

#include "hypervisors/domain_xml.h"
#include "hypervisors/qemu_process.h"
#include "mom/mem.h"

/* So many guests are looked into at a time; the rest follows in the next survey. */
#define SURVEY_READS_MAX 64

/* One running domain of the list. */
struct found {
	char uuid[UUID_TEXT_MAX];
	char name[GUEST_NAME_MAX];
	int id, pid;
	bool wanted; /* it is new, or changed: look into it */
	bool read;
	struct domain_xml xml;
	struct err problem; /* why the XML tells nothing; code 0 fine */
	enum guest_run run;
	struct balloon_report report; /* its sizes */
};

struct survey {
	struct core *core;
	uint64_t number, epoch;
	virConnectPtr connection;
	virDomainPtr *domains;
	int count; /* of domains and found; negative where the list can't be had */
	struct found *found;
	bool more;
	bool dead; /* the connection is */
	char why[200];
};

/* ---- in the worker ---- */

static void name_domain(struct found *found, virDomainPtr domain)
{
	virDomainGetUUIDString(domain, found->uuid);
	snprintf(found->name, sizeof(found->name), "%s", virDomainGetName(domain));
	found->id = (int)virDomainGetID(domain);
}

/* Which of them are to be looked into; takes the lock. */
static void choose(struct survey *survey)
{
	size_t chosen = 0;
	core_lock(survey->core);
	for (int i = 0; i < survey->count; i++) {
		struct found *found = &survey->found[i];
		const struct guest *guest = core_find(survey->core, found->uuid);
		if (guest)
			found->pid = guest->facts.pid;
		bool same = guest && guest->known && guest->facts.id == found->id;
		if (same && !guest->stale_xml)
			continue;
		found->wanted = chosen < SURVEY_READS_MAX;
		survey->more |= !found->wanted;
		chosen += found->wanted;
	}
	core_unlock(survey->core);
}

static void find_processes(struct survey *survey)
{
	struct qemu_wanted wanted[SURVEY_READS_MAX];
	struct found *owners[SURVEY_READS_MAX];
	size_t count = 0;
	for (int i = 0; i < survey->count; i++) {
		struct found *found = &survey->found[i];
		if (!found->wanted)
			continue;
		owners[count] = found;
		wanted[count] = (struct qemu_wanted){0};
		memcpy(wanted[count++].uuid, found->uuid, sizeof(found->uuid));
	}
	qemu_process_find(survey->core->proc_root, wanted, count);
	for (size_t i = 0; i < count; i++)
		owners[i]->pid = wanted[i].pid;
}

static void read_sizes(struct found *found, virDomainPtr domain)
{
	virDomainInfo info;
	if (virDomainGetInfo(domain, &info) < 0)
		return;
	found->run = core_run_of_state(info.state);
	found->report.has[BALLOON_MAXIMUM] = true;
	found->report.values[BALLOON_MAXIMUM] = info.maxMem;
	found->report.has[BALLOON_CURRENT] = true;
	found->report.values[BALLOON_CURRENT] = info.memory;
}

static void look_into(struct found *found, virDomainPtr domain)
{
	auto_free char *text = virDomainGetXMLDesc(domain, 0);
	if (!text)
		return; /* it went, or the connection did */
	found->read = true;
	domain_xml_read(text, strlen(text), &found->xml, &found->problem);
	read_sizes(found, domain);
}

static void survey_run(void *work, unsigned slot)
{
	struct survey *survey = work;
	(void)slot;
	survey->count = virConnectListAllDomains(
		survey->connection, &survey->domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (survey->count < 0) {
		snprintf(
			survey->why, sizeof(survey->why), "%s", virGetLastErrorMessage());
		survey->dead = virConnectIsAlive(survey->connection) != 1;
		return;
	}
	survey->found = mem_array((size_t)survey->count, sizeof(*survey->found));
	for (int i = 0; i < survey->count; i++)
		name_domain(&survey->found[i], survey->domains[i]);
	choose(survey);
	find_processes(survey);
	for (int i = 0; i < survey->count; i++)
		if (survey->found[i].wanted)
			look_into(&survey->found[i], survey->domains[i]);
}

/* ---- with the lock ---- */

static void take_xml(struct core *core, struct guest *guest, struct found *found)
{
	struct guest_facts *facts = &guest->facts;
	struct domain_xml *xml = &found->xml;
	if (found->problem.code)
		core_note(core, NOTE_BAD_XML, "guest '%.60s': %.80s; it is only watched",
			facts->name, found->problem.text);
	facts->has_balloon = xml->has_balloon;
	facts->autodeflate = xml->autodeflate;
	facts->locked = xml->locked;
	facts->hugepages = xml->hugepages;
	facts->nosharepages = xml->nosharepages;
	facts->keeps_touched =
		!xml->hugepages && !xml->build.shared && !xml->build.free_page_reporting;
	facts->windows = xml->windows;
	free(facts->metadata);
	facts->metadata = take(xml->metadata);
	facts->build = xml->build;
	facts->build.known = !found->problem.code;
	guest->stats_period_s = xml->build.stats_period_s;
}

static void take_found(struct core *core, struct guest *guest, struct found *found)
{
	bool arrives = !guest->known;
	take_xml(core, guest, found);
	guest->facts.pid = found->pid;
	if (found->run != GUEST_RUN_UNKNOWN)
		guest->facts.run = found->run;
	balloon_stats_apply(&guest->facts, &found->report);
	guest->known = true;
	guest->stale_xml = false;
	core_tell(core, arrives ? EVENT_GUEST_ARRIVED : EVENT_GUEST_CHANGED, guest, "%s",
		guest->facts.name);
	order_set_period(core, guest);
}

static void take_one(struct core *core, struct found *found, uint64_t number)
{
	struct guest *guest = core_find(core, found->uuid);
	if (guest && guest->facts.id != found->id) {
		core_remove_guest(core, guest);
		guest = NULL;
	}
	if (!guest && !found->read)
		return;
	if (!guest)
		guest = core_add_guest(core, found->uuid, found->name, found->id);
	guest->seen = number;
	if (found->read)
		take_found(core, guest, found);
}

static void remove_unseen(struct core *core, uint64_t number)
{
	for (size_t i = core->guest_count; i-- > 0;)
		if (core->guests[i]->seen != number)
			core_remove_guest(core, core->guests[i]);
}

static void survey_start(struct core *core);

/* Whatever came of it: the next one in time, or at once where somebody waits for it. */
static void survey_over(struct core *core)
{
	core->survey_running = false;
	core->survey_ms = core_now_ms() + (int64_t)core->resync_ms;
	if (core->survey_wanted)
		survey_start(core);
}

static void survey_done(void *work)
{
	struct survey *survey = work;
	struct core *core = survey->core;
	if (survey->epoch != core->epoch || core->closing) {
		core->survey_wanted |= !core->closing;
	} else if (survey->dead) {
		link_lost(core, survey->why);
	} else if (survey->count >= 0) {
		core_heard(core);
		for (int i = 0; i < survey->count; i++)
			take_one(core, &survey->found[i], survey->number);
		remove_unseen(core, survey->number);
		core->survey_wanted |= survey->more;
	}
	survey_over(core);
}

static void survey_late(void *work, bool started)
{
	struct survey *survey = work;
	survey->core->status.calls_late += started;
	survey->core->survey_stuck = started;
	survey_over(survey->core);
}

/* While one hangs no other is begun: the lane has a connection to look after. */
static void survey_back(void *work)
{
	struct survey *survey = work;
	survey->core->survey_stuck = false;
	survey_want(survey->core);
}

static void survey_free(void *work)
{
	struct survey *survey = work;
	for (int i = 0; i < survey->count; i++) {
		virDomainFree(survey->domains[i]);
		domain_xml_done(&survey->found[i].xml);
	}
	free(survey->domains);
	free(survey->found);
	virConnectClose(survey->connection);
	free(survey);
}

static const struct pool_kind survey_kind = {
	.run = survey_run,
	.done = survey_done,
	.late = survey_late,
	.back = survey_back,
	.free = survey_free,
};

static void survey_start(struct core *core)
{
	core->survey_wanted = false;
	if (!core->status.connected || core->closing || core->survey_stuck)
		return;
	struct survey *survey = mem_alloc(sizeof(*survey));
	survey->core = core;
	survey->number = ++core->surveys;
	survey->epoch = core->epoch;
	survey->connection = core->main.connection;
	virConnectRef(survey->connection);
	core->survey_running = true;
	core_submit(core, LANE_CONTROL, &survey_kind, survey, 0, 0);
}

void survey_want(struct core *core)
{
	core->survey_wanted = true;
	if (!core->survey_running)
		survey_start(core);
}
