/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "mom/config_value.h"
#include "mom/mem.h"
#include "mom/near.h"
#include "mom/units.h"

/* What is read, and into what. */
struct reader {
	const char *path;
	struct config *config;
	struct err *err;
};

/* libconfig's own asks for one that may be changed. */
static const config_setting_t *elem(const config_setting_t *setting, int index)
{
	return config_setting_get_elem(setting, (unsigned)index);
}

static char *where(const struct reader *reader, const config_setting_t *setting)
{
	const char *file = config_setting_source_file(setting);
	return mem_printf("%s:%u", file ? file : reader->path,
		(unsigned)config_setting_source_line(setting));
}

/* "FILE:LINE: " before what is wrong with a setting. */
__attribute__((format(printf, 4, 5))) static int fail(struct reader *reader,
	const config_setting_t *setting, int code, const char *format, ...)
{
	auto_free char *place = where(reader, setting);
	auto_free char *text = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return err_set(reader->err, code, "%s: %s", place, text);
}

static void *part_settings(struct config *config, size_t index)
{
	return index ? config->parts[index - 1].settings : config;
}

/* The row of a key; `base` is what its offset counts from. */
static const struct config_key *find_key(
	struct config *config, const char *section, const char *name, void **base)
{
	const struct config_key *key;
	const void *unused;
	for (size_t i = 0; (key = config_table(config, i, &unused)); i++) {
		for (; key->name; key++) {
			if (strcmp(key->section, section) || strcmp(key->name, name))
				continue;
			*base = part_settings(config, i);
			return key;
		}
	}
	return NULL;
}

static bool section_is_known(const struct config *config, const char *section)
{
	const struct config_key *key;
	const void *base;
	for (size_t i = 0; (key = config_table(config, i, &base)); i++)
		for (; key->name; key++)
			if (strcmp(key->section, section) == 0)
				return true;
	return false;
}

static int unknown(struct reader *reader, const config_setting_t *setting,
	const char *place, const char *best)
{
	const char *name = config_setting_name(setting);
	if (best)
		return fail(reader, setting, -EINVAL,
			"unknown key '%s' %s; did you mean '%s'?", name, place, best);
	return fail(reader, setting, -EINVAL,
		"unknown key '%s' %s; expected one of those in momd.conf(5)", name,
		place);
}

static int unknown_key(
	struct reader *reader, const config_setting_t *setting, const char *section)
{
	struct near near = {.word = config_setting_name(setting)};
	const struct config_key *key;
	const void *base;
	for (size_t i = 0; (key = config_table(reader->config, i, &base)); i++)
		for (; key->name; key++)
			if (strcmp(key->section, section) == 0)
				near_try(&near, key->name);
	auto_free char *place = mem_printf("in section '%s'", section);
	return unknown(reader, setting, place, near.best);
}

/* At the top a name may be a section, a key, or one of the two free-form groups. */
static int unknown_at_top(struct reader *reader, const config_setting_t *setting)
{
	struct near near = {.word = config_setting_name(setting)};
	const struct config_key *key;
	const void *base;
	near_try(&near, "guests");
	near_try(&near, "tunables");
	for (size_t i = 0; (key = config_table(reader->config, i, &base)); i++)
		for (; key->name; key++)
			near_try(&near, *key->section ? key->section : key->name);
	return unknown(reader, setting, "at the top", near.best);
}

/* A number, a truth or a text as text, so that one reader serves file and metadata. */
static char *scalar_text(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_BOOL:
		return mem_dup(config_setting_get_bool(setting) ? "true" : "false");
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return mem_printf("%lld", config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		return mem_printf("%.17g", config_setting_get_float(setting));
	default:
		return mem_dup(config_setting_get_string(setting));
	}
}

/* May a key of this type be written so? "5" is no count, and 5 is no duration. */
static bool type_fits(enum config_type type, const config_setting_t *setting)
{
	int written = config_setting_type(setting);
	if (type == CONFIG_BOOL)
		return written == CONFIG_TYPE_BOOL;
	if (type == CONFIG_COUNT)
		return written == CONFIG_TYPE_INT || written == CONFIG_TYPE_INT64;
	if (type == CONFIG_RATIO || type == CONFIG_FLOOR)
		return written == CONFIG_TYPE_STRING || config_setting_is_number(setting);
	return written == CONFIG_TYPE_STRING;
}

static int wrong_type(struct reader *reader, const config_setting_t *setting,
	const struct config_key *key)
{
	enum config_type type = key->type;
	const char *expected = key->choices ? key->choices : config_value_expected(type);
	bool unitless = config_setting_is_number(setting) &&
			(type == CONFIG_SIZE || type == CONFIG_DURATION ||
				type == CONFIG_AUTO_SIZE || type == CONFIG_BUDGET);
	if (!unitless)
		return fail(reader, setting, -EINVAL,
			"%s: this kind of value doesn't fit; expected %s", key->name,
			expected);
	auto_free char *text = scalar_text(setting);
	return fail(reader, setting, -EINVAL, "%s: %s has no unit; expected %s",
		key->name, text, expected);
}

static int read_strings(struct reader *reader, const config_setting_t *setting,
	const struct config_key *key, void *base)
{
	struct config_strings read = {0};
	struct config_key own = {.type = CONFIG_STRINGS};
	for (int i = 0; i < config_setting_length(setting); i++) {
		const char *item = config_setting_get_string_elem(setting, i);
		if (!item) {
			config_value_done(&own, &read);
			return wrong_type(reader, setting, key);
		}
		config_strings_add(&read, item);
	}
	config_value_done(key, base);
	memcpy((char *)base + key->offset, &read, sizeof(read));
	return 0;
}

static int read_value(struct reader *reader, const config_setting_t *setting,
	const struct config_key *key, void *base)
{
	if (key->type == CONFIG_STRINGS &&
		(config_setting_is_array(setting) || config_setting_is_list(setting)))
		return read_strings(reader, setting, key, base);
	if (!type_fits(key->type, setting))
		return wrong_type(reader, setting, key);
	auto_free char *text = scalar_text(setting);
	struct err why;
	int r = config_value_set(key, base, text, &why);
	if (r < 0)
		return fail(reader, setting, r, "%s: %s", key->name, why.text);
	return 0;
}

static int read_section(struct reader *reader, const config_setting_t *group)
{
	const char *section = config_setting_name(group);
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++) {
		const config_setting_t *setting = elem(group, i);
		void *base;
		const struct config_key *key = find_key(
			reader->config, section, config_setting_name(setting), &base);
		r = key ? read_value(reader, setting, key, base)
			: unknown_key(reader, setting, section);
	}
	return r;
}

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
	return unknown(reader, setting, "of a guest", near.best);
}

static int read_match(
	struct reader *reader, const config_setting_t *setting, struct guest_rule *rule)
{
	const char *match = config_setting_get_string(setting);
	if (!match || !*match)
		return fail(reader, setting, -EINVAL,
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
	return read_value(reader, setting, &guest_keys[row], &rule->values);
}

static int read_rule(struct reader *reader, const config_setting_t *group)
{
	if (!config_setting_is_group(group))
		return fail(reader, group, -EINVAL,
			"guests: expected { match = \"…\"; … } for each entry");
	struct config *config = reader->config;
	config->rules =
		mem_resize(config->rules, config->rule_count + 1, sizeof(*config->rules));
	struct guest_rule *rule = &config->rules[config->rule_count++];
	*rule = (struct guest_rule){0};
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++)
		r = read_rule_key(reader, elem(group, i), rule);
	if (r == 0 && !rule->match)
		return fail(reader, group, -EINVAL,
			"guests: this entry has no match; expected a pattern such as "
			"match = \"*\"");
	return r;
}

static int read_guests(struct reader *reader, const config_setting_t *list)
{
	if (!config_setting_is_list(list))
		return fail(reader, list, -EINVAL,
			"guests: expected a list, ( { match = \"…\"; … }, … )");
	int r = 0;
	for (int i = 0; i < config_setting_length(list) && r == 0; i++)
		r = read_rule(reader, elem(list, i));
	return r;
}

static int read_tunable(struct reader *reader, const config_setting_t *setting)
{
	struct config *config = reader->config;
	char *text = scalar_text(setting);
	if (!text)
		return fail(reader, setting, -EINVAL,
			"tunable '%s': expected a number, true, false or text in quotes",
			config_setting_name(setting));
	config->tunables = mem_resize(
		config->tunables, config->tunable_count + 1, sizeof(*config->tunables));
	config->tunables[config->tunable_count++] = (struct tunable){
		.name = mem_dup(config_setting_name(setting)),
		.text = text,
		.number = config_setting_is_number(setting),
		.quoted = config_setting_type(setting) == CONFIG_TYPE_STRING,
		.where = where(reader, setting),
	};
	return 0;
}

static int read_tunables(struct reader *reader, const config_setting_t *group)
{
	if (!config_setting_is_group(group))
		return fail(reader, group, -EINVAL,
			"tunables: expected a group, { name = value; … }");
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++)
		r = read_tunable(reader, elem(group, i));
	return r;
}

static int read_top(struct reader *reader, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	void *base;
	if (strcmp(name, "guests") == 0)
		return read_guests(reader, setting);
	if (strcmp(name, "tunables") == 0)
		return read_tunables(reader, setting);
	const struct config_key *key = find_key(reader->config, "", name, &base);
	if (key)
		return read_value(reader, setting, key, base);
	if (!section_is_known(reader->config, name))
		return unknown_at_top(reader, setting);
	if (!config_setting_is_group(setting))
		return fail(reader, setting, -EINVAL,
			"%s: is a section; expected %s = { key = value; … }", name, name);
	return read_section(reader, setting);
}

int config_read_tree(
	struct config *config, const config_t *tree, const char *path, struct err *err)
{
	struct reader reader = {path, config, err};
	const config_setting_t *root = config_root_setting(tree);
	int r = 0;
	for (int i = 0; i < config_setting_length(root) && r == 0; i++)
		r = read_top(&reader, elem(root, i));
	return r;
}
