/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One sampling call: some guests are looked at one by one without hanging on any, and
 * those that are well are asked together.
 */

#include "hypervisors/libvirt_core.h"

enum answer {
	ANSWER_NONE, /* not asked, or an error */
	ANSWER_GOOD,
	ANSWER_HELD,    /* some call holds its QEMU */
	ANSWER_BLOCKED, /* its process waits for the host */
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
	int reason; /* of the state, as libvirt numbers it */
	struct balloon_report report;
};

/* Some guests that are asked in one bulk call. What the worker writes is looked at only
 * when it is done in time. */
struct group {
	struct core *core;
	uint64_t number, epoch;
	int64_t begun_ms;
	uint64_t round; /* the round that waits for it, 0 none */
	bool insist;    /* ask though it is blocked */
	bool dead;      /* the connection is */
	bool no_nowait; /* the driver doesn't know the flag */
	size_t count;
	struct member members[GROUP_MAX];
};

/* The call; in a worker. Fills the members' answers, or sets `dead`. */
void sample_group(struct group *group, unsigned slot);
