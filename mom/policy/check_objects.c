/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check_inside.h"

#include "mom/near.h"

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
		CHECK_WARN(checker, node,
			"MOM's field '%s' is not known here and always nil", step->name);
	else if (step->host || step->guest)
		CHECK_ERROR(checker, node, "%s no field '%s', but %s has", whose,
			step->name, step->host ? "the host" : "a guest");
	else if (near)
		CHECK_ERROR(checker, node, "%s no field '%.60s'; did you mean '%s'?",
			whose, step->name, near);
	else
		CHECK_ERROR(checker, node, "%s no field '%.60s'", whose, step->name);
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
			CHECK_WARN(checker, node,
				"neither host nor guest has a field '%.60s'", step->name);
		return type_of(TYPE_ANY);
	case TYPE_UNSEEN:
		if (!step->host && !step->guest)
			unknown_field(checker, node, type_of(TYPE_ANY), step);
		if (step->host && step->guest)
			return type_join(
				type_of_field(step->host), type_of_field(step->guest));
		return type_of_field(step->host ? step->host : step->guest);
	default:
		CHECK_ERROR(checker, node, "%s has no field '%.60s'", type_name(object),
			step->name);
		return type_of(TYPE_ANY);
	}
}

struct type check_path(struct checker *checker, const struct node *node)
{
	check_use(checker, node, node->symbol);
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
		CHECK_ERROR(checker, node, "%s has no knob '%s', but %s has",
			type_name(object), name,
			object.kind == TYPE_HOST ? "a guest" : "the host");
	else if (near.best)
		CHECK_ERROR(checker, node, "%s has no knob '%.60s'; did you mean '%s'?",
			type_name(object), name, near.best);
	else
		CHECK_ERROR(
			checker, node, "%s has no knob '%.60s'", type_name(object), name);
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
		CHECK_WARN(
			checker, name, "MOM's knob '%s' has no effect here", knob->name);
	if (node->method == METHOD_GET_CONTROL)
		return type_number(knob ? knob->unit : UNIT_NONE);
	struct type value = check_node(checker, node->items[2]);
	if (type_no_number(value))
		CHECK_ERROR(checker, node->items[2], "a knob takes a number, not %s",
			type_name(value));
	else if (knob && !units_mix(knob->unit, value.unit))
		CHECK_ERROR(checker, node->items[2], "'%s' is in %s, this in %s",
			knob->name, unit_name(knob->unit), unit_name(value.unit));
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
		CHECK_ERROR(checker, node->items[1], "'%s' is a string and has no mean",
			node->asked->name);
	if (node->count > 2)
		type = type_join(type, check_node(checker, node->items[2]));
	return mean ? type_number(type.unit) : type;
}

struct type check_method(struct checker *checker, const struct node *node)
{
	struct type object = check_path(checker, node);
	struct type name = check_node(checker, node->items[1]);
	if (object.kind != TYPE_ANY && object.kind < TYPE_HOST &&
		object.kind != TYPE_UNSEEN)
		CHECK_ERROR(checker, node, "%s has no methods", type_name(object));
	if (name.kind != TYPE_TEXT && name.kind != TYPE_ANY && name.kind != TYPE_UNSEEN)
		CHECK_ERROR(checker, node->items[1],
			"a name in quotes is needed here, not %s", type_name(name));
	switch (node->method) {
	case METHOD_CONTROL:
	case METHOD_GET_CONTROL:
		return infer_control(checker, node, object);
	case METHOD_SET_VAR:
		check_node(checker, node->items[2]);
		return type_of(TYPE_NIL);
	case METHOD_GET_VAR:
		return type_of(TYPE_ANY);
	default:
		return infer_asked(checker, node, object);
	}
}
