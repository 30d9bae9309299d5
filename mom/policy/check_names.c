/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check_inside.h"

#include "mom/mem.h"
#include "mom/near.h"

const char *check_name(const struct checker *checker, unsigned symbol)
{
	return checker->program->symbols.names[symbol];
}

void check_widen(struct checker *checker, struct type *type, struct type by)
{
	struct type wider = type_join(*type, by);
	checker->changed |= wider.kind != type->kind || wider.unit != type->unit ||
			    wider.element != type->element || wider.bare != type->bare ||
			    wider.whole != type->whole;
	*type = wider;
}

size_t check_enter(struct checker *checker)
{
	checker->depth++;
	return checker->trail_count;
}

void check_leave(struct checker *checker, size_t mark)
{
	checker->depth--;
	while (checker->trail_count > mark) {
		const struct binding *binding = &checker->trail[--checker->trail_count];
		checker->known[binding->symbol].lexical = binding->before;
	}
}

void check_bind(struct checker *checker, const struct node *name, struct type type)
{
	struct known *known = &checker->known[name->symbol];
	check_widen(checker, &known->type, type);
	known->bound = true;
	if (!checker->depth) {
		known->global = true;
		return;
	}
	checker->trail = mem_grow(checker->trail, checker->trail_count,
		&checker->trail_capacity, sizeof(*checker->trail));
	checker->trail[checker->trail_count++] =
		(struct binding){name->symbol, known->lexical};
	known->lexical = checker->trail_count;
}

static bool is_visible(const struct checker *checker, const struct known *known)
{
	return known->global || known->lexical > checker->base;
}

static void unknown_name(
	struct checker *checker, const struct node *node, unsigned symbol)
{
	const char *name = check_name(checker, symbol);
	struct near near = {.word = name};
	for (unsigned i = 0;
		note_wanted(checker->notes) && i < checker->program->symbols.count; i++)
		if (is_visible(checker, &checker->known[i]))
			near_try(&near, check_name(checker, i));
	if (near.best)
		CHECK_ERROR(checker, node, "unknown name '%.60s'; did you mean '%s'?",
			name, near.best);
	else
		CHECK_ERROR(checker, node, "unknown name '%.60s'", name);
}

/* Only a caller's variable can be meant: that works, but seldom is what was wanted. */
static void warn_of_caller(
	struct checker *checker, const struct node *node, unsigned symbol)
{
	const char *name = check_name(checker, symbol);
	const struct node *params = checker->function->items[2];
	struct near near = {.word = name};
	for (size_t i = 0; i < params->count; i++)
		near_try(&near, params->items[i]->name);
	if (near.best)
		CHECK_WARN(checker, node,
			"'%.60s' is a variable of whoever calls '%.40s'; did you mean "
			"its parameter '%s'?",
			name, checker->function->items[1]->name, near.best);
	else
		CHECK_WARN(checker, node,
			"'%.60s' is a variable of whoever calls '%.40s'", name,
			checker->function->items[1]->name);
}

void check_use(struct checker *checker, const struct node *node, unsigned symbol)
{
	const struct known *known = &checker->known[symbol];
	if (is_visible(checker, known))
		return;
	if (checker->function && known->bound)
		warn_of_caller(checker, node, symbol);
	else if (!known->def)
		unknown_name(checker, node, symbol);
}
