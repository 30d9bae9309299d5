/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/tally.h"

#include <errno.h>

#include "mom/mem.h"

void tally_order(struct tally *tally, const struct order *order)
{
	bool grow = order->to_kib >= order->from_kib;
	enum tally_move move = grow ? MOVE_GROW : MOVE_SHRINK;
	tally->orders[move]++;
	tally->ordered_kib[move] +=
		grow ? order->to_kib - order->from_kib : order->from_kib - order->to_kib;
}

void tally_answer(struct tally *tally, int result)
{
	static const struct {
		int result;
		enum tally_answer answer;
	} known[] = {
		{0, ANSWER_TAKEN},
		{-EBUSY, ANSWER_BUSY},
		{-ETIMEDOUT, ANSWER_LATE},
		{-ENODEV, ANSWER_NO_BALLOON},
		{-ENOENT, ANSWER_GONE},
		{-EPERM, ANSWER_FORBIDDEN},
		{-ENOTCONN, ANSWER_DISCONNECTED},
	};
	enum tally_answer answer = ANSWER_FAILED;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].result == result)
			answer = known[i].answer;
	tally->answers[answer]++;
}

void tally_decision(struct tally *tally, bool ordered, const char *verdict)
{
	tally->decisions[ordered    ? DECISION_ORDERED
			 : *verdict ? DECISION_HELD
				    : DECISION_KEPT]++;
}

const char *tally_move_name(enum tally_move move)
{
	return move == MOVE_GROW ? "grow" : "shrink";
}

const char *tally_answer_name(enum tally_answer answer)
{
	static const char *const names[ANSWER_COUNT] = {
		[ANSWER_TAKEN] = "taken",
		[ANSWER_BUSY] = "busy",
		[ANSWER_LATE] = "late",
		[ANSWER_NO_BALLOON] = "no_balloon",
		[ANSWER_GONE] = "gone",
		[ANSWER_FORBIDDEN] = "forbidden",
		[ANSWER_DISCONNECTED] = "disconnected",
		[ANSWER_FAILED] = "failed",
	};
	return names[answer];
}

const char *tally_decision_name(enum tally_decision decision)
{
	static const char *const names[DECISION_COUNT] = {
		[DECISION_ORDERED] = "ordered",
		[DECISION_HELD] = "held_back",
		[DECISION_KEPT] = "kept",
	};
	return names[decision];
}

static const double bounds_s[SPREAD_BOUNDS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1};

double spread_bound_s(size_t index)
{
	return bounds_s[index];
}

void spread_add(struct spread *spread, double seconds)
{
	for (size_t i = 0; i < SPREAD_BOUNDS; i++) {
		if (seconds <= bounds_s[i]) {
			spread->within[i]++;
			break;
		}
	}
	spread->count++;
	spread->sum_s += seconds;
}
