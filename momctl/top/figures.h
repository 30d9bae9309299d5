/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One tick as the view wants it: the daemon's status, read once into plain numbers. What
 * comes from outside as text is made fit for a terminal here, and nowhere else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A figure that may not be known. */
struct top_kib {
	bool known;
	uint64_t kib;
};

struct top_rate {
	bool known;
	double per_s;
};

struct top_guest {
	char *name, *uuid, *state, *quality, *reason;   /* clean; "" not known */
	struct top_kib max, limit, min, actual, target; /* the balloon */
	struct top_kib used, unused, demand;            /* inside */
	struct top_kib held, swap, cost;                /* outside */
	struct top_rate swap_in, swap_out; /* KiB a second, of its own swap */
	struct top_rate faults;            /* that had to wait for a disk */
	uint64_t shares;
	bool on_host; /* its memory is of the ledger that the host's bar shows */
	double distress;
	double reason_age_s;
};

struct top_host {
	char *name, *state;
	struct top_kib total, usable, cached, reserve, exposure, budget, cost;
	struct top_kib swap_total, swap_free, ksm_saving;
	struct top_rate swap_in, swap_out, ksmd_cpu;
	struct top_rate psi_some, psi_full; /* a part of the time, 0..1 */
};

struct top_figures {
	double at; /* seconds since the epoch; 0 not known */
	double period_s;
	uint64_t tick;
	bool restrained; /* paused, a dry run, or without a hypervisor */
	char *manager;   /* "fair-share; qemu:///system" and what is unusual */
	char *warning;   /* the first, and how many more; "" none */
	struct top_host host;
	struct top_guest *guests;
	size_t guest_count;
};

/*
 * Read a tick. Members that are missing or of another type are not known; guests without
 * a name or an identity are left out.
 */
void top_figures_read(struct top_figures *figures, struct json_object *status);
void top_figures_done(struct top_figures *figures);

/* In-guest caches: what is neither used nor unused. Not known where one of them isn't. */
struct top_kib top_guest_cache(const struct top_guest *guest);

/* What the balloon took. */
struct top_kib top_guest_balloon(const struct top_guest *guest);

/*
 * Which way its balloon is on: 1 it gets memory, -1 it gives some, 0 it stands still, as
 * near to its target as balloons get.
 */
int top_course(struct top_kib actual, struct top_kib target, struct top_kib max);

/* In and out together. */
struct top_rate top_guest_swapping(const struct top_guest *guest);
