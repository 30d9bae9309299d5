/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/eval.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/tune.h"

#define ARGUMENTS_INLINE 8    /* of a call, without the arena */
#define LISTS_MOST       8    /* side by side in one `with` */
#define FORMS_MOST       4000 /* one in another, calls included: some MiB of stack */

/* ---- names and scopes -----------------------------------------------------------------
 */

/* A variable, else a function, whose value is its name. */
static struct value eval_variable(struct run *run, const struct node *node)
{
	const struct cell *cell = &run->cells[node->symbol];
	if (cell->level)
		return cell->value;
	const char *name = run->program->symbols.names[node->symbol];
	if (!run->functions[node->symbol] || node->step_count)
		run_fail(run, node, "unknown name '%.60s'", name);
	return run_text(run, node, name);
}

static struct value eval_name(struct run *run, const struct node *node)
{
	if (node->trouble)
		run_fail(run, node, "%s", node->trouble);
	struct value value = eval_variable(run, node);
	for (size_t i = 0; i < node->step_count; i++)
		value = object_field(run, node, value, &node->steps[i]);
	return value;
}

struct value eval_DEFVAR(struct run *run, const struct node *node)
{
	unsigned symbol = node->items[1]->symbol;
	struct value value = eval(run, node->items[2]);
	if (run->cells[symbol].level == run->level)
		return run->cells[symbol].value;
	run_bind(run, node, symbol, value);
	return value;
}

struct value eval_SET(struct run *run, const struct node *node)
{
	const struct node *name = node->items[1];
	struct value value = eval(run, node->items[2]);
	const struct cell *cell = &run->cells[name->symbol];
	if (!cell->level)
		run_fail(run, name, "no variable '%.60s' to set; defvar makes one",
			name->name);
	if (name->symbol < SYMBOL_FIXED && cell->level == 1)
		run_fail(run, name, "'%s' can't be set", name->name);
	run_set(run, node, name->symbol, value);
	return value;
}

/* All items from `first` on; the last one's value. */
static struct value eval_rest(struct run *run, const struct node *node, size_t first)
{
	struct value value = value_nil();
	for (size_t i = first; i < node->count; i++)
		value = eval(run, node->items[i]);
	return value;
}

struct value eval_LET(struct run *run, const struct node *node)
{
	const struct node *pairs = node->items[1];
	run_steps(run, node, pairs->count / 8);
	struct scope scope = run_enter(run);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct node *pair = pairs->items[i];
		struct value value = eval(run, pair->items[1]);
		run_bind(run, node, pair->items[0]->symbol, value);
	}
	struct value value = eval_rest(run, node, 2);
	run_leave(run, scope);
	return value;
}

/* A tunable's value from outside where it fits, else its default; in this scope. */
struct value eval_PARAM(struct run *run, const struct node *node)
{
	struct value value = tune_value(run->tunes, node);
	run_bind(run, node, node->items[1]->symbol, value);
	return value;
}

/* ---- functions ------------------------------------------------------------------------
 */

struct value eval_DEF(struct run *run, const struct node *node)
{
	run->functions[node->items[1]->symbol] = node;
	return run_text(run, node, node->items[1]->name);
}

static struct value call(struct run *run, const struct node *node,
	const struct node *function, const struct value *arguments)
{
	const struct node *params = function->items[2];
	if (++run->calls > run->limits.depth)
		run_fail(run, node, "calls nest deeper than %llu",
			(unsigned long long)run->limits.depth);
	struct scope scope = run_enter(run);
	for (size_t i = 0; i < params->count; i++)
		run_bind(run, node, params->items[i]->symbol, arguments[i]);
	struct value value = eval(run, function->items[3]);
	run_leave(run, scope);
	run->calls--;
	return value;
}

/* All arguments are evaluated before the first parameter is bound. */
static struct value eval_call(struct run *run, const struct node *node)
{
	const char *name = node->items[0]->name;
	const struct node *function = run->functions[node->symbol];
	if (!function)
		run_fail(run, node, "unknown function '%.60s'", name);
	size_t given = node->count - 1, taken = function->items[2]->count;
	if (given != taken)
		run_fail(run, node, "'%.60s' takes %zu argument%s, not %zu", name, taken,
			taken == 1 ? "" : "s", given);
	struct value few[ARGUMENTS_INLINE], *arguments = few;
	if (given > ARGUMENTS_INLINE)
		arguments = run_alloc(run, node, given * sizeof(*arguments));
	for (size_t i = 0; i < given; i++)
		arguments[i] = eval(run, node->items[i + 1]);
	return call(run, node, function, arguments);
}

/* ---- rounds ---------------------------------------------------------------------------
 */

const struct list *eval_list(struct run *run, const struct node *node)
{
	struct value value = eval(run, node);
	if (value.kind != VALUE_LIST)
		run_fail(run, node, "this goes over a list, not %s",
			value_kind_name(value.kind));
	return value.list;
}

static struct value eval_body(struct run *run, const struct node *node)
{
	return eval(run, node->items[node->count - 1]);
}

/* The round of a guest: what goes wrong in it costs only this guest. */
static struct value guest_round(
	struct run *run, const struct node *node, const struct policy_guest *guest)
{
	const struct policy_guest *outer = run->guest;
	struct value value = value_nil();
	run->guest = guest;
	if (!run_guarded(run, node, eval_body, &value))
		run->outcome->failed_rounds++;
	run->guest = outer;
	return value;
}

static struct value one_round(struct run *run, const struct node *node,
	const struct list *const *lists, size_t round)
{
	const struct policy_guest *guest = NULL;
	run_steps(run, node, 1);
	struct scope scope = run_enter(run);
	for (size_t i = 0; 2 * i + 2 < node->count; i++) {
		struct value item = lists[i]->items[round];
		run_bind(run, node, node->items[2 * i + 2]->symbol, item);
		if (item.kind == VALUE_GUEST && !guest)
			guest = item.guest;
	}
	struct value value = guest ? guest_round(run, node, guest) : eval_body(run, node);
	run_leave(run, scope);
	return value;
}

struct value eval_WITH(struct run *run, const struct node *node)
{
	const struct list *lists[LISTS_MOST] = {NULL};
	size_t count = (node->count - 2) / 2;
	if (count > LISTS_MOST)
		run_fail(run, node, "more than %d lists side by side", LISTS_MOST);
	for (size_t i = 0; i < count; i++) {
		lists[i] = eval_list(run, node->items[2 * i + 1]);
		if (lists[i]->count != lists[0]->count)
			run_fail(run, node->items[2 * i + 1],
				"lists side by side are of one length, not %zu and %zu",
				lists[0]->count, lists[i]->count);
	}
	struct list *results = run_list_new(run, node, lists[0]->count);
	for (size_t i = 0; i < results->count; i++)
		results->items[i] = one_round(run, node, lists, i);
	return run_list(run, node, results);
}

/* ---- choices --------------------------------------------------------------------------
 */

struct value eval_IF(struct run *run, const struct node *node)
{
	bool yes = value_truth(eval(run, node->items[1]));
	return eval(run, node->items[yes ? 2 : 3]);
}

struct value eval_COND(struct run *run, const struct node *node)
{
	size_t last = node->count - 1;
	for (size_t i = 1; i < last; i++)
		if (value_truth(eval(run, node->items[i]->items[0])))
			return eval(run, node->items[i]->items[1]);
	return eval(run, node->items[last]->items[1]);
}

static struct value eval_until(struct run *run, const struct node *node, bool deciding)
{
	struct value value = value_nil();
	for (size_t i = 1; i < node->count; i++) {
		value = eval(run, node->items[i]);
		if (value_truth(value) == deciding)
			break;
	}
	return value;
}

struct value eval_AND(struct run *run, const struct node *node)
{
	return eval_until(run, node, false);
}

struct value eval_OR(struct run *run, const struct node *node)
{
	return eval_until(run, node, true);
}

struct value eval_NOT(struct run *run, const struct node *node)
{
	return value_bool(!value_truth(eval(run, node->items[1])));
}

static bool is_null(struct value value)
{
	return value.kind == VALUE_NIL ||
	       (value.kind == VALUE_STRING && !value.text->length) ||
	       (value.kind == VALUE_LIST && !value.list->count);
}

struct value eval_IS_NULL(struct run *run, const struct node *node)
{
	bool all = true;
	for (size_t i = 1; i < node->count; i++) {
		struct value value = eval(run, node->items[i]);
		all = all && is_null(value);
	}
	return value_bool(all);
}

struct value eval_VALID(struct run *run, const struct node *node)
{
	bool all = true;
	for (size_t i = 1; i < node->count; i++) {
		struct value value = eval(run, node->items[i]);
		all = all && value.kind != VALUE_NIL;
	}
	return value_bool(all);
}

/* ---- words ----------------------------------------------------------------------------
 */

struct value eval_BECAUSE(struct run *run, const struct node *node)
{
	struct value why = eval(run, node->items[1]);
	if (why.kind != VALUE_STRING)
		run_fail(run, node, "a reason is a string, not %s",
			value_kind_name(why.kind));
	run->because = why.text;
	return why;
}

struct value eval_DEBUG(struct run *run, const struct node *node)
{
	char line[200] = "";
	struct value value = value_nil();
	for (size_t i = 1; i < node->count; i++) {
		value = eval(run, node->items[i]);
		size_t used = strlen(line);
		run_steps(run, node, 16 + value_work(value));
		if (used + 2 >= sizeof(line))
			continue;
		if (used)
			line[used++] = ' ';
		value_format(line + used, sizeof(line) - used, value);
	}
	run_message(run, POLICY_DEBUG, node, "%s", line);
	return value;
}

/* ---- dispatch -------------------------------------------------------------------------
 */

static struct value eval_block(struct run *run, const struct node *node)
{
	return eval_rest(run, node, 0);
}

static struct value eval_empty(struct run *run, const struct node *node)
{
	return run_list(run, node, run_list_new(run, node, 0));
}

static struct value eval_trouble(struct run *run, const struct node *node)
{
	run_fail(run, node->culprit, "%s", node->trouble);
}

static struct value (*const evaluators[FORM_COUNT])(
	struct run *run, const struct node *node) = {
#define FORM(id, ...) [FORM_##id] = eval_##id,
#include "mom/policy/forms.def"
#undef FORM
	[FORM_BLOCK] = eval_block,
	[FORM_EMPTY] = eval_empty,
	[FORM_CALL] = eval_call,
	[FORM_METHOD] = eval_method,
	[FORM_TROUBLE] = eval_trouble,
};

struct value eval(struct run *run, const struct node *node)
{
	if (node->kind == NODE_VALUE)
		return node->value;
	if (node->kind == NODE_NAME)
		return eval_name(run, node);
	run_steps(run, node, 1 + node->count / 8);
	if (++run->depth > FORMS_MOST)
		run_fail(run, node, "forms nest deeper than %d", FORMS_MOST);
	const struct text *because = run->because;
	struct value value = evaluators[node->form->id](run, node);
	if (node->form->id != FORM_BECAUSE)
		run->because = because;
	run->depth--;
	return value;
}
