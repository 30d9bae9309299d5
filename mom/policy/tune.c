/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/tune.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/lex.h"
#include "mom/policy/note.h"

enum { PARAM_NAME = 1, PARAM_DEFAULT, PARAM_HELP, PARAM_LOW, PARAM_HIGH };

static void tune_done(struct tune *tune)
{
	free(tune->name);
	free(tune->text);
}

void tunes_done(struct tunes *tunes)
{
	for (size_t i = 0; i < tunes->count; i++)
		tune_done(&tunes->items[i]);
	free(tunes->items);
	*tunes = (struct tunes){0};
}

static struct tune *find(const struct tunes *tunes, const char *name, bool live)
{
	for (size_t i = 0; i < tunes->count; i++)
		if (tunes->items[i].live == live && !strcmp(tunes->items[i].name, name))
			return &tunes->items[i];
	return NULL;
}

const struct tune *tune_find(const struct tunes *tunes, const char *name)
{
	const struct tune *live = find(tunes, name, true);
	return live ? live : find(tunes, name, false);
}

struct value tune_read(const char *text)
{
	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return value_bool(*text == 't');
	struct value number = value_nil();
	lex_number(text, strlen(text), &number);
	return number;
}

bool tunes_unset(struct tunes *tunes, const char *name, bool live)
{
	struct tune *tune = find(tunes, name, live);
	if (!tune)
		return false;
	tune_done(tune);
	*tune = tunes->items[--tunes->count];
	return true;
}

void tunes_set(struct tunes *tunes, const char *name, const char *text, bool live)
{
	tunes_unset(tunes, name, live);
	tunes->items = mem_grow(
		tunes->items, tunes->count, &tunes->capacity, sizeof(*tunes->items));
	struct tune *tune = &tunes->items[tunes->count++];
	size_t length = strlen(text);
	*tune = (struct tune){
		.name = mem_dup(name), .live = live, .number = tune_read(text)};
	tune->text = mem_alloc(sizeof(*tune->text) + length + 1);
	tune->text->length = length;
	memcpy(tune->text->bytes, text, length);
}

/* ---- fitting --------------------------------------------------------------------------
 */

static bool is_number(const struct node *param)
{
	return param->items[PARAM_DEFAULT]->value.kind != VALUE_STRING;
}

/* Bounds stand behind the help; NULL where there is none. */
static const struct node *bound_of(const struct node *param, size_t place)
{
	return param->count > place ? param->items[place] : NULL;
}

static bool order_to(struct value number, const struct node *bound, int *order)
{
	return bound && value_order(number, bound->value, order);
}

int tune_fits(const char *text, const struct node *param, struct err *err)
{
	const char *name = param->items[PARAM_NAME]->name;
	const struct node *low = bound_of(param, PARAM_LOW);
	const struct node *high = bound_of(param, PARAM_HIGH);
	struct value number = tune_read(text);
	char bound[NUMBER_TEXT_MAX];
	int order;
	if (!is_number(param))
		return 0;
	if (number.kind == VALUE_NIL)
		return err_set(err, -EINVAL, "%s: '%s' isn't a number", name, text);
	if (order_to(number, low, &order) && order < 0)
		return err_set(err, -ERANGE, "%s: %s is less than %s", name, text,
			value_format_number(bound, low->value));
	if (order_to(number, high, &order) && order > 0)
		return err_set(err, -ERANGE, "%s: %s is more than %s", name, text,
			value_format_number(bound, high->value));
	return 0;
}

struct value tune_value(const struct tunes *tunes, const struct node *param)
{
	const struct tune *tune = tune_find(tunes, param->items[PARAM_NAME]->name);
	if (!tune || tune_fits(tune->text->bytes, param, NULL) != 0)
		return param->items[PARAM_DEFAULT]->value;
	return is_number(param)
		       ? tune->number
		       : (struct value){.kind = VALUE_STRING, .text = tune->text};
}

void tunes_check(const struct tunes *tunes, const struct policy *policy,
	struct policy_notes *notes)
{
	for (size_t i = 0; i < policy->param_count; i++) {
		const struct node *param = policy->params[i];
		const struct tune *tune =
			tune_find(tunes, param->items[PARAM_NAME]->name);
		struct err err;
		if (tune && tune_fits(tune->text->bytes, param, &err) != 0)
			note_add(notes, POLICY_WARNING, param->line, param->column,
				"%s; the default stands", err.text);
	}
}

/* ---- showing --------------------------------------------------------------------------
 */

static void describe_value(char *text, size_t size, const struct node *node)
{
	if (node)
		value_format(text, size, node->value);
}

void tune_describe(const struct tunes *tunes, const struct policy *policy,
	const struct node *param, struct policy_param *into)
{
	*into = (struct policy_param){0};
	const char *name = param->items[PARAM_NAME]->name;
	snprintf(into->name, sizeof(into->name), "%s", name);
	snprintf(into->policy, sizeof(into->policy), "%s", policy->source.name);
	value_format(into->value, sizeof(into->value), tune_value(tunes, param));
	describe_value(
		into->fallback, sizeof(into->fallback), param->items[PARAM_DEFAULT]);
	describe_value(into->help, sizeof(into->help), param->items[PARAM_HELP]);
	describe_value(into->low, sizeof(into->low), bound_of(param, PARAM_LOW));
	describe_value(into->high, sizeof(into->high), bound_of(param, PARAM_HIGH));
	into->tuned = tune_find(tunes, name) != NULL;
	into->live = find(tunes, name, true) != NULL;
}
