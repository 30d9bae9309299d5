/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_read.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/near.h"

/* The two parts of momd.conf without fixed names: rules for guests, and tunables. */

/* Row number of a guest's key, or -1. */
static int guest_row(const char *name)
{
	for (int i = 0; guest_keys[i].name; i++)
		if (strcmp(guest_keys[i].name, name) == 0)
			return i;
	return -1;
}

static int unknown_guest_key(struct reader *reader, const config_setting_t *setting)
{
	struct near near = {.word = config_setting_name(setting)};
	near_try(&near, "match");
	for (size_t i = 0; guest_keys[i].name; i++)
		near_try(&near, guest_keys[i].name);
	return reader_unknown(reader, setting, "of a guest", near.best);
}

static int read_match(
	struct reader *reader, const config_setting_t *setting, struct guest_rule *rule)
{
	const char *match = config_setting_get_string(setting);
	if (!match || !*match)
		return reader_fail(reader, setting, -EINVAL,
			"match: expected a pattern for names, such as \"web-*\", or a "
			"UUID");
	mem_replace(&rule->match, match);
	return 0;
}

static int read_rule_key(
	struct reader *reader, const config_setting_t *setting, struct guest_rule *rule)
{
	const char *name = config_setting_name(setting);
	if (strcmp(name, "match") == 0)
		return read_match(reader, setting, rule);
	int row = guest_row(name);
	if (row < 0)
		return unknown_guest_key(reader, setting);
	rule->given |= 1u << row;
	return reader_value(reader, setting, &guest_keys[row], &rule->values);
}

static int read_rule(struct reader *reader, const config_setting_t *group)
{
	if (!config_setting_is_group(group))
		return reader_fail(reader, group, -EINVAL,
			"guests: expected { match = \"…\"; … } for each entry");
	struct config *config = reader->config;
	config->rules =
		mem_resize(config->rules, config->rule_count + 1, sizeof(*config->rules));
	struct guest_rule *rule = &config->rules[config->rule_count++];
	*rule = (struct guest_rule){0};
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++)
		r = read_rule_key(reader, reader_elem(group, i), rule);
	if (r == 0 && !rule->match)
		return reader_fail(reader, group, -EINVAL,
			"guests: this entry has no match; expected a pattern such as "
			"match = \"*\"");
	return r;
}

int reader_guests(struct reader *reader, const config_setting_t *list)
{
	if (!config_setting_is_list(list))
		return reader_fail(reader, list, -EINVAL,
			"guests: expected a list, ( { match = \"…\"; … }, … )");
	int r = 0;
	for (int i = 0; i < config_setting_length(list) && r == 0; i++)
		r = read_rule(reader, reader_elem(list, i));
	return r;
}

static int read_tunable(struct reader *reader, const config_setting_t *setting)
{
	struct config *config = reader->config;
	bool endless = config_setting_type(setting) == CONFIG_TYPE_FLOAT &&
		       !isfinite(config_setting_get_float(setting));
	char *text = endless ? NULL : reader_text(setting);
	if (!text)
		return reader_fail(reader, setting, -EINVAL,
			"tunable '%s': expected a number, true, false or text in quotes",
			config_setting_name(setting));
	config->tunables = mem_resize(
		config->tunables, config->tunable_count + 1, sizeof(*config->tunables));
	config->tunables[config->tunable_count++] = (struct tunable){
		.name = mem_dup(config_setting_name(setting)),
		.text = text,
		.number = config_setting_is_number(setting),
		.quoted = config_setting_type(setting) == CONFIG_TYPE_STRING,
		.where = reader_where(reader, setting),
	};
	return 0;
}

int reader_tunables(struct reader *reader, const config_setting_t *group)
{
	if (!config_setting_is_group(group))
		return reader_fail(reader, group, -EINVAL,
			"tunables: expected a group, { name = value; … }");
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++)
		r = read_tunable(reader, reader_elem(group, i));
	return r;
}
