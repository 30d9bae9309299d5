/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real engine on the made-up hypervisor: rounds, glances and ticks follow one
 * another as in the daemon's loop, on a clock that is a number, and what the engine logs
 * is kept for the test to read.
 */

#include "mom/engine.h"
#include "tests/fake/fake.h"
#include "tests/unit/made_up.h"

#define MIB KIB_PER_MIB

struct rig {
	struct fake fake;
	struct engine engine;
	struct made_up folder; /* momd.conf, policies and a /sys of its own */
	char *sys_root;        /* in that folder; the engine keeps the pointer */
	const char *uri;
	bool dry_run;
	unsigned ticks, emergencies;
	bool began, opened;
	int64_t due_ms, glance_ms;
	int log_fd, stderr_fd;
	char *log; /* what was logged, as last read */
};

/* An empty host; guests are added to `rig->fake`. */
void rig_init(struct rig *rig, uint64_t memory_kib);
void rig_done(struct rig *rig);

/* Open the engine with this text as momd.conf, beside what the rig needs itself. */
int rig_try(struct rig *rig, const char *config, struct err *err);
void rig_open(struct rig *rig, const char *config); /* must succeed */

/* Swap the configuration for another text. */
int rig_reconfigure(struct rig *rig, const char *config, struct err *err);

/* Let the host and the engine live for so long. */
void rig_run(struct rig *rig, uint64_t ms);

/* The daemon ends and another one begins, which knows nothing but what is kept. */
void rig_restart(struct rig *rig, const char *config);

/* How many lines of the log hold this text. */
size_t rig_said(struct rig *rig, const char *text);

/* A guest as the engine knows it; the test fails where it doesn't. */
struct guest *rig_guest(struct rig *rig, size_t index);

/* The latest decision on it. */
const struct decision *rig_decision(struct rig *rig, size_t index);
