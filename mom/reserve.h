/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory kept for guests that aren't there yet. A reservation is a claim on its pool's
 * budget: what is divided shrinks by it, so that policy and guard bring the guests down
 * as for any other need, and nobody grows into what it holds. Functions of their
 * arguments.
 */

#include "mom/follow.h"
#include "mom/model.h"
#include "mom/pools.h"
#include "mom/roster.h"

struct reservation {
	unsigned number;            /* in this run of the daemon */
	char name[GUEST_NAME_MAX];  /* whom it is for; "" whoever comes next */
	char pool[CGROUP_PATH_MAX]; /* whose budget it claims; "" the host's */
	uint64_t size_kib;
	int64_t expires_ms; /* of the monotonic clock */
	int known_id;       /* guests of this number or less were there before it */
};

struct reservations {
	struct reservation *items; /* the oldest first: it is served first */
	size_t count, capacity;
	unsigned last_number;
};

void reservations_done(struct reservations *list);

/* Keep a copy; it takes the place of one for the same guest. Gives its number. */
unsigned reservations_put(struct reservations *list, const struct reservation *wanted);

/* By its number; NULL it has ended. */
const struct reservation *reservations_find(
	const struct reservations *list, unsigned number);

/* End those for the guest, or ("") those for whoever comes next; how many there were. */
size_t reservations_cancel(struct reservations *list, const char *name);

/* Told of each reservation that ends; `guest` NULL: its time is over. */
typedef void (*reservation_ended)(
	void *context, const struct reservation *reservation, const struct guest *guest);

/* End those whose guest has come or whose time is over; how many. */
size_t reservations_follow(struct reservations *list, const struct roster *roster,
	int64_t now_ms, reservation_ended ended, void *context);

/* The greatest number of a run: what `known_id` of a new reservation is. */
int reserve_known_id(const struct roster *roster);

/*
 * Set each pool's claim before it is estimated. A claim on a cgroup is one on the host,
 * too, and each is a little larger than what was asked for: changes that are too small
 * for an order don't add up to it.
 */
void reserve_claim(const struct reservations *list, const struct roster *roster,
	const struct follow_terms *terms, struct pools *pools);

/* What can be had for one reservation, on the figures of the last tick. */
struct reserve_look {
	bool known;       /* false: what is left isn't known, nor anything below */
	int64_t free_kib; /* there now, beyond the host's reserve; below 0 it is owed */
	int64_t most_kib; /* with all guests at their least */
	uint64_t others_kib;      /* claimed by others, and left out of both */
	size_t giving, unmovable; /* guests that can give, and that can't at all */
};

struct reserve_terms {
	const struct roster *roster;
	const struct pools *pools;
	uint64_t safety_kib; /* never taken from a guest beside what it uses */
	bool dry_run;        /* nothing will be taken */
};

/*
 * Look for a reservation that is in the list, or (not there yet) would be its last one.
 *
 * Shape: a guest's least is its minimum or what it uses and a little, whichever is more;
 * one whose memory can't be taken (no driver, stuck, fixed, hung, not running, paused,
 * opted out) stays at what it costs. One that boots or is held may give later on. Where
 * the pool is a cgroup the host has to have the memory, too.
 */
void reserve_look(const struct reservations *list, const struct reservation *reservation,
	const struct reserve_terms *terms, struct reserve_look *look);

/* How much of it is there: 0 to its size. */
uint64_t reserve_held_kib(
	const struct reservation *reservation, const struct reserve_look *look);

/* "3 guests can give 84.0 MiB more, 1 can't be moved, …": why it isn't more. */
void reserve_why(const struct reserve_look *look, bool dry_run, char text[REASON_MAX]);

/* "400 MiB is reserved for web-9" of what is claimed in a pool; "" nothing is. */
void reserve_mention(const struct reservations *list, const struct pools *pools,
	size_t pool, char text[REASON_MAX]);
