/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/eval.h"
#include "mom/policy/set.h"

/* ---- the environment ------------------------------------------------------------------
 */

static struct value guest_list(struct run *run)
{
	size_t count = run->facts->guest_count;
	struct list *list =
		arena_alloc(run->arena, sizeof(*list) + count * sizeof(*list->items));
	list->count = count;
	for (size_t i = 0; i < count; i++)
		list->items[i] = (struct value){
			.kind = VALUE_GUEST, .guest = &run->facts->guests[i]};
	list_weigh(list);
	return (struct value){.kind = VALUE_LIST, .list = list};
}

/* Variables that every policy finds: Host, Guests, and those of a file of facts. */
static void bind_facts(struct run *run)
{
	const struct policy_object *more = run->facts->variables;
	struct cell cell = {.level = run->level};
	const char *name;
	for (size_t i = 0; more && (name = policy_object_at(more, i, &cell.value)); i++) {
		unsigned symbol = symbol_find(&run->program->symbols, name);
		if (symbol != NO_SYMBOL)
			run->cells[symbol] = cell;
	}
	cell.value = (struct value){.kind = VALUE_HOST};
	run->cells[SYMBOL_HOST] = cell;
	cell.value = guest_list(run);
	run->cells[SYMBOL_GUESTS] = cell;
}

/* An empty environment. Its own tables aren't counted against the policies' memory. */
static void start(struct run *run)
{
	size_t symbols = run->program->symbols.count;
	run->arena->limit = 0;
	run->cells = arena_alloc(run->arena, symbols * sizeof(*run->cells));
	run->functions = arena_alloc(run->arena, symbols * sizeof(*run->functions));
	run->guest_controls = arena_alloc(
		run->arena, run->facts->guest_count * sizeof(*run->guest_controls));
	memset(run->host_controls, 0, sizeof(run->host_controls));
	run->level = 1;
	run->trail_count = 0;
	bind_facts(run);
}

/* ---- one policy -----------------------------------------------------------------------
 */

static void keep_value(struct policy_outcome *outcome, struct value value)
{
	outcome->values = mem_grow(outcome->values, outcome->value_count,
		&outcome->value_capacity, sizeof(*outcome->values));
	outcome->values[outcome->value_count++] = value;
}

static struct value run_forms(struct run *run, const struct node *node)
{
	(void)node;
	const struct tree *tree = &run->policy->tree;
	for (size_t i = 0; i < tree->count; i++) {
		struct value value = eval(run, tree->forms[i]);
		if (run->outcome->keep_values)
			keep_value(run->outcome, value);
	}
	return value_nil();
}

static void keep_trouble(struct entry *entry, const struct policy_outcome *outcome)
{
	entry->failures++;
	for (size_t i = outcome->message_count; i-- > 0;) {
		const struct policy_message *message = &outcome->messages[i];
		if (message->level != POLICY_ERROR ||
			strcmp(message->policy, entry->source.name) != 0)
			continue;
		snprintf(entry->trouble, sizeof(entry->trouble), "%u:%u: %s%s%s",
			message->line, message->column, message->text,
			*message->guest ? ", at guest " : "", message->guest);
		return;
	}
}

static void run_policy(struct run *run, const struct policy *policy, struct entry *entry)
{
	struct policy_outcome *outcome = run->outcome;
	size_t failed = outcome->failed_rounds + outcome->failed_policies;
	struct value ignored;
	run->policy = policy;
	run->because = NULL;
	run->steps = 0;
	run->arena->limit = run->arena->used + (size_t)run->limits.memory_kib * 1024;
	if (!run_guarded(run, NULL, run_forms, &ignored))
		outcome->failed_policies++;
	entry->runs++;
	outcome->steps += run->steps;
	if (outcome->failed_rounds + outcome->failed_policies > failed)
		keep_trouble(entry, outcome);
}

/* ---- what came of it ------------------------------------------------------------------
 */

static void cut(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);
	memcpy(to, from, length);
	to[length] = '\0';
}

static void tell_wishes(const struct run *run, struct wish *wishes)
{
	for (size_t i = 0; i < run->facts->guest_count; i++) {
		const struct control *control = &run->guest_controls[i];
		struct wish *wish = &wishes[i];
		wish->has_target = control->is_set;
		*wish->policy = *wish->because = '\0';
		wish->target_kib = 0;
		wish->asked = control->value;
		if (!control->is_set)
			continue;
		wish->target_kib = control->value > 0 ? (uint64_t)control->value : 0;
		cut(wish->policy, sizeof(wish->policy), control->policy->source.name);
		if (control->because)
			cut(wish->because, sizeof(wish->because),
				control->because->bytes);
	}
}

static void tell_knobs(const struct run *run, struct host_wish knobs[HOST_KNOB_COUNT])
{
	memset(knobs, 0, sizeof(*knobs) * HOST_KNOB_COUNT);
	for (size_t i = 0; i < HOST_KNOB_COUNT; i++) {
		const struct control *control = &run->host_controls[i];
		struct host_wish *wish = &knobs[i];
		wish->has_value = control->is_set;
		if (!control->is_set)
			continue;
		wish->value = control->value;
		cut(wish->policy, sizeof(wish->policy), control->policy->source.name);
		if (control->because)
			cut(wish->because, sizeof(wish->because),
				control->because->bytes);
	}
}

static struct wish *room_for(struct wish *wishes, size_t count, size_t *capacity)
{
	if (count <= *capacity)
		return wishes;
	*capacity = count;
	return mem_resize(wishes, count, sizeof(*wishes));
}

static void empty_outcome(struct policy_outcome *outcome, size_t guests)
{
	outcome->wishes = room_for(outcome->wishes, guests, &outcome->wish_capacity);
	outcome->wish_count = guests;
	outcome->message_count = outcome->messages_dropped = 0;
	outcome->failed_policies = outcome->failed_rounds = 0;
	outcome->value_count = 0;
	outcome->steps = 0;
	outcome->has_shadow = false;
}

void policy_outcome_done(struct policy_outcome *outcome)
{
	free(outcome->wishes);
	free(outcome->shadow_wishes);
	free(outcome->messages);
	free(outcome->values);
	*outcome = (struct policy_outcome){0};
}

/* ---- the run --------------------------------------------------------------------------
 */

static void run_all(struct run *run, struct policy_set *set, bool shadow)
{
	run->shadow = shadow;
	start(run);
	for (size_t i = 0; i < set->count; i++)
		if (set->entries[i].source.shadow == shadow)
			run_policy(run, &set->program.policies[i], &set->entries[i]);
}

/* Beside the others: what a shadow sets is only told, and what it keeps is undone. */
static void run_shadows(struct run *run, struct policy_set *set)
{
	struct policy_outcome *outcome = run->outcome;
	for (size_t i = 0; i < set->count; i++)
		outcome->has_shadow |= set->entries[i].source.shadow;
	if (!outcome->has_shadow)
		return;
	run_all(run, set, true);
	outcome->shadow_wishes = room_for(
		outcome->shadow_wishes, outcome->wish_count, &outcome->shadow_capacity);
	tell_wishes(run, outcome->shadow_wishes);
	tell_knobs(run, outcome->shadow_knobs);
	run_undo(run, NULL);
}

void policy_run(struct policy_set *set, const struct policy_facts *facts,
	divide_fn divide, struct policy_outcome *outcome)
{
	arena_reset(&set->arena);
	empty_outcome(outcome, facts->guest_count);
	struct run run = {.program = &set->program,
		.facts = facts,
		.tunes = &set->tunes,
		.limits = set->limits,
		.divide = divide,
		.arena = &set->arena,
		.outcome = outcome,
		.trail = set->trail,
		.trail_capacity = set->trail_capacity};
	run_all(&run, set, false);
	tell_wishes(&run, outcome->wishes);
	tell_knobs(&run, outcome->knobs);
	run_commit(&run);
	run_shadows(&run, set);
	set->trail = run.trail;
	set->trail_capacity = run.trail_capacity;
}
