/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/eval.h"

#include <math.h>
#include <string.h>

#include "mom/policy/object.h"
#include "mom/policy/vars.h"

/* ---- fields ---------------------------------------------------------------------------
 */

static struct value host_field(
	struct run *run, const struct node *node, const struct field *field)
{
	const struct host_history *history = run->facts->host;
	const struct host_sample *sample = history ? host_history_at(history, 0) : NULL;
	if (!field || !sample)
		return value_nil();
	if (field->type == FIELD_STATE)
		return run_text(run, node,
			host_state_name(*(const enum host_state *)((const char *)sample +
								   field->offset)));
	return field_sample(field, sample);
}

static struct value guest_field(struct run *run, const struct node *node,
	const struct policy_guest *guest, const struct field *field)
{
	if (!field)
		return value_nil();
	if (field->type == FIELD_WORD)
		return run_text(run, node, field->word(guest));
	if (!field_has_history(field))
		return field->of_guest(guest);
	const struct guest_sample *sample =
		guest->history ? guest_history_at(guest->history, 0) : NULL;
	return sample ? field_sample(field, sample) : value_nil();
}

/* Fields that were made up for this object go before those of its samples. */
static const struct property *made_up(
	const struct run *run, struct value object, const char *name)
{
	if (object.kind == VALUE_GUEST)
		return object_property(object.guest->extra, name);
	if (object.kind == VALUE_HOST)
		return object_property(run->facts->host_extra, name);
	return object_property(object.object, name);
}

struct value object_field(struct run *run, const struct node *node, struct value object,
	const struct step *step)
{
	if (object.kind < VALUE_HOST)
		run_fail(run, node, "%s has no field '%.60s'",
			value_kind_name(object.kind), step->name);
	const struct property *property = made_up(run, object, step->name);
	if (property)
		return property_latest(property);
	if (object.kind == VALUE_HOST)
		return host_field(run, node, step->host);
	if (object.kind == VALUE_GUEST)
		return guest_field(run, node, object.guest, step->guest);
	return value_nil();
}

/* ---- means ----------------------------------------------------------------------------
 */

struct mean {
	double sum;
	size_t count;
};

static void mean_add(struct mean *mean, struct value value)
{
	if (!value_is_number(value))
		return;
	mean->sum += value_as_float(value);
	mean->count++;
}

static struct mean mean_of_property(const struct property *property)
{
	struct mean mean = {0};
	size_t skipped =
		property->count > HISTORY_SAMPLES ? property->count - HISTORY_SAMPLES : 0;
	for (size_t i = skipped; i < property->count; i++)
		mean_add(&mean, property->history[i]);
	if (!property->count)
		mean_add(&mean, property->value);
	return mean;
}

/* A mean asks for no order: a ring's samples are taken as they lie. */
static struct mean mean_of_host(
	const struct host_history *history, const struct field *field)
{
	struct mean mean = {0};
	for (size_t i = 0; history && i < history->count; i++)
		mean_add(&mean, field_sample(field, &history->samples[i]));
	return mean;
}

static struct mean mean_of_guest(
	const struct guest_history *history, const struct field *field)
{
	struct mean mean = {0};
	for (size_t i = 0; history && i < history->count; i++)
		mean_add(&mean, field_sample(field, &history->samples[i]));
	return mean;
}

static struct value average(
	const struct run *run, struct value object, const struct step *step)
{
	struct mean mean = {0};
	const struct property *property = made_up(run, object, step->name);
	const struct field *field = object.kind == VALUE_HOST    ? step->host
				    : object.kind == VALUE_GUEST ? step->guest
								 : NULL;
	if (property)
		mean = mean_of_property(property);
	else if (field && field_has_history(field))
		mean = object.kind == VALUE_HOST
			       ? mean_of_host(run->facts->host, field)
			       : mean_of_guest(object.guest->history, field);
	return value_float(mean.count ? mean.sum / (double)mean.count : 0.0);
}

/* ---- knobs ----------------------------------------------------------------------------
 */

static struct control *control_of(
	struct run *run, struct value object, const struct knob *knob)
{
	if (!knob->guest)
		return &run->host_controls[knob->number];
	return &run->guest_controls[object.guest - run->facts->guests];
}

static const struct knob *find_knob(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	bool guest = object.kind == VALUE_GUEST;
	const struct knob *knob = knob_find(name, guest);
	if (!knob)
		run_fail(run, node->items[1], "%s has no knob '%.60s'",
			value_kind_name(object.kind), name);
	return knob;
}

static int64_t whole_number(struct run *run, const struct node *node, struct value value)
{
	if (!value_is_number(value))
		run_fail(run, node, "a knob takes a number, not %s",
			value_kind_name(value.kind));
	if (value.kind != VALUE_FLOAT)
		return value.kind == VALUE_BOOL ? value.truth : value.integer;
	if (!isfinite(value.real))
		run_fail(run, node, "a knob takes a finite number");
	if (value.real >= 0x1p63 || value.real < -0x1p63)
		run_fail(run, node, "this number is too large for a knob");
	return (int64_t)value.real;
}

static struct value set_control(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	const struct knob *knob = find_knob(run, node, object, name);
	int64_t value = whole_number(run, node->items[2], eval(run, node->items[2]));
	if (!knob->only_mom)
		run_control(run, node, control_of(run, object, knob), value);
	return value_nil();
}

static struct value get_control(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	const struct knob *knob = find_knob(run, node, object, name);
	if (knob->only_mom)
		return value_nil();
	const struct control *control = control_of(run, object, knob);
	return control->is_set ? value_int(control->value) : value_nil();
}

/* ---- kept variables -------------------------------------------------------------------
 */

static struct policy_vars **vars_of(const struct run *run, struct value object)
{
	return object.kind == VALUE_GUEST ? object.guest->vars : run->facts->host_vars;
}

/* A copy for this run: what is kept may go when it is set again. */
static struct value copy_kept(
	struct run *run, const struct node *node, struct value value)
{
	if (value.kind == VALUE_STRING)
		return run_text(run, node, value.text->bytes);
	if (value.kind != VALUE_LIST)
		return value;
	struct list *list = run_list_new(run, node, value.list->count);
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = copy_kept(run, node, value.list->items[i]);
	return run_list(run, node, list);
}

static struct value get_var(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	struct policy_vars **vars = vars_of(run, object);
	return vars ? copy_kept(run, node, vars_get(*vars, name)) : value_nil();
}

static struct value set_var(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	struct policy_vars **vars = vars_of(run, object);
	struct value value = eval(run, node->items[2]);
	if (vars)
		run_set_var(run, node, vars, name, value);
	return value_nil();
}

/* ---- dispatch -------------------------------------------------------------------------
 */

static struct value eval_object(struct run *run, const struct node *node)
{
	const struct cell *cell = &run->cells[node->symbol];
	if (!cell->level)
		run_fail(run, node, "unknown name '%.60s'",
			run->program->symbols.names[node->symbol]);
	struct value object = cell->value;
	for (size_t i = 0; i < node->step_count; i++)
		object = object_field(run, node, object, &node->steps[i]);
	if (object.kind < VALUE_HOST)
		run_fail(run, node, "%s has no methods", value_kind_name(object.kind));
	return object;
}

static const char *eval_text(struct run *run, const struct node *node)
{
	struct value name = eval(run, node);
	if (name.kind != VALUE_STRING)
		run_fail(run, node, "a name in quotes is needed here, not %s",
			value_kind_name(name.kind));
	return name.text->bytes;
}

static struct value ask_field(
	struct run *run, const struct node *node, struct value object, const char *name)
{
	struct step found = {.name = name};
	const struct step *step = node->asked;
	if (!step) {
		found.host = field_find(host_fields, name);
		found.guest = field_find(guest_fields, name);
		step = &found;
	}
	if (node->method == METHOD_STAT_AVG)
		return average(run, object, step);
	struct value value = object_field(run, node, object, step);
	if (node->method == METHOD_STAT && value.kind == VALUE_NIL && node->count > 2)
		return eval(run, node->items[2]);
	return value;
}

struct value eval_method(struct run *run, const struct node *node)
{
	struct value object = eval_object(run, node);
	const char *name =
		node->asked ? node->asked->name : eval_text(run, node->items[1]);
	if (node->method <= METHOD_STAT_AVG)
		return ask_field(run, node, object, name);
	if (object.kind == VALUE_OBJECT)
		run_fail(run, node, "an object of a file of facts has no '%s'",
			methods[node->method].name);
	switch (node->method) {
	case METHOD_SET_VAR:
		return set_var(run, node, object, name);
	case METHOD_GET_VAR:
		return get_var(run, node, object, name);
	case METHOD_CONTROL:
		return set_control(run, node, object, name);
	default:
		return get_control(run, node, object, name);
	}
}
