/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `momctl doctor` knows and what it makes of that: facts of the host and its guests
 * in, findings out. Functions of their arguments; who gathers the facts is
 * doctor_facts.c and doctor_host.c.
 *
 * Units: KiB, seconds, parts of a whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCTOR_DISKS_MAX 8
#define DOCTOR_NICS_MAX  4

/* A number that may not be known. */
struct fact {
	bool known;
	uint64_t value;
};

struct doctor_disk {
	const char *target, *bus, *cache;
	bool remote;
};

struct doctor_nic {
	const char *mac, *model;
};

/* Texts are those of the control protocol, "" where they aren't known. */
struct doctor_guest {
	const char *name, *state, *quality, *run, *os, *cgroup, *settings_trouble;
	struct fact max, limit, min, actual, used, demand, rss, swap, overhead, cost;
	struct fact refused, pid, floor, orders_refused;
	struct fact hard_limit, stats_period;
	double distress, floor_age_s, held_for_s, stuck_for_s;
	bool managed, io_error, yields_nothing;

	bool built; /* what follows is known */
	bool emulated, acpi, balloon, autodeflate, free_page_reporting, passthrough;
	bool locked, hugepages, shared, nosharepages, windows;
	struct doctor_disk disks[DOCTOR_DISKS_MAX];
	size_t disk_count;
	struct doctor_nic nics[DOCTOR_NICS_MAX];
	size_t nic_count;

	struct fact host_cache; /* file pages that the host holds for it */
	char process; /* state of its QEMU: 'T' stopped, 'D' blocked; 0 unknown */
};

/* A memory cgroup with a limit, and guests in it. */
struct doctor_pool {
	const char *path;
	struct fact budget, guests;
	uint64_t may_need; /* its guests at their maxima */
};

/* A program that is in momd's way. */
struct doctor_rival {
	const char *program;
	const char *instead; /* the command that ends it, or keeps it off */
};

#define DOCTOR_RIVALS_MAX 4

struct doctor_host {
	struct fact mem_total, mem_available, swap_total, swap_free, huge_free;
	struct fact overcommit, ksm_run, ksm_sharing_pages;
	bool has_zswap, zswap, zram;
	bool cgroup_v1;
	struct doctor_rival managers[DOCTOR_RIVALS_MAX]; /* who move balloons, too */
	size_t manager_count;
	struct doctor_rival tuner, killer; /* of KSM; of large processes; program NULL */
};

struct doctor {
	struct doctor_host host;

	bool alone; /* one guest was asked about: what concerns all isn't known */
	bool has_momd;
	bool denied;           /* it is there, but lets us not in */
	const char *momd_says; /* why it can't be asked */
	const char *state, *uri, *hypervisor_why;
	bool connected, read_only, dry_run, paused, ksm_policy;
	double disconnected_s;
	struct fact policies, warnings;
	const char *warning; /* the first one */

	struct doctor_guest *guests;
	size_t guest_count;
	struct doctor_pool *pools;
	size_t pool_count;
};

/* From harmless to grave. */
enum severity { SEVERITY_NONE, SEVERITY_ADVICE, SEVERITY_WARNING, SEVERITY_SERIOUS };

/* What a rule is asked about: what manages guests; the machine and its pools, unless one
 * guest is looked at alone; a guest, or each part of one. */
enum subject {
	ABOUT_HOST,
	ABOUT_MANAGER,
	ABOUT_MACHINE,
	ABOUT_POOL,
	ABOUT_GUEST,
	ABOUT_DISK,
	ABOUT_NIC,
};

/* Of which guests: what Windows needs is another thing. */
enum guest_os { OS_ANY, OS_WINDOWS, OS_OTHER };

struct rule;

/* One thing that is found, with the figures that its texts tell. */
struct finding {
	const struct rule *rule;
	const struct doctor_guest *guest; /* NULL: about the host */
	const struct doctor_disk *disk;
	const struct doctor_nic *nic;
	const struct doctor_pool *pool;
	const struct doctor_rival *rival;
	struct fact size, other; /* as the rule says */
	double seconds;
	const char *word;
};

/*
 * `says`, `costs` and `mends` are texts with {blanks}; doctor_text() names those. What
 * stands between two bars is left out where a blank in it has nothing to be filled with.
 * Each line of `mends` is a step of its own.
 */
struct rule {
	const char *id;
	enum severity severity;
	enum subject about;
	enum guest_os os;
	bool (*applies)(const struct doctor *all, struct finding *finding);
	const char *says, *costs, *mends;
};

/* Ends with a NULL id. */
extern const struct rule doctor_rules[];

struct findings {
	struct finding *items; /* owned */
	size_t count, capacity;
	enum severity worst;
};

/* Hold every rule against the facts; gravest first, then host, then guests in order. */
void doctor_examine(const struct doctor *all, struct findings *findings);
void findings_done(struct findings *findings);

/* "serious", "warning", "advice"; "none". */
const char *severity_name(enum severity severity);

/* What all guests may need at once, and what the host can give them beside its own. */
uint64_t doctor_may_need(const struct doctor *all);
uint64_t doctor_can_give(const struct doctor *all);

/*
 * One of the rule's texts with its blanks filled; freed by the caller.
 *
 * Shape:  {guest} the name, {name} the same as a word of a shell; {size} {other} sizes,
 * in exact KiB where `kib` is set; {size.M} {size.k} as arguments for momd and virsh;
 *         {size.n} a plain number; {span} a duration; {word} {word.q}; {disk} {mac}
 * {cache} {bus} {model}; {pid}; {pool}; {program} {instead}; {virsh} {virt-xml} the
 * commands with the connection they need.
 */
char *doctor_text(const char *text, const struct doctor *all,
	const struct finding *finding, bool kib);
