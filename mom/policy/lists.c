/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/eval.h"

#include <math.h>
#include <string.h>

/* What `expression` gives with `name` bound to `item`, in a scope of its own. */
static struct value eval_for(struct run *run, const struct node *name,
	const struct node *expression, struct value item)
{
	run_steps(run, name, 1);
	struct scope scope = run_enter(run);
	run_bind(run, name, name->symbol, item);
	struct value value = eval(run, expression);
	run_leave(run, scope);
	return value;
}

static struct value number_for(struct run *run, const struct node *name,
	const struct node *expression, struct value item)
{
	struct value value = eval_for(run, name, expression, item);
	if (!value_is_number(value))
		run_fail(run, expression, "a number is needed here, not %s",
			value_kind_name(value.kind));
	return value;
}

/* ---- one pass -------------------------------------------------------------------------
 */

static struct value add(
	struct run *run, const struct node *node, struct value sum, struct value next)
{
	int64_t whole;
	if (sum.kind == VALUE_FLOAT || next.kind == VALUE_FLOAT)
		return value_float(value_as_float(sum) + value_as_float(next));
	int64_t more = next.kind == VALUE_BOOL ? next.truth : next.integer;
	if (__builtin_add_overflow(sum.integer, more, &whole))
		run_fail(run, node, "the result of 'sum' is beyond 64 bits");
	return value_int(whole);
}

struct value eval_SUM(struct run *run, const struct node *node)
{
	const struct list *list = eval_list(run, node->items[1]);
	struct value sum = value_int(0);
	for (size_t i = 0; i < list->count; i++)
		sum = add(run, node, sum,
			number_for(run, node->items[2], node->items[3], list->items[i]));
	return sum;
}

static bool passes(struct run *run, const struct node *node, struct value item)
{
	return value_truth(eval_for(run, node->items[2], node->items[3], item));
}

struct value eval_TALLY(struct run *run, const struct node *node)
{
	const struct list *list = eval_list(run, node->items[1]);
	if (node->count == 2)
		return value_int((int64_t)list->count);
	int64_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += passes(run, node, list->items[i]);
	return value_int(count);
}

struct value eval_FILTER(struct run *run, const struct node *node)
{
	const struct list *list = eval_list(run, node->items[1]);
	struct list *kept = run_list_new(run, node, list->count);
	kept->count = 0;
	for (size_t i = 0; i < list->count; i++)
		if (passes(run, node, list->items[i]))
			kept->items[kept->count++] = list->items[i];
	return run_list(run, node, kept);
}

/* ---- order ----------------------------------------------------------------------------
 */

struct keyed {
	struct value key, item;
};

static bool goes_before(
	struct run *run, const struct node *node, struct value a, struct value b)
{
	int order;
	run_steps(run, node, value_work(a));
	if (!value_order(a, b, &order))
		run_fail(run, node, "%s and %s have no order", value_kind_name(a.kind),
			value_kind_name(b.kind));
	return order < 0;
}

/* One round of a merge sort: two runs of `width` become one; equal ones keep their order.
 */
static void merge(struct run *run, const struct node *node, const struct keyed *from,
	struct keyed *to, size_t start, size_t width, size_t count)
{
	size_t middle = start + width < count ? start + width : count;
	size_t end = middle + width < count ? middle + width : count;
	size_t left = start, right = middle;
	for (size_t i = start; i < end; i++) {
		bool take_right =
			right < end &&
			(left >= middle ||
				goes_before(run, node, from[right].key, from[left].key));
		to[i] = take_right ? from[right++] : from[left++];
	}
}

static const struct keyed *sort(struct run *run, const struct node *node,
	struct keyed *items, struct keyed *spare, size_t count)
{
	for (size_t width = 1; width < count; width *= 2) {
		run_steps(run, node, count / 8);
		for (size_t start = 0; start < count; start += 2 * width)
			merge(run, node, items, spare, start, width, count);
		struct keyed *sorted = spare;
		spare = items;
		items = sorted;
	}
	return items;
}

struct value eval_SORT_BY(struct run *run, const struct node *node)
{
	const struct list *list = eval_list(run, node->items[1]);
	size_t size = list->count * sizeof(struct keyed);
	struct keyed *items = run_alloc(run, node, size);
	for (size_t i = 0; i < list->count; i++)
		items[i] = (struct keyed){.item = list->items[i],
			.key = eval_for(
				run, node->items[2], node->items[3], list->items[i])};
	if (list->count == 1)
		goes_before(run, node, items->key, items->key);
	const struct keyed *sorted =
		sort(run, node, items, run_alloc(run, node, size), list->count);
	struct list *result = run_list_new(run, node, list->count);
	for (size_t i = 0; i < list->count; i++)
		result->items[i] = sorted[i].item;
	return run_list(run, node, result);
}

/* ---- the division ---------------------------------------------------------------------
 */

static uint64_t kib_of(struct run *run, const struct node *node, struct value number)
{
	if (!value_is_number(number))
		run_fail(run, node, "an amount of memory is a number, not %s",
			value_kind_name(number.kind));
	double amount = value_as_float(number);
	if (isnan(amount))
		run_fail(run, node, "an amount of memory that is not a number");
	if (amount <= 0)
		return 0;
	if (amount >= 0x1p53)
		return UINT64_C(1) << 53;
	return (uint64_t)amount;
}

static uint64_t kib_for(
	struct run *run, const struct node *node, size_t index, struct value item)
{
	const struct node *expression = node->items[index];
	return kib_of(run, expression, eval_for(run, node->items[2], expression, item));
}

static struct claim claim_for(struct run *run, const struct node *node, struct value item)
{
	struct claim claim = {.floor_kib = kib_for(run, node, 4, item),
		.want_kib = kib_for(run, node, 5, item),
		.ceiling_kib = kib_for(run, node, 6, item)};
	const struct node *expression = node->items[7];
	claim.shares = value_as_float(number_for(run, node->items[2], expression, item));
	if (!isfinite(claim.shares) || claim.shares < 0)
		run_fail(run, expression, "shares are a number from 0 on");
	return claim;
}

static double eval_tax(struct run *run, const struct node *node)
{
	struct value tax = eval(run, node);
	if (!value_is_number(tax) || !(value_as_float(tax) >= 0.0) ||
		value_as_float(tax) > 1.0)
		run_fail(run, node, "the tax is a number from 0 to 1");
	return value_as_float(tax);
}

struct value eval_SHARE_OUT(struct run *run, const struct node *node)
{
	const struct list *list = eval_list(run, node->items[1]);
	uint64_t budget = kib_of(run, node->items[3], eval(run, node->items[3]));
	double tax = eval_tax(run, node->items[8]);
	struct list *result = run_list_new(run, node, list->count);
	struct claim *claims = run_alloc(run, node, list->count * sizeof(*claims));
	uint64_t *targets = run_alloc(run, node, list->count * sizeof(*targets));
	for (size_t i = 0; i < list->count; i++)
		claims[i] = claim_for(run, node, list->items[i]);
	run_steps(run, node, 8 * list->count);
	if (!run->divide)
		run_fail(run, node, "there is no division here");
	run->divide(claims, list->count, budget, tax, targets);
	for (size_t i = 0; i < list->count; i++)
		result->items[i] = value_int((int64_t)targets[i]);
	return run_list(run, node, result);
}

/* ---- patterns -------------------------------------------------------------------------
 */

/* Does [set] at `*pattern` hold the character? Steps behind it; false too where it has no
 * end. */
static bool in_set(const char **pattern, char c)
{
	const char *at = *pattern + 1;
	bool negated = *at == '!' || *at == '^', found = false;
	at += negated;
	for (const char *first = at; *at && (*at != ']' || at == first); at++) {
		if (at[1] == '-' && at[2] && at[2] != ']') {
			found = found || (c >= at[0] && c <= at[2]);
			at += 2;
		} else {
			found = found || *at == c;
		}
	}
	if (!*at)
		return false;
	*pattern = at + 1;
	return found != negated;
}

static bool fits_one(const char **pattern, char c)
{
	if (**pattern == '[' && strchr(*pattern, ']'))
		return in_set(pattern, c);
	bool fits = **pattern == '?' || **pattern == c;
	(*pattern)++;
	return fits;
}

/* A character may be several bytes of UTF-8. */
static const char *next_character(const char *text)
{
	do
		text++;
	while (((unsigned char)*text & 0xc0) == 0x80);
	return text;
}

/* On a mismatch, go back to the last star only: no pattern takes long. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
			continue;
		}
		bool any = *pattern == '?';
		if (*pattern && fits_one(&pattern, *text)) {
			text = any ? next_character(text) : text + 1;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = resume = next_character(resume);
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

struct value eval_MATCH(struct run *run, const struct node *node)
{
	struct value pattern = eval(run, node->items[1]);
	struct value text = eval(run, node->items[2]);
	if (text.kind == VALUE_NIL)
		return value_bool(false);
	if (pattern.kind != VALUE_STRING || text.kind != VALUE_STRING)
		run_fail(run, node, "'match' compares two strings, not %s and %s",
			value_kind_name(pattern.kind), value_kind_name(text.kind));
	size_t work = pattern.text->length * text.text->length / 32;
	run_steps(run, node, work);
	return value_bool(matches(pattern.text->bytes, text.text->bytes));
}
