/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the engine did since it began, counted: for the daemon's metrics. Numbers only go
 * up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/model.h"

enum tally_move { MOVE_GROW, MOVE_SHRINK, MOVE_COUNT };

/* What the hypervisor made of an order. */
enum tally_answer {
	ANSWER_TAKEN,
	ANSWER_BUSY,       /* a job held the guest */
	ANSWER_LATE,       /* the call missed its deadline */
	ANSWER_NO_BALLOON, /* the guest has none */
	ANSWER_GONE,       /* the guest went */
	ANSWER_FORBIDDEN,
	ANSWER_DISCONNECTED,
	ANSWER_FAILED, /* anything else */
	ANSWER_COUNT,
};

/* What a tick decided about a guest. */
enum tally_decision {
	DECISION_ORDERED,
	DECISION_HELD, /* what was wished was held back, with a reason */
	DECISION_KEPT, /* it has what it was wished, or nothing was */
	DECISION_COUNT,
};

struct tally {
	uint64_t orders[MOVE_COUNT], ordered_kib[MOVE_COUNT];
	uint64_t answers[ANSWER_COUNT];
	uint64_t decisions[DECISION_COUNT];
};

/* An order has left. */
void tally_order(struct tally *tally, const struct order *order);

/* What became of one: 0, or a negative errno of mom/hypervisor.h. */
void tally_answer(struct tally *tally, int result);

void tally_decision(struct tally *tally, bool ordered, const char *verdict);

const char *tally_move_name(enum tally_move move);
const char *tally_answer_name(enum tally_answer answer);
const char *tally_decision_name(enum tally_decision decision);

/* How long things took: so many up to each bound, and all of them. */
#define SPREAD_BOUNDS 10

struct spread {
	uint64_t within[SPREAD_BOUNDS]; /* those above the bound before */
	uint64_t count;
	double sum_s;
};

void spread_add(struct spread *spread, double seconds);
double spread_bound_s(size_t index);
