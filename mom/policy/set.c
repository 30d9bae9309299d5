/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/check.h"
#include "mom/policy/note.h"
#include "mom/policy/tune.h"

struct policy_limits policy_limits_default(void)
{
	return (struct policy_limits){.steps = 1000000,
		.depth = 200,
		.list = 100000,
		.string = 64ull * 1024,
		.memory_kib = 16ull * 1024};
}

static uint64_t or_default(uint64_t limit, uint64_t fallback)
{
	return limit ? limit : fallback;
}

void policy_set_limit(struct policy_set *set, const struct policy_limits *limits)
{
	struct policy_limits wanted = limits ? *limits : (struct policy_limits){0};
	struct policy_limits defaults = policy_limits_default();
	set->limits = (struct policy_limits){
		.steps = or_default(wanted.steps, defaults.steps),
		.depth = or_default(wanted.depth, defaults.depth),
		.list = or_default(wanted.list, defaults.list),
		.string = or_default(wanted.string, defaults.string),
		.memory_kib = or_default(wanted.memory_kib, defaults.memory_kib),
	};
	if (set->limits.memory_kib > SIZE_MAX / 1024)
		set->limits.memory_kib = SIZE_MAX / 1024;
}

static void entry_done(struct entry *entry)
{
	free((char *)entry->source.name);
	free((char *)entry->source.file);
	free((char *)entry->source.text);
}

struct policy_set *policy_set_new(const struct policy_limits *limits)
{
	struct policy_set *set = mem_alloc(sizeof(*set));
	policy_set_limit(set, limits);
	program_init(&set->program);
	return set;
}

void policy_set_free(struct policy_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		entry_done(&set->entries[i]);
	free(set->entries);
	free(set->trail);
	program_done(&set->program);
	tunes_done(&set->tunes);
	arena_done(&set->arena);
	free(set);
}

/* ---- loading --------------------------------------------------------------------------
 */

/* Where a policy of that name is, or belongs. */
static size_t place_of(const struct policy_set *set, const char *name, bool *there)
{
	size_t place = 0;
	while (place < set->count && strcmp(set->entries[place].source.name, name) < 0)
		place++;
	*there = place < set->count && !strcmp(set->entries[place].source.name, name);
	return place;
}

/*
 * A program of all policies, with `source` (may be NULL) at its place and the entry that
 * is `gone` left out. The old program isn't touched.
 */
static bool build(struct program *program, const struct policy_set *set,
	const struct policy_source *source, size_t place, bool replaces,
	struct policy_notes *notes)
{
	struct policy_notes known = {0}; /* of the others: told when they were loaded */
	bool whole = true;
	program_init(program);
	for (size_t i = 0; i <= set->count; i++) {
		if (i == place && source)
			whole = program_add(program, source, notes);
		if (i < set->count && !(i == place && replaces))
			program_add(program, &set->entries[i].source, &known);
	}
	policy_notes_done(&known);
	return whole;
}

static bool accept(struct program *program, const struct policy_set *set,
	const struct policy_source *source, size_t place, bool replaces,
	struct policy_notes *notes)
{
	size_t errors = notes->errors;
	bool whole = build(program, set, source, place, replaces, notes);
	if (!whole)
		return false;
	if (source->unchecked)
		return true;
	check(program, place, notes);
	tunes_check(&set->tunes, &program->policies[place], notes);
	return notes->errors == errors;
}

static size_t count_warnings(const struct policy_notes *notes)
{
	size_t warnings = 0;
	for (size_t i = 0; i < notes->count; i++)
		warnings += notes->items[i].level == POLICY_WARNING;
	return warnings;
}

static struct entry new_entry(const struct policy_source *source, size_t warnings)
{
	struct entry entry = {.source = *source, .warnings = warnings};
	entry.source.name = mem_dup(source->name);
	entry.source.file = mem_dup(source->file);
	entry.source.text = mem_ndup(source->text, source->length);
	return entry;
}

static void put_entry(
	struct policy_set *set, struct entry entry, size_t place, bool replaces)
{
	if (replaces) {
		entry_done(&set->entries[place]);
	} else {
		set->entries = mem_grow(
			set->entries, set->count, &set->capacity, sizeof(*set->entries));
		memmove(&set->entries[place + 1], &set->entries[place],
			(set->count - place) * sizeof(*set->entries));
		set->count++;
	}
	set->entries[place] = entry;
}

/* The program was built from the caller's strings; from now on they are the entries'. */
static void adopt(struct policy_set *set, struct program *program)
{
	program_done(&set->program);
	set->program = *program;
	for (size_t i = 0; i < set->count; i++)
		set->program.policies[i].source = set->entries[i].source;
}

static int take_in(struct policy_set *set, const struct policy_source *source, bool keep,
	struct policy_notes *notes, struct err *err)
{
	if (!*source->name || strlen(source->name) >= POLICY_NAME_MAX)
		return err_set(err, -EINVAL, "a policy's name has 1 to %d letters",
			POLICY_NAME_MAX - 1);
	struct program program;
	bool replaces;
	size_t place = place_of(set, source->name, &replaces);
	bool accepted = accept(&program, set, source, place, replaces, notes);
	note_sort(notes);
	if (!accepted || !keep) {
		program_done(&program);
		return accepted ? 0 : note_fail(notes, source, err);
	}
	put_entry(set, new_entry(source, count_warnings(notes)), place, replaces);
	adopt(set, &program);
	return 0;
}

int policy_set_load(struct policy_set *set, const struct policy_source *source,
	struct policy_notes *notes, struct err *err)
{
	struct policy_notes own = {0};
	int result = take_in(set, source, true, notes ? notes : &own, err);
	policy_notes_done(&own);
	return result;
}

int policy_set_check(struct policy_set *set, const struct policy_source *source,
	struct policy_notes *notes, struct err *err)
{
	struct policy_notes own = {0};
	struct policy_set *alone = set ? NULL : policy_set_new(NULL);
	int result = take_in(set ? set : alone, source, false, notes ? notes : &own, err);
	policy_set_free(alone);
	policy_notes_done(&own);
	return result;
}

static int no_such_policy(const struct policy_set *set, const char *name, struct err *err)
{
	char known[200] = "";
	size_t used = 0;
	for (size_t i = 0; i < set->count && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
			i ? ", " : "", set->entries[i].source.name);
	return err_set(err, -ENOENT, "no policy is called '%.60s'; loaded: %s", name,
		*known ? known : "none");
}

int policy_set_unload(struct policy_set *set, const char *name, struct err *err)
{
	bool there;
	size_t place = place_of(set, name, &there);
	if (!there)
		return no_such_policy(set, name, err);
	struct program program;
	build(&program, set, NULL, place, true, NULL);
	entry_done(&set->entries[place]);
	set->count--;
	memmove(&set->entries[place], &set->entries[place + 1],
		(set->count - place) * sizeof(*set->entries));
	adopt(set, &program);
	return 0;
}

/* ---- showing --------------------------------------------------------------------------
 */

size_t policy_set_count(const struct policy_set *set)
{
	return set->count;
}

struct policy_info policy_set_at(const struct policy_set *set, size_t index)
{
	const struct entry *entry = &set->entries[index];
	return (struct policy_info){
		.name = entry->source.name,
		.file = entry->source.file,
		.text = entry->source.text,
		.length = entry->source.length,
		.shadow = entry->source.shadow,
		.params = set->program.policies[index].param_count,
		.warnings = entry->warnings,
		.runs = entry->runs,
		.failures = entry->failures,
		.trouble = entry->trouble,
	};
}

bool policy_set_find(
	const struct policy_set *set, const char *name, struct policy_info *info)
{
	bool there;
	size_t place = place_of(set, name, &there);
	if (there)
		*info = policy_set_at(set, place);
	return there;
}

/* ---- tuning ---------------------------------------------------------------------------
 */

struct policy_param *policy_set_params(const struct policy_set *set, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < set->count; i++)
		*count += set->program.policies[i].param_count;
	struct policy_param *params = mem_array(*count, sizeof(*params));
	struct policy_param *next = params;
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *policy = &set->program.policies[i];
		for (size_t j = 0; j < policy->param_count; j++)
			tune_describe(&set->tunes, policy, policy->params[j], next++);
	}
	return params;
}

static const char *param_name(const struct node *param)
{
	return param->items[1]->name;
}

/* Does the value fit every policy that declares this name? */
static int fits_all(const struct policy_set *set, const char *name, const char *value,
	bool *known, struct err *err)
{
	bool declared = false;
	int result = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *policy = &set->program.policies[i];
		for (size_t j = 0; j < policy->param_count && result == 0; j++) {
			if (strcmp(param_name(policy->params[j]), name) != 0)
				continue;
			declared = true;
			result = tune_fits(value, policy->params[j], err);
		}
	}
	if (known)
		*known = declared;
	return result;
}

int policy_set_configure(struct policy_set *set, const char *name, const char *value,
	bool *known, struct err *err)
{
	int result = fits_all(set, name, value, known, err);
	if (result == 0)
		tunes_set(&set->tunes, name, value, false);
	return result;
}

int policy_set_tune(struct policy_set *set, const char *name, const char *value,
	bool *known, struct err *err)
{
	int result = fits_all(set, name, value, known, err);
	if (result == 0)
		tunes_set(&set->tunes, name, value, true);
	return result;
}

int policy_set_untune(struct policy_set *set, const char *name, struct err *err)
{
	if (tunes_unset(&set->tunes, name, true))
		return 0;
	return err_set(err, -ENOENT, "'%.60s' was not set", name);
}
