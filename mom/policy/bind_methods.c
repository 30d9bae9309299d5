/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/bind_inside.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/near.h"

const struct method_info methods[METHOD_COUNT] = {
	[METHOD_PROP] = {"Prop", 1, 1, "(g.Prop \"name\")",
		"What doesn't change: name, uuid, id, pid."},
	[METHOD_STAT] = {"Stat", 1, 2, "(g.Stat \"field\" [DEFAULT])",
		"The latest value of a field, DEFAULT where it is unknown."},
	[METHOD_STAT_AVG] = {"StatAvg", 1, 1, "(g.StatAvg \"field\")",
		"The mean of the known values in its history; 0.0 with none."},
	[METHOD_SET_VAR] = {"SetVar", 2, 2, "(g.SetVar \"name\" X)",
		"Keeps a value for this guest until it goes, across ticks and policies."},
	[METHOD_GET_VAR] = {"GetVar", 1, 1, "(g.GetVar \"name\")",
		"The value that SetVar kept; nil with none."},
	[METHOD_CONTROL] = {"Control", 2, 2, "(g.Control \"knob\" X)",
		"Wishes a knob to be set; the last wish wins."},
	[METHOD_GET_CONTROL] = {"GetControl", 1, 1, "(g.GetControl \"knob\")",
		"What the knob was wished to be in this run; nil with nothing."},
};

/* What MOM's limits of disks have, in the rules that oVirt ships: never reached here. */
static bool method_only_mom(const char *name)
{
	static const char *const names[] = {"setTotalBytesSec", "setReadBytesSec",
		"setWriteBytesSec", "setTotalIopsSec", "setReadIopsSec",
		"setWriteIopsSec"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void unknown_method(struct binder *binder, struct node *node, const char *name)
{
	if (method_only_mom(name)) {
		char text[80];
		snprintf(text, sizeof(text), "MOM's method '%s' is not known here", name);
		bind_trouble(binder, node, node->items[0], POLICY_WARNING, text);
		return;
	}
	struct near near = {.word = name};
	for (size_t i = 0; i < METHOD_COUNT; i++)
		near_try(&near, methods[i].name);
	if (near.best)
		BIND_TROUBLE(binder, node, node->items[0],
			"no method is called '%.40s'; did you mean '%s'?", name,
			near.best);
	else
		BIND_TROUBLE(binder, node, node->items[0], "no method is called '%.40s'",
			name);
}

/* A field that is named by a string as it stands is looked up now, not in every run. */
static void bind_asked(struct binder *binder, struct node *node)
{
	bool field = node->method <= METHOD_STAT_AVG;
	if (!field || !bind_is_text(node->items[1]))
		return;
	struct step *step = arena_alloc(&binder->program->arena, sizeof(*step));
	const struct text *text = node->items[1]->value.text;
	*step = bind_step(binder, text->bytes, text->length);
	node->asked = step;
}

void bind_method(struct binder *binder, struct node *node)
{
	const char *whole = node->items[0]->name, *dot = strrchr(whole, '.');
	node->form = &forms[FORM_METHOD];
	bind_path(binder, node,
		arena_copy(&binder->program->arena, whole, (size_t)(dot - whole)));
	bind_rest(binder, node, 1);
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		const struct method_info *info = &methods[i];
		if (strcmp(info->name, dot + 1) != 0)
			continue;
		node->method = i;
		if (bind_count_fits(
			    binder, node, whole, info->least, info->most, info->usage))
			bind_asked(binder, node);
		return;
	}
	unknown_method(binder, node, dot + 1);
}
