/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check.h"

#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/near.h"
#include "mom/policy/note.h"
#include "mom/policy/types.h"

#define LOOKS_MOST 100 /* for types to settle; they do so in three or four */

/* What is known of one name, as a variable and as a function. */
struct known {
	struct type type;          /* of all that is ever bound to it */
	bool bound, global;        /* anywhere; at the top level */
	size_t lexical;            /* place in the trail + 1 of its innermost binding */
	const struct node *def;    /* the function */
	struct type result;        /* of the function */
	bool called, many_arities; /* definitions differ in their number of parameters */
};

struct binding {
	unsigned symbol;
	size_t before; /* `lexical` of the name outside */
};

struct checker {
	const struct program *program;
	struct known *known; /* by symbol */
	struct binding *trail;
	size_t trail_count, trail_capacity;
	size_t base;                 /* where the trail of this function begins */
	const struct node *function; /* whose body this is, or NULL */
	unsigned depth;              /* scopes around; 0 at the top level */
	struct policy_notes *notes;  /* NULL while types settle */
	bool changed;
};

#define ERROR(checker, node, ...)                                                        \
	note_add((checker)->notes, POLICY_ERROR, (node)->line, (node)->column,           \
		__VA_ARGS__)
#define WARN(checker, node, ...)                                                         \
	note_add((checker)->notes, POLICY_WARNING, (node)->line, (node)->column,         \
		__VA_ARGS__)

static struct type infer(struct checker *checker, const struct node *node);

static const char *name_of(const struct checker *checker, unsigned symbol)
{
	return checker->program->symbols.names[symbol];
}

static void widen(struct checker *checker, struct type *type, struct type by)
{
	struct type wider = type_join(*type, by);
	checker->changed |= wider.kind != type->kind || wider.unit != type->unit ||
			    wider.element != type->element || wider.bare != type->bare ||
			    wider.whole != type->whole;
	*type = wider;
}

/* ---- scopes ---------------------------------------------------------------------------
 */

static size_t enter(struct checker *checker)
{
	checker->depth++;
	return checker->trail_count;
}

static void leave(struct checker *checker, size_t mark)
{
	checker->depth--;
	while (checker->trail_count > mark) {
		const struct binding *binding = &checker->trail[--checker->trail_count];
		checker->known[binding->symbol].lexical = binding->before;
	}
}

static void bind_name(struct checker *checker, const struct node *name, struct type type)
{
	struct known *known = &checker->known[name->symbol];
	widen(checker, &known->type, type);
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
	const char *name = name_of(checker, symbol);
	struct near near = {.word = name};
	for (unsigned i = 0;
		note_wanted(checker->notes) && i < checker->program->symbols.count; i++)
		if (is_visible(checker, &checker->known[i]))
			near_try(&near, name_of(checker, i));
	if (near.best)
		ERROR(checker, node, "unknown name '%.60s'; did you mean '%s'?", name,
			near.best);
	else
		ERROR(checker, node, "unknown name '%.60s'", name);
}

/* Only a caller's variable can be meant: that works, but seldom is what was wanted. */
static void warn_of_caller(
	struct checker *checker, const struct node *node, unsigned symbol)
{
	const char *name = name_of(checker, symbol);
	const struct node *params = checker->function->items[2];
	struct near near = {.word = name};
	for (size_t i = 0; i < params->count; i++)
		near_try(&near, params->items[i]->name);
	if (near.best)
		WARN(checker, node,
			"'%.60s' is a variable of whoever calls '%.40s'; did you mean "
			"its parameter '%s'?",
			name, checker->function->items[1]->name, near.best);
	else
		WARN(checker, node, "'%.60s' is a variable of whoever calls '%.40s'",
			name, checker->function->items[1]->name);
}

static void use_name(struct checker *checker, const struct node *node, unsigned symbol)
{
	const struct known *known = &checker->known[symbol];
	if (is_visible(checker, known))
		return;
	if (checker->function && known->bound)
		warn_of_caller(checker, node, symbol);
	else if (!known->def)
		unknown_name(checker, node, symbol);
}

/* ---- fields and knobs -----------------------------------------------------------------
 */

static const char *nearest_field(const char *name, bool host, bool guest)
{
	struct near near = {.word = name};
	for (const struct field *field = host_fields; host && field->name; field++)
		near_try(&near, field->name);
	for (const struct field *field = guest_fields; guest && field->name; field++)
		near_try(&near, field->name);
	return near.best;
}

static void unknown_field(struct checker *checker, const struct node *node,
	struct type object, const struct step *step)
{
	bool host = object.kind != TYPE_GUEST, guest = object.kind != TYPE_HOST;
	const char *whose = object.kind == TYPE_HOST    ? "the host has"
			    : object.kind == TYPE_GUEST ? "a guest has"
							: "there is";
	const char *near = nearest_field(step->name, host, guest);
	if (field_only_mom(step->name))
		WARN(checker, node, "MOM's field '%s' is not known here and always nil",
			step->name);
	else if (step->host || step->guest)
		ERROR(checker, node, "%s no field '%s', but %s has", whose, step->name,
			step->host ? "the host" : "a guest");
	else if (near)
		ERROR(checker, node, "%s no field '%.60s'; did you mean '%s'?", whose,
			step->name, near);
	else
		ERROR(checker, node, "%s no field '%.60s'", whose, step->name);
}

static struct type infer_field(struct checker *checker, const struct node *node,
	struct type object, const struct step *step)
{
	switch (object.kind) {
	case TYPE_HOST:
		if (!step->host)
			unknown_field(checker, node, object, step);
		return type_of_field(step->host);
	case TYPE_GUEST:
		if (!step->guest)
			unknown_field(checker, node, object, step);
		return type_of_field(step->guest);
	case TYPE_ANY:
		if (!step->host && !step->guest)
			WARN(checker, node, "neither host nor guest has a field '%.60s'",
				step->name);
		return type_of(TYPE_ANY);
	case TYPE_UNSEEN:
		if (!step->host && !step->guest)
			unknown_field(checker, node, type_of(TYPE_ANY), step);
		if (step->host && step->guest)
			return type_join(
				type_of_field(step->host), type_of_field(step->guest));
		return type_of_field(step->host ? step->host : step->guest);
	default:
		ERROR(checker, node, "%s has no field '%.60s'", type_name(object),
			step->name);
		return type_of(TYPE_ANY);
	}
}

static struct type infer_path(struct checker *checker, const struct node *node)
{
	use_name(checker, node, node->symbol);
	struct type type = checker->known[node->symbol].type;
	if (!checker->known[node->symbol].bound && checker->known[node->symbol].def)
		return type_of(TYPE_TEXT);
	for (size_t i = 0; i < node->step_count; i++)
		type = infer_field(checker, node, type, &node->steps[i]);
	return type;
}

static const struct knob *find_knob(struct checker *checker, const struct node *node,
	struct type object, const char *name)
{
	const struct knob *of_guest =
		object.kind == TYPE_HOST ? NULL : knob_find(name, true);
	const struct knob *of_host =
		object.kind == TYPE_GUEST ? NULL : knob_find(name, false);
	if (of_guest || of_host)
		return of_guest ? of_guest : of_host;
	struct near near = {.word = name};
	for (const struct knob *knob = policy_knobs; knob->name; knob++)
		if (object.kind == TYPE_ANY || knob->guest == (object.kind == TYPE_GUEST))
			near_try(&near, knob->name);
	if (knob_find(name, true) || knob_find(name, false))
		ERROR(checker, node, "%s has no knob '%s', but %s has", type_name(object),
			name, object.kind == TYPE_HOST ? "a guest" : "the host");
	else if (near.best)
		ERROR(checker, node, "%s has no knob '%.60s'; did you mean '%s'?",
			type_name(object), name, near.best);
	else
		ERROR(checker, node, "%s has no knob '%.60s'", type_name(object), name);
	return NULL;
}

static bool is_text(const struct node *node)
{
	return node->kind == NODE_VALUE && node->value.kind == VALUE_STRING;
}

static struct type infer_control(
	struct checker *checker, const struct node *node, struct type object)
{
	const struct node *name = node->items[1];
	const struct knob *knob = NULL;
	if (is_text(name))
		knob = find_knob(checker, name, object, name->value.text->bytes);
	if (knob && knob->only_mom)
		WARN(checker, name, "MOM's knob '%s' has no effect here", knob->name);
	if (node->method == METHOD_GET_CONTROL)
		return type_number(knob ? knob->unit : UNIT_NONE);
	struct type value = infer(checker, node->items[2]);
	if (type_no_number(value))
		ERROR(checker, node->items[2], "a knob takes a number, not %s",
			type_name(value));
	else if (knob && !units_mix(knob->unit, value.unit))
		ERROR(checker, node->items[2], "'%s' is in %s, this in %s", knob->name,
			unit_name(knob->unit), unit_name(value.unit));
	return type_of(TYPE_NIL);
}

static struct type infer_asked(
	struct checker *checker, const struct node *node, struct type object)
{
	bool mean = node->method == METHOD_STAT_AVG;
	struct type type = type_of(TYPE_ANY);
	if (node->asked)
		type = infer_field(checker, node->items[1], object, node->asked);
	if (mean && type.kind == TYPE_TEXT)
		ERROR(checker, node->items[1], "'%s' is a string and has no mean",
			node->asked->name);
	if (node->count > 2)
		type = type_join(type, infer(checker, node->items[2]));
	return mean ? type_number(type.unit) : type;
}

static struct type infer_method(struct checker *checker, const struct node *node)
{
	struct type object = infer_path(checker, node);
	struct type name = infer(checker, node->items[1]);
	if (object.kind != TYPE_ANY && object.kind < TYPE_HOST &&
		object.kind != TYPE_UNSEEN)
		ERROR(checker, node, "%s has no methods", type_name(object));
	if (name.kind != TYPE_TEXT && name.kind != TYPE_ANY && name.kind != TYPE_UNSEEN)
		ERROR(checker, node->items[1], "a name in quotes is needed here, not %s",
			type_name(name));
	switch (node->method) {
	case METHOD_CONTROL:
	case METHOD_GET_CONTROL:
		return infer_control(checker, node, object);
	case METHOD_SET_VAR:
		infer(checker, node->items[2]);
		return type_of(TYPE_NIL);
	case METHOD_GET_VAR:
		return type_of(TYPE_ANY);
	default:
		return infer_asked(checker, node, object);
	}
}

/* ---- functions ------------------------------------------------------------------------
 */

static struct type infer_def(struct checker *checker, const struct node *node)
{
	struct known *known = &checker->known[node->items[1]->symbol];
	const struct node *params = node->items[2], *outer = checker->function;
	if (known->def && known->def->items[2]->count != params->count)
		known->many_arities = true;
	known->def = node;
	size_t mark = enter(checker), base = checker->base;
	checker->function = node;
	checker->base = mark;
	for (size_t i = 0; i < params->count; i++)
		bind_name(checker, params->items[i], type_of(TYPE_UNSEEN));
	widen(checker, &known->result, infer(checker, node->items[3]));
	checker->function = outer;
	checker->base = base;
	leave(checker, mark);
	if (!known->called)
		WARN(checker, node->items[1], "function '%.60s' is never called",
			node->items[1]->name);
	return type_of(TYPE_TEXT);
}

static void unknown_function(struct checker *checker, const struct node *node)
{
	const char *name = node->items[0]->name;
	struct near near = {.word = name};
	for (unsigned i = 0;
		note_wanted(checker->notes) && i < checker->program->symbols.count; i++)
		if (checker->known[i].def)
			near_try(&near, name_of(checker, i));
	for (size_t i = 0; note_wanted(checker->notes) && i < FORM_BLOCK; i++)
		near_try(&near, forms[i].name);
	if (near.best)
		ERROR(checker, node->items[0],
			"unknown function '%.60s'; did you mean '%s'?", name, near.best);
	else
		ERROR(checker, node->items[0], "unknown function '%.60s'", name);
}

static struct type infer_call(struct checker *checker, const struct node *node)
{
	struct known *known = &checker->known[node->symbol];
	const struct node *params = known->def ? known->def->items[2] : NULL;
	size_t given = node->count - 1;
	known->called |=
		!checker->function || checker->function->items[1]->symbol != node->symbol;
	if (!params)
		unknown_function(checker, node);
	else if (given != params->count && !known->many_arities)
		ERROR(checker, node, "'%.60s' takes %zu argument%s, not %zu",
			node->items[0]->name, params->count,
			params->count == 1 ? "" : "s", given);
	for (size_t i = 0; i < given; i++) {
		struct type type = infer(checker, node->items[i + 1]);
		if (params && i < params->count)
			widen(checker, &checker->known[params->items[i]->symbol].type,
				type);
	}
	return params ? known->result : type_of(TYPE_ANY);
}

/* ---- lists ----------------------------------------------------------------------------
 */

static struct type infer_list(struct checker *checker, const struct node *node)
{
	struct type list = infer(checker, node);
	if (list.kind != TYPE_LIST && list.kind != TYPE_ANY && list.kind != TYPE_UNSEEN)
		ERROR(checker, node, "this goes over a list, not %s", type_name(list));
	return list;
}

/* Expressions from `first` on, with an item of the list bound; the last one's type. */
static struct type infer_for(struct checker *checker, const struct node *node,
	struct type list, size_t first, size_t last)
{
	struct type type = type_of(TYPE_NIL);
	size_t mark = enter(checker);
	bind_name(checker, node->items[2], type_element(list));
	for (size_t i = first; i <= last; i++)
		type = infer(checker, node->items[i]);
	leave(checker, mark);
	return type;
}

static struct type infer_with(struct checker *checker, const struct node *node)
{
	size_t lists = (node->count - 2) / 2;
	struct type *elements = mem_array(lists, sizeof(*elements));
	for (size_t i = 0; i < lists; i++)
		elements[i] = type_element(infer_list(checker, node->items[2 * i + 1]));
	size_t mark = enter(checker);
	for (size_t i = 0; i < lists; i++)
		bind_name(checker, node->items[2 * i + 2], elements[i]);
	struct type body = infer(checker, node->items[node->count - 1]);
	leave(checker, mark);
	free(elements);
	return type_list_of(body);
}

static void want_unit(struct checker *checker, const struct node *node, enum unit wanted)
{
	struct type type = infer(checker, node);
	if (type_no_number(type))
		ERROR(checker, node, "a number is needed here, not %s", type_name(type));
	else if (!units_mix(type.unit, wanted))
		ERROR(checker, node, "this is to be in %s, but is in %s",
			unit_name(wanted), unit_name(type.unit));
}

static struct type infer_share_out(struct checker *checker, const struct node *node)
{
	struct type list = infer_list(checker, node->items[1]);
	want_unit(checker, node->items[3], UNIT_KIB);
	want_unit(checker, node->items[8], UNIT_RATIO);
	size_t mark = enter(checker);
	bind_name(checker, node->items[2], type_element(list));
	for (size_t i = 4; i <= 6; i++)
		want_unit(checker, node->items[i], UNIT_KIB);
	want_unit(checker, node->items[7], UNIT_NONE);
	leave(checker, mark);
	return type_list_of(type_number(UNIT_KIB));
}

/* ---- numbers --------------------------------------------------------------------------
 */

static void wrong_kinds(
	struct checker *checker, const struct node *node, struct type a, struct type b)
{
	ERROR(checker, node, "'%s' can't be used on %s and %s", node->items[0]->name,
		type_name(a), type_name(b));
}

static bool is_open(struct type type)
{
	return type.kind == TYPE_ANY || type.kind == TYPE_UNSEEN;
}

/* Two that are added or compared, of one kind and of units that mix. */
static struct type infer_alike(
	struct checker *checker, const struct node *node, struct type a, struct type b)
{
	if (is_open(a) || is_open(b))
		return is_open(a) ? b : a;
	if (a.kind != b.kind)
		wrong_kinds(checker, node, a, b);
	else if (a.kind == TYPE_NUMBER && !units_mix(a.unit, b.unit))
		ERROR(checker, node, "'%s' mixes %s with %s", node->items[0]->name,
			unit_name(a.unit), unit_name(b.unit));
	else if (a.kind == TYPE_NUMBER)
		return type_number(unit_sum(a.unit, b.unit));
	return type_join(a, b);
}

static struct type infer_arithmetic(struct checker *checker, const struct node *node)
{
	enum form_id form = node->form->id;
	struct type a = infer(checker, node->items[1]);
	struct type b = infer(checker, node->items[2]);
	bool repeats = form == FORM_MUL && (a.kind == TYPE_TEXT || b.kind == TYPE_TEXT);
	bool joins = form == FORM_ADD && (a.kind == TYPE_TEXT || a.kind == TYPE_LIST);
	if (repeats)
		return type_of(TYPE_TEXT);
	if (!joins && (type_no_number(a) || type_no_number(b)))
		wrong_kinds(checker, node, a, b);
	else if (form == FORM_ADD || form == FORM_SUB)
		return infer_alike(checker, node, a, b);
	else if (form == FORM_MUL)
		return type_number(unit_product(a, b));
	else if (form == FORM_DIV)
		return type_number(unit_quotient(a, b));
	return type_of(form == FORM_SHL || form == FORM_SHR ? TYPE_NUMBER : TYPE_ANY);
}

static struct type infer_order(struct checker *checker, const struct node *node)
{
	struct type a = infer(checker, node->items[1]);
	struct type b = infer(checker, node->items[2]);
	bool same = node->form->id == FORM_EQ || node->form->id == FORM_NEQ;
	if (!same || (a.kind == TYPE_NUMBER && b.kind == TYPE_NUMBER))
		infer_alike(checker, node, a, b);
	return type_number(UNIT_NONE);
}

/* min, max, clamp: all are alike, and so is the result. */
static struct type infer_extreme(struct checker *checker, const struct node *node)
{
	struct type type = infer(checker, node->items[1]);
	for (size_t i = 2; i < node->count; i++)
		type = infer_alike(checker, node, type, infer(checker, node->items[i]));
	type.whole = false;
	return type;
}

/* ---- everything -----------------------------------------------------------------------
 */

/* All from `first` on; the last one's type, or the join of all. */
static struct type infer_rest(
	struct checker *checker, const struct node *node, size_t first, bool join)
{
	struct type type = type_of(TYPE_NIL);
	for (size_t i = first; i < node->count; i++) {
		struct type next = infer(checker, node->items[i]);
		type = join && i > first ? type_join(type, next) : next;
	}
	return type;
}

static struct type infer_let(struct checker *checker, const struct node *node)
{
	const struct node *pairs = node->items[1];
	size_t mark = enter(checker);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct node *pair = pairs->items[i];
		bind_name(checker, pair->items[0], infer(checker, pair->items[1]));
	}
	struct type type = infer_rest(checker, node, 2, false);
	leave(checker, mark);
	return type;
}

static struct type infer_cond(struct checker *checker, const struct node *node)
{
	struct type type = type_of(TYPE_UNSEEN);
	for (size_t i = 1; i < node->count; i++) {
		const struct node *clause = node->items[i];
		if (i + 1 < node->count)
			infer(checker, clause->items[0]);
		type = type_join(type, infer(checker, clause->items[1]));
	}
	return type;
}

static struct type infer_set(struct checker *checker, const struct node *node)
{
	const struct node *name = node->items[1];
	struct type type = infer(checker, node->items[2]);
	use_name(checker, name, name->symbol);
	if (name->symbol < SYMBOL_FIXED && checker->known[name->symbol].lexical == 0)
		ERROR(checker, name, "'%s' can't be set", name->name);
	widen(checker, &checker->known[name->symbol].type, type);
	return type;
}

static struct type infer_binding(struct checker *checker, const struct node *node)
{
	struct type type = infer(checker, node->items[2]);
	bind_name(checker, node->items[1], type);
	return type;
}

static struct type infer_because(struct checker *checker, const struct node *node)
{
	struct type type = infer(checker, node->items[1]);
	if (type.kind != TYPE_TEXT && !is_open(type))
		ERROR(checker, node->items[1], "a reason is a string, not %s",
			type_name(type));
	return type;
}

static struct type infer_abs(struct checker *checker, const struct node *node)
{
	struct type type = infer(checker, node->items[1]);
	if (type_no_number(type))
		ERROR(checker, node, "'abs' can't be used on %s", type_name(type));
	return type;
}

static struct type infer_over(struct checker *checker, const struct node *node)
{
	struct type list = infer_list(checker, node->items[1]);
	struct type inner = type_of(TYPE_NIL);
	if (node->count == 4)
		inner = infer_for(checker, node, list, 3, 3);
	if (node->form->id == FORM_TALLY)
		return type_number(UNIT_NONE);
	if (node->form->id != FORM_SUM)
		return list;
	if (type_no_number(inner))
		ERROR(checker, node->items[3], "a number is needed here, not %s",
			type_name(inner));
	return type_number(inner.kind == TYPE_NUMBER ? inner.unit : UNIT_NONE);
}

static struct type infer_form(struct checker *checker, const struct node *node)
{
	switch (node->form->id) {
	case FORM_DEF:
		return infer_def(checker, node);
	case FORM_CALL:
		return infer_call(checker, node);
	case FORM_METHOD:
		return infer_method(checker, node);
	case FORM_DEFVAR:
	case FORM_PARAM:
		return infer_binding(checker, node);
	case FORM_SET:
		return infer_set(checker, node);
	case FORM_LET:
		return infer_let(checker, node);
	case FORM_WITH:
		return infer_with(checker, node);
	case FORM_IF:
		infer(checker, node->items[1]);
		return infer_rest(checker, node, 2, true);
	case FORM_COND:
		return infer_cond(checker, node);
	case FORM_AND:
	case FORM_OR:
		return infer_rest(checker, node, 1, true);
	case FORM_ADD:
	case FORM_SUB:
	case FORM_MUL:
	case FORM_DIV:
	case FORM_SHL:
	case FORM_SHR:
		return infer_arithmetic(checker, node);
	case FORM_LT:
	case FORM_GT:
	case FORM_LTE:
	case FORM_GTE:
	case FORM_EQ:
	case FORM_NEQ:
		return infer_order(checker, node);
	case FORM_MIN:
	case FORM_MAX:
	case FORM_CLAMP:
		return infer_extreme(checker, node);
	case FORM_SUM:
	case FORM_TALLY:
	case FORM_FILTER:
	case FORM_SORT_BY:
		return infer_over(checker, node);
	case FORM_SHARE_OUT:
		return infer_share_out(checker, node);
	case FORM_BECAUSE:
		return infer_because(checker, node);
	case FORM_ABS:
		return infer_abs(checker, node);
	case FORM_DEBUG:
		return infer_rest(checker, node, 1, false);
	case FORM_BLOCK:
		return infer_rest(checker, node, 0, false);
	case FORM_EMPTY:
		return type_list_of(type_of(TYPE_UNSEEN));
	case FORM_TROUBLE:
		return type_of(TYPE_ANY);
	default: /* not, null, valid, match */
		infer_rest(checker, node, 1, false);
		return type_number(UNIT_NONE);
	}
}

static struct type infer_value(const struct node *node)
{
	struct type type = type_of(TYPE_NUMBER);
	if (node->value.kind == VALUE_NIL)
		return type_of(TYPE_NIL);
	if (node->value.kind == VALUE_STRING)
		return type_of(TYPE_TEXT);
	double number = value_as_float(node->value);
	type.whole = number == trunc(number) && number != 1;
	type.bare = true;
	return type;
}

static struct type infer(struct checker *checker, const struct node *node)
{
	if (node->kind == NODE_VALUE)
		return infer_value(node);
	if (node->kind == NODE_NAME)
		return node->trouble ? type_of(TYPE_ANY) : infer_path(checker, node);
	return infer_form(checker, node);
}

static void look_at(struct checker *checker, const struct policy *policy)
{
	for (size_t i = 0; i < policy->tree.count; i++)
		infer(checker, policy->tree.forms[i]);
}

void check(const struct program *program, size_t index, struct policy_notes *notes)
{
	struct checker checker = {.program = program, .changed = true};
	checker.known = mem_array(program->symbols.count, sizeof(*checker.known));
	struct known *host = &checker.known[SYMBOL_HOST];
	struct known *guests = &checker.known[SYMBOL_GUESTS];
	*host = (struct known){.type = type_of(TYPE_HOST), .bound = true, .global = true};
	*guests = (struct known){
		.type = type_list_of(type_of(TYPE_GUEST)), .bound = true, .global = true};
	for (int i = 0; i < LOOKS_MOST && checker.changed; i++) {
		checker.changed = false;
		for (size_t j = 0; j < program->count; j++)
			look_at(&checker, &program->policies[j]);
	}
	checker.notes = notes;
	look_at(&checker, &program->policies[index]);
	free(checker.known);
	free(checker.trail);
}
