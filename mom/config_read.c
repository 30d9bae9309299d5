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

const config_setting_t *reader_elem(const config_setting_t *setting, int index)
{
	return config_setting_get_elem(setting, (unsigned)index);
}

char *reader_where(const struct reader *reader, const config_setting_t *setting)
{
	const char *file = config_setting_source_file(setting);
	return mem_printf("%s:%u", file ? file : reader->path,
		(unsigned)config_setting_source_line(setting));
}

__attribute__((format(printf, 4, 5))) int reader_fail(struct reader *reader,
	const config_setting_t *setting, int code, const char *format, ...)
{
	auto_free char *place = reader_where(reader, setting);
	va_list args;
	va_start(args, format);
	auto_free char *text = mem_vprintf(format, args);
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

int reader_unknown(struct reader *reader, const config_setting_t *setting,
	const char *place, const char *best)
{
	const char *name = config_setting_name(setting);
	if (best)
		return reader_fail(reader, setting, -EINVAL,
			"unknown key '%s' %s; did you mean '%s'?", name, place, best);
	return reader_fail(reader, setting, -EINVAL,
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
	return reader_unknown(reader, setting, place, near.best);
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
	return reader_unknown(reader, setting, "at the top", near.best);
}

/* As few digits as give the same number back. */
static char *float_text(double number)
{
	char *text = mem_printf("%.15g", number);
	if (strtod(text, NULL) >= number && strtod(text, NULL) <= number)
		return text;
	free(text);
	return mem_printf("%.17g", number);
}

char *reader_text(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_BOOL:
		return mem_dup(config_setting_get_bool(setting) ? "true" : "false");
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return mem_printf("%lld", config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		return float_text(config_setting_get_float(setting));
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

static bool wants_unit(enum config_type type)
{
	return type == CONFIG_SIZE || type == CONFIG_DURATION ||
	       type == CONFIG_AUTO_SIZE || type == CONFIG_BUDGET;
}

static int explain_type(
	const config_setting_t *setting, const struct config_key *key, struct err *err)
{
	const char *expected =
		key->choices ? key->choices : config_value_expected(key->type);
	if (!config_setting_is_number(setting) || !wants_unit(key->type))
		return err_set(err, -EINVAL,
			"this kind of value doesn't fit; expected %s", expected);
	auto_free char *text = reader_text(setting);
	return err_set(err, -EINVAL, "%s has no unit; expected %s", text, expected);
}

static int take_strings(const config_setting_t *setting, const struct config_key *key,
	void *base, struct err *err)
{
	struct config_strings strings = {0};
	for (int i = 0; i < config_setting_length(setting); i++) {
		const char *item = config_setting_get_string_elem(setting, i);
		if (!item) {
			config_strings_done(&strings);
			return explain_type(setting, key, err);
		}
		config_strings_add(&strings, item);
	}
	config_value_done(key, base);
	memcpy((char *)base + key->offset, &strings, sizeof(strings));
	return 0;
}

static int take_value(const config_setting_t *setting, const struct config_key *key,
	void *base, struct err *err)
{
	if (key->type == CONFIG_STRINGS &&
		(config_setting_is_array(setting) || config_setting_is_list(setting)))
		return take_strings(setting, key, base, err);
	if (!type_fits(key->type, setting))
		return explain_type(setting, key, err);
	auto_free char *text = reader_text(setting);
	return config_value_set(key, base, text, err);
}

int reader_value(struct reader *reader, const config_setting_t *setting,
	const struct config_key *key, void *base)
{
	struct err why;
	int r = take_value(setting, key, base, &why);
	if (r == 0)
		return 0;
	return reader_fail(reader, setting, r, "%s%s%s: %s", key->section,
		*key->section ? "." : "", key->name, why.text);
}

static int read_section(struct reader *reader, const config_setting_t *group)
{
	const char *section = config_setting_name(group);
	int r = 0;
	for (int i = 0; i < config_setting_length(group) && r == 0; i++) {
		const config_setting_t *setting = reader_elem(group, i);
		void *base;
		const struct config_key *key = find_key(
			reader->config, section, config_setting_name(setting), &base);
		r = key ? reader_value(reader, setting, key, base)
			: unknown_key(reader, setting, section);
	}
	return r;
}

static int read_top(struct reader *reader, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	void *base;
	if (strcmp(name, "guests") == 0)
		return reader_guests(reader, setting);
	if (strcmp(name, "tunables") == 0)
		return reader_tunables(reader, setting);
	const struct config_key *key = find_key(reader->config, "", name, &base);
	if (key)
		return reader_value(reader, setting, key, base);
	if (!section_is_known(reader->config, name))
		return unknown_at_top(reader, setting);
	if (!config_setting_is_group(setting))
		return reader_fail(reader, setting, -EINVAL,
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
		r = read_top(&reader, reader_elem(root, i));
	return r;
}
