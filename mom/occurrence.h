/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Something that happened and was worth a line: what the log says as text, for who shows
 * or keeps it. The latest ones stay in memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/log.h"

#define OCCURRENCES_KEPT 256

enum occurrence_kind {
	OCCURRENCE_STARTED, /* momd itself */
	OCCURRENCE_ENDING,
	OCCURRENCE_CONTROL, /* somebody asked for a change */
	OCCURRENCE_CONNECTED,
	OCCURRENCE_DISCONNECTED,
	OCCURRENCE_NOTE,   /* the hypervisor has something to say */
	OCCURRENCE_PART,   /* a collector or controller fails, or works again */
	OCCURRENCE_POLICY, /* a policy complains, or has no reason to any more */
	OCCURRENCE_POOL,   /* the host's or a pool's state: room, states */
	OCCURRENCE_RESERVED, /* memory for a guest to come */
	OCCURRENCE_UNRESERVED,
	OCCURRENCE_KNOB,   /* a knob of the host was turned */
	OCCURRENCE_FOUND,  /* a guest; all below are of one */
	OCCURRENCE_GONE,
	OCCURRENCE_REBOOTED,
	OCCURRENCE_STATE,    /* states */
	OCCURRENCE_SETTINGS, /* what is wrong with its settings */
	OCCURRENCE_RESTLESS, /* its log is silent for a while */
	OCCURRENCE_ORDER,    /* a move, why */
	OCCURRENCE_REFUSED,
	OCCURRENCE_ADOPTED, /* its balloon: moves */
	OCCURRENCE_STUCK,
	OCCURRENCE_FIXED,
	OCCURRENCE_RELEASED,
	OCCURRENCE_HISTORY, /* of what keeps the history */
	OCCURRENCE_KIND_COUNT,
};

/* Texts are borrowed for the call; NULL where there is none. */
struct occurrence {
	uint64_t id;          /* counts up while momd runs; by who takes it */
	int64_t at_ms;        /* since 1970; by who takes it */
	enum log_level level; /* debug: left out of the log, to be kept at most */
	enum occurrence_kind kind;
	const char *guest, *uuid;
	const char *pool;     /* path of its cgroup, "" the host */
	const char *text;     /* the line, without the guest or pool it is about */
	const char *was, *is; /* states; constants */
	const char *why;
	bool has_move;
	uint64_t from_kib, to_kib; /* a balloon's */
	bool has_room;
	uint64_t available_kib, reserve_kib; /* a pool's */
};

typedef void (*occurrence_fn)(void *context, const struct occurrence *occurrence);

const char *occurrence_kind_name(enum occurrence_kind kind);

/* The latest ones, with copies of their texts. */
struct occurrences {
	struct occurrence items[OCCURRENCES_KEPT]; /* ring */
	size_t next, count;
};

/* Keep a copy, and give it; the oldest makes room. */
const struct occurrence *occurrences_put(
	struct occurrences *occurrences, const struct occurrence *occurrence);

/* Number `age` back from the latest (0), or NULL past the oldest. */
const struct occurrence *occurrences_at(
	const struct occurrences *occurrences, size_t age);

void occurrences_done(struct occurrences *occurrences);
