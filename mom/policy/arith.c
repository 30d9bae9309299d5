/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/eval.h"

#include <math.h>
#include <string.h>

struct operands {
	struct value a, b;
};

static struct operands eval_two(struct run *run, const struct node *node)
{
	struct operands operands = {.a = eval(run, node->items[1])};
	operands.b = eval(run, node->items[2]);
	return operands;
}

static bool is_integer(struct value value)
{
	return value.kind == VALUE_INT || value.kind == VALUE_BOOL;
}

static int64_t integer_of(struct value value)
{
	return value.kind == VALUE_BOOL ? value.truth : value.integer;
}

static _Noreturn void fail_kinds(
	struct run *run, const struct node *node, struct operands operands)
{
	run_fail(run, node, "'%s' can't be used on %s and %s", node->items[0]->name,
		value_kind_name(operands.a.kind), value_kind_name(operands.b.kind));
}

static _Noreturn void fail_overflow(struct run *run, const struct node *node)
{
	run_fail(run, node, "the result of '%s' is beyond 64 bits", node->items[0]->name);
}

/* ---- strings and lists ----------------------------------------------------------------
 */

static struct value join_texts(struct run *run, const struct node *node,
	const struct text *a, const struct text *b)
{
	struct text *text = run_text_new(run, node, a->length + b->length);
	memcpy(text->bytes, a->bytes, a->length);
	memcpy(text->bytes + a->length, b->bytes, b->length);
	return (struct value){.kind = VALUE_STRING, .text = text};
}

static struct value join_lists(struct run *run, const struct node *node,
	const struct list *a, const struct list *b)
{
	run_steps(run, node, (a->count + b->count) / 16);
	struct list *list = run_list_new(run, node, a->count + b->count);
	memcpy(list->items, a->items, a->count * sizeof(*a->items));
	memcpy(list->items + a->count, b->items, b->count * sizeof(*b->items));
	return run_list(run, node, list);
}

static struct value repeat(
	struct run *run, const struct node *node, const struct text *text, int64_t times)
{
	size_t count = times > 0 && text->length ? (size_t)times : 0, length;
	if (__builtin_mul_overflow(count, text->length, &length))
		length = SIZE_MAX;
	struct text *result = run_text_new(run, node, length);
	for (size_t i = 0; i < count; i++)
		memcpy(result->bytes + i * text->length, text->bytes, text->length);
	return (struct value){.kind = VALUE_STRING, .text = result};
}

/* ---- arithmetic -----------------------------------------------------------------------
 */

struct value eval_ADD(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	int64_t sum;
	if (is_integer(o.a) && is_integer(o.b)) {
		if (__builtin_add_overflow(integer_of(o.a), integer_of(o.b), &sum))
			fail_overflow(run, node);
		return value_int(sum);
	}
	if (value_is_number(o.a) && value_is_number(o.b))
		return value_float(value_as_float(o.a) + value_as_float(o.b));
	if (o.a.kind == VALUE_STRING && o.b.kind == VALUE_STRING)
		return join_texts(run, node, o.a.text, o.b.text);
	if (o.a.kind == VALUE_LIST && o.b.kind == VALUE_LIST)
		return join_lists(run, node, o.a.list, o.b.list);
	fail_kinds(run, node, o);
}

struct value eval_SUB(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	int64_t rest;
	if (!value_is_number(o.a) || !value_is_number(o.b))
		fail_kinds(run, node, o);
	if (!is_integer(o.a) || !is_integer(o.b))
		return value_float(value_as_float(o.a) - value_as_float(o.b));
	if (__builtin_sub_overflow(integer_of(o.a), integer_of(o.b), &rest))
		fail_overflow(run, node);
	return value_int(rest);
}

struct value eval_MUL(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	int64_t product;
	if (is_integer(o.a) && is_integer(o.b)) {
		if (__builtin_mul_overflow(integer_of(o.a), integer_of(o.b), &product))
			fail_overflow(run, node);
		return value_int(product);
	}
	if (value_is_number(o.a) && value_is_number(o.b))
		return value_float(value_as_float(o.a) * value_as_float(o.b));
	if (o.a.kind == VALUE_STRING && is_integer(o.b))
		return repeat(run, node, o.a.text, integer_of(o.b));
	if (is_integer(o.a) && o.b.kind == VALUE_STRING)
		return repeat(run, node, o.b.text, integer_of(o.a));
	fail_kinds(run, node, o);
}

struct value eval_DIV(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	if (!value_is_number(o.a) || !value_is_number(o.b))
		fail_kinds(run, node, o);
	double divisor = value_as_float(o.b);
	if (divisor == 0.0)
		run_fail(run, node, "division by zero");
	return value_float(value_as_float(o.a) / divisor);
}

struct value eval_ABS(struct run *run, const struct node *node)
{
	struct value x = eval(run, node->items[1]);
	if (x.kind == VALUE_FLOAT)
		return value_float(fabs(x.real));
	if (!is_integer(x))
		run_fail(run, node, "'abs' can't be used on %s", value_kind_name(x.kind));
	if (integer_of(x) == INT64_MIN)
		fail_overflow(run, node);
	return value_int(integer_of(x) < 0 ? -integer_of(x) : integer_of(x));
}

static struct operands eval_shift(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	if (!is_integer(o.a) || !is_integer(o.b))
		fail_kinds(run, node, o);
	if (integer_of(o.b) < 0)
		run_fail(run, node, "a shift by %lld bits", (long long)integer_of(o.b));
	return o;
}

struct value eval_SHL(struct run *run, const struct node *node)
{
	struct operands o = eval_shift(run, node);
	int64_t value = integer_of(o.a), bits = integer_of(o.b), product;
	if (value == 0)
		return value_int(0);
	if (bits == 63 && value == -1)
		return value_int(INT64_MIN);
	if (bits > 62 || __builtin_mul_overflow(value, INT64_C(1) << bits, &product))
		fail_overflow(run, node);
	return value_int(product);
}

struct value eval_SHR(struct run *run, const struct node *node)
{
	struct operands o = eval_shift(run, node);
	int64_t bits = integer_of(o.b) > 63 ? 63 : integer_of(o.b);
	return value_int(integer_of(o.a) >> bits);
}

/* ---- order ----------------------------------------------------------------------------
 */

/* The order of two values; false where one is no number at all (NaN). */
static bool order_of(
	struct run *run, const struct node *node, struct operands operands, int *order)
{
	run_steps(run, node, value_work(operands.a));
	if (value_order(operands.a, operands.b, order))
		return true;
	if (!value_is_number(operands.a) || !value_is_number(operands.b))
		fail_kinds(run, node, operands);
	return false;
}

struct value eval_LT(struct run *run, const struct node *node)
{
	int order;
	bool known = order_of(run, node, eval_two(run, node), &order);
	return value_bool(known && order < 0);
}

struct value eval_GT(struct run *run, const struct node *node)
{
	int order;
	bool known = order_of(run, node, eval_two(run, node), &order);
	return value_bool(known && order > 0);
}

struct value eval_LTE(struct run *run, const struct node *node)
{
	int order;
	bool known = order_of(run, node, eval_two(run, node), &order);
	return value_bool(known && order <= 0);
}

struct value eval_GTE(struct run *run, const struct node *node)
{
	int order;
	bool known = order_of(run, node, eval_two(run, node), &order);
	return value_bool(known && order >= 0);
}

static bool eval_same(struct run *run, const struct node *node)
{
	struct operands o = eval_two(run, node);
	run_steps(run, node, value_work(o.a));
	return value_equal(o.a, o.b);
}

struct value eval_EQ(struct run *run, const struct node *node)
{
	return value_bool(eval_same(run, node));
}

struct value eval_NEQ(struct run *run, const struct node *node)
{
	return value_bool(!eval_same(run, node));
}

/* The first of the least (sign −1) or of the largest (sign 1). */
static struct value eval_extreme(struct run *run, const struct node *node, int sign)
{
	struct value best = eval(run, node->items[1]);
	if (!value_is_number(best) && best.kind != VALUE_STRING)
		run_fail(run, node, "'%s' can't be used on %s", node->items[0]->name,
			value_kind_name(best.kind));
	for (size_t i = 2; i < node->count; i++) {
		struct value next = eval(run, node->items[i]);
		int order;
		if (order_of(run, node, (struct operands){next, best}, &order) &&
			order * sign > 0)
			best = next;
	}
	return best;
}

struct value eval_MIN(struct run *run, const struct node *node)
{
	return eval_extreme(run, node, -1);
}

struct value eval_MAX(struct run *run, const struct node *node)
{
	return eval_extreme(run, node, 1);
}

struct value eval_CLAMP(struct run *run, const struct node *node)
{
	struct value x = eval(run, node->items[1]);
	struct value low = eval(run, node->items[2]);
	struct value high = eval(run, node->items[3]);
	int order;
	if (order_of(run, node, (struct operands){low, high}, &order) && order > 0)
		run_fail(run, node, "'clamp' between a low that is above its high");
	if (order_of(run, node, (struct operands){x, low}, &order) && order < 0)
		return low;
	if (order_of(run, node, (struct operands){x, high}, &order) && order > 0)
		return high;
	return x;
}
