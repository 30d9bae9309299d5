/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/share.h"

#include <math.h>

#include "mom/mem.h"

#define SMALLEST_SHARES 1e-3
#define LARGEST_TAX     0.99
#define HALVINGS        100

/* One guest's part as the common level rises: clamp(offset + slope·level, low, high). */
struct line {
	double offset, slope, low, high;
};

static double line_at(const struct line *line, double level)
{
	double part = line->offset + line->slope * level;
	part = part < line->low ? line->low : part; /* fmin() is a call, and this is hot */
	return part > line->high ? line->high : part;
}

static double sum_at(const struct line *lines, size_t count, double level)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += line_at(&lines[i], level);
	return sum;
}

/* The level from which every line stands at its upper bound. */
static double full_level(const struct line *lines, size_t count)
{
	double level = 0;
	for (size_t i = 0; i < count; i++)
		level = fmax(level, (lines[i].high - lines[i].offset) / lines[i].slope);
	return level;
}

/* The highest level at which the parts still fit; the sum rises with it, so halving finds
 * it. */
static double find_level(const struct line *lines, size_t count, double budget)
{
	double low = 0, high = full_level(lines, count);
	if (sum_at(lines, count, high) <= budget)
		return high;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = low + (high - low) / 2;
		if (middle <= low || middle >= high)
			break; /* no number lies between */
		if (sum_at(lines, count, middle) <= budget)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct line up_to_want(const struct claim *claim)
{
	double floor = (double)claim->floor_kib;
	double ceiling = fmax((double)claim->ceiling_kib, floor);
	return (struct line){
		.slope = fmax(claim->shares, SMALLEST_SHARES),
		.low = floor,
		.high = fmin(fmax((double)claim->want_kib, floor), ceiling),
	};
}

/*
 * Equal (active + k·(held − active)) / shares = level, solved for held: a line whose
 * slope is the shares over k. Nobody falls under what it wants.
 */
static struct line beyond_want(
	const struct claim *claim, const struct line *wanted, double k)
{
	double active = wanted->high;
	return (struct line){
		.offset = active - active / k,
		.slope = wanted->slope / k,
		.low = active,
		.high = fmax((double)claim->ceiling_kib, active),
	};
}

void share_divide(const struct claim *claims, size_t count, uint64_t budget_kib,
	double tax, uint64_t *targets)
{
	auto_free struct line *lines = mem_array(count, sizeof(*lines));
	double budget = (double)budget_kib;
	double wanted = 0;
	for (size_t i = 0; i < count; i++) {
		lines[i] = up_to_want(&claims[i]);
		wanted += lines[i].high;
	}
	if (wanted <= budget) {
		double k = 1 / (1 - fmin(fmax(tax, 0), LARGEST_TAX));
		for (size_t i = 0; i < count; i++)
			lines[i] = beyond_want(&claims[i], &lines[i], k);
	}
	double level = find_level(lines, count, budget);
	for (size_t i = 0; i < count; i++)
		targets[i] = (uint64_t)line_at(&lines[i], level);
}
