/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/object.h"
#include "mom/policy/vars.h"

#define MESSAGES_MOST 100
#define NESTING_MOST  100 /* lists in lists */

/* What a Control, a SetVar or a set replaced. */
struct undo {
	struct undo *older;
	struct control *control; /* NULL: it was one of the others */
	struct control before;
	unsigned symbol; /* of a set */
	struct cell cell;
	struct policy_vars **vars;
	const char *name;
	struct kept *kept;
};

/* ---- messages -------------------------------------------------------------------------
 */

static void copy_name(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void name_guest(const struct policy_guest *guest, char name[GUEST_NAME_MAX])
{
	const struct property *made =
		guest ? object_property(guest->extra, "name") : NULL;
	if (made && property_latest(made).kind == VALUE_STRING)
		copy_name(name, GUEST_NAME_MAX, property_latest(made).text->bytes);
	else if (guest && guest->facts)
		copy_name(name, GUEST_NAME_MAX, guest->facts->name);
}

static void add_message(struct run *run, enum policy_level level, const struct node *node,
	const char *text)
{
	struct policy_outcome *outcome = run->outcome;
	if (outcome->message_count >= MESSAGES_MOST) {
		outcome->messages_dropped++;
		return;
	}
	outcome->messages = mem_grow(outcome->messages, outcome->message_count,
		&outcome->message_capacity, sizeof(*outcome->messages));
	struct policy_message *message = &outcome->messages[outcome->message_count++];
	*message = (struct policy_message){.level = level,
		.line = node->line,
		.column = node->column,
		.shadow = run->shadow};
	const struct policy_source *source = &run->policy->source;
	copy_name(message->policy, sizeof(message->policy), source->name);
	copy_name(message->file, sizeof(message->file),
		source->file ? source->file : source->name);
	copy_name(message->text, sizeof(message->text), text);
	name_guest(run->guest, message->guest);
}

void run_message(struct run *run, enum policy_level level, const struct node *node,
	const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	add_message(run, level, node, text);
}

/* ---- failing --------------------------------------------------------------------------
 */

void run_fail(struct run *run, const struct node *node, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(run->fault, sizeof(run->fault), format, arguments);
	va_end(arguments);
	run->failed = node;
	run->fatal = false;
	longjmp(*run->guard, 1);
}

void run_fail_limit(struct run *run, const struct node *node, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(run->fault, sizeof(run->fault), format, arguments);
	va_end(arguments);
	run->failed = node;
	run->fatal = true;
	longjmp(*run->guard, 1);
}

/* All of a run that a failure leaves half done. */
struct mark {
	jmp_buf *guard;
	struct undo *undo;
	unsigned level;
	uint64_t depth, calls;
	const struct text *because;
	unsigned guard_level, guarded;
};

static struct mark mark_of(const struct run *run)
{
	return (struct mark){.guard = run->guard,
		.undo = run->undo,
		.level = run->level,
		.depth = run->depth,
		.calls = run->calls,
		.because = run->because,
		.guard_level = run->guard_level,
		.guarded = run->guarded};
}

static void unguard(struct run *run, const struct mark *mark)
{
	run->guard = mark->guard;
	run->guard_level = mark->guard_level;
	run->guarded = mark->guarded;
}

static void show_again(struct run *run)
{
	const struct hidden *hidden = &run->trail[--run->trail_count];
	run->cells[hidden->symbol] = hidden->cell;
}

/* Variables of the scope itself stay: they go with it. */
static void rewind_to(struct run *run, const struct mark *mark)
{
	while (run->trail_count &&
		run->cells[run->trail[run->trail_count - 1].symbol].level > mark->level)
		show_again(run);
	run_undo(run, mark->undo);
	run->level = mark->level;
	run->depth = mark->depth;
	run->calls = mark->calls;
	run->because = mark->because;
}

bool run_guarded(
	struct run *run, const struct node *node, run_body body, struct value *result)
{
	const struct mark mark = mark_of(run);
	jmp_buf here;
	if (setjmp(here) == 0) {
		run->guard = &here;
		run->guard_level = run->level;
		run->guarded = ++run->guards;
		*result = body(run, node);
		unguard(run, &mark);
		return true;
	}
	unguard(run, &mark);
	if (run->fatal && run->guard)
		longjmp(*run->guard, 1);
	add_message(run, POLICY_ERROR, run->failed, run->fault);
	rewind_to(run, &mark);
	return false;
}

static struct undo *new_undo(struct run *run, const struct node *node)
{
	struct undo *undo = run_alloc(run, node, sizeof(*undo));
	undo->older = run->undo;
	return undo;
}

/* ---- scopes ---------------------------------------------------------------------------
 */

struct scope run_enter(struct run *run)
{
	run->level++;
	return (struct scope){.trail_count = run->trail_count};
}

void run_leave(struct run *run, struct scope scope)
{
	while (run->trail_count > scope.trail_count)
		show_again(run);
	run->level--;
}

static void hide(struct run *run, const struct node *node, unsigned symbol)
{
	if (run->trail_count * sizeof(*run->trail) > run->limits.memory_kib * 1024)
		run_fail_limit(run, node, "too many variables at once");
	run->trail = mem_grow(
		run->trail, run->trail_count, &run->trail_capacity, sizeof(*run->trail));
	run->trail[run->trail_count++] =
		(struct hidden){.symbol = symbol, .cell = run->cells[symbol]};
}

void run_bind(
	struct run *run, const struct node *node, unsigned symbol, struct value value)
{
	struct cell *cell = &run->cells[symbol];
	if (cell->level != run->level)
		hide(run, node, symbol);
	*cell = (struct cell){.value = value, .level = run->level};
}

void run_set(
	struct run *run, const struct node *node, unsigned symbol, struct value value)
{
	struct cell *cell = &run->cells[symbol];
	if (cell->level <= run->guard_level && cell->guard != run->guarded) {
		struct undo *undo = new_undo(run, node);
		undo->symbol = symbol;
		undo->cell = *cell;
		run->undo = undo;
		cell->guard = run->guarded;
	}
	cell->value = value;
}

/* ---- limited memory -------------------------------------------------------------------
 */

void run_steps(struct run *run, const struct node *node, uint64_t steps)
{
	run->steps += steps;
	if (run->steps > run->limits.steps)
		run_fail_limit(run, node, "more than %llu steps",
			(unsigned long long)run->limits.steps);
}

void *run_alloc(struct run *run, const struct node *node, size_t size)
{
	void *piece = arena_alloc(run->arena, size);
	if (!piece)
		run_fail_limit(run, node, "more than %llu KiB of memory",
			(unsigned long long)run->limits.memory_kib);
	return piece;
}

struct text *run_text_new(struct run *run, const struct node *node, size_t length)
{
	if (length > run->limits.string)
		run_fail(run, node, "a string of more than %llu bytes",
			(unsigned long long)run->limits.string);
	run_steps(run, node, length / 64);
	struct text *text = run_alloc(run, node, sizeof(*text) + length + 1);
	text->length = length;
	return text;
}

struct value run_text(struct run *run, const struct node *node, const char *bytes)
{
	if (!bytes)
		return value_nil();
	struct text *text = run_text_new(run, node, strlen(bytes));
	memcpy(text->bytes, bytes, text->length);
	return (struct value){.kind = VALUE_STRING, .text = text};
}

struct list *run_list_new(struct run *run, const struct node *node, size_t count)
{
	if (count > run->limits.list)
		run_fail(run, node, "a list of more than %llu elements",
			(unsigned long long)run->limits.list);
	struct list *list =
		run_alloc(run, node, sizeof(*list) + count * sizeof(*list->items));
	list->count = count;
	return list;
}

struct value run_list(struct run *run, const struct node *node, struct list *list)
{
	list_weigh(list);
	if (list->weight > run->limits.list)
		run_fail(run, node,
			"a list of more than %llu elements, inner ones counted",
			(unsigned long long)run->limits.list);
	if (list->depth > NESTING_MOST)
		run_fail(run, node, "lists nest deeper than %d", NESTING_MOST);
	return (struct value){.kind = VALUE_LIST, .list = list};
}

/* ---- controls -------------------------------------------------------------------------
 */

void run_control(
	struct run *run, const struct node *node, struct control *control, int64_t value)
{
	struct undo *undo = new_undo(run, node);
	undo->control = control;
	undo->before = *control;
	run->undo = undo;
	*control = (struct control){.is_set = true,
		.value = value,
		.policy = run->policy,
		.because = run->because};
}

void run_set_var(struct run *run, const struct node *node, struct policy_vars **vars,
	const char *name, struct value value)
{
	struct undo *undo = new_undo(run, node);
	size_t length = strlen(name) + 1;
	undo->name = memcpy(run_alloc(run, node, length), name, length);
	undo->vars = vars;
	struct kept *kept = kept_fits(value) ? kept_new(value) : NULL;
	if (!kept && kept_fits(value))
		run_fail(run, node, "%s can't be kept", value_kind_name(value.kind));
	if (!kept || !vars_swap(vars, name, kept, &undo->kept)) {
		kept_free(kept);
		run_fail(run, node,
			"this guest keeps too much: at most %d names, %zu KiB", VARS_MOST,
			VARS_MOST_BYTES / 1024);
	}
	run->undo = undo;
}

/* A variable that a scope hides waits in the trail; one that is gone stays so. */
static void put_back_cell(struct run *run, const struct undo *undo)
{
	struct cell *cell = &run->cells[undo->symbol];
	for (size_t i = run->trail_count; cell->level > undo->cell.level && i-- > 0;)
		if (run->trail[i].symbol == undo->symbol)
			cell = &run->trail[i].cell;
	if (cell->level == undo->cell.level)
		*cell = undo->cell;
}

/* Putting an old value back can't fail: it was there before. */
static void put_back(struct run *run, const struct undo *undo)
{
	struct kept *newer = NULL;
	if (undo->control)
		*undo->control = undo->before;
	else if (!undo->vars)
		put_back_cell(run, undo);
	else if (vars_swap(undo->vars, undo->name, undo->kept, &newer))
		kept_free(newer);
	else
		kept_free(undo->kept);
}

void run_undo(struct run *run, struct undo *until)
{
	for (; run->undo != until; run->undo = run->undo->older)
		put_back(run, run->undo);
}

void run_commit(struct run *run)
{
	for (; run->undo; run->undo = run->undo->older)
		kept_free(run->undo->kept);
}
