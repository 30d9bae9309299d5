/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "mom/config_metadata.h"
#include "mom/config_value.h"
#include "mom/mem.h"
#include "mom/near.h"
#include "mom/units.h"

#define VALUE_MAX 64 /* no value that makes sense is longer */

void guest_settings_init(struct guest_settings *settings)
{
	*settings = (struct guest_settings){0};
	for (const struct config_key *key = guest_keys; key->name; key++)
		if (config_value_set(key, settings, key->fallback, NULL) < 0)
			abort();
}

static const struct config_key *find_key(const char *name, struct near *near)
{
	*near = (struct near){.word = name};
	for (const struct config_key *key = guest_keys; key->name; key++) {
		if (strcmp(key->name, name) == 0)
			return key;
		near_try(near, key->name);
	}
	return NULL;
}

/* Text from a guest's metadata or a client ends in log lines: no line breaks, no novels.
 */
static bool fit_to_show(const char *text)
{
	size_t length = strnlen(text, VALUE_MAX + 1);
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	return length <= VALUE_MAX;
}

static int unknown_key(const char *name, const struct near *near, struct err *err)
{
	if (!fit_to_show(name))
		return err_set(err, -ENOENT, "a key with such a name is unknown");
	if (near->best)
		return err_set(err, -ENOENT, "unknown key '%s'; did you mean '%s'?", name,
			near->best);
	return err_set(err, -ENOENT,
		"unknown key '%s'; expected manage, min, max, shares, buffer or "
		"boot_grace",
		name);
}

int guest_settings_set(struct guest_settings *settings, const char *key,
	const char *value, struct err *err)
{
	struct near near;
	struct err why;
	const struct config_key *row = find_key(key, &near);
	if (!row)
		return unknown_key(key, &near, err);
	if (!fit_to_show(value))
		return err_set(err, -EINVAL,
			"%s: the value has line breaks or is too long; expected %s", key,
			config_value_expected(row->type));
	int r = config_value_set(row, settings, value, &why);
	if (r < 0)
		return err_set(err, r, "%s: %s", key, why.text);
	if (row->offset == offsetof(struct guest_settings, min))
		settings->min_ceiling_kib = 0;
	return 0;
}

static bool rule_matches(
	const struct guest_rule *rule, const char *name, const char *uuid)
{
	if (uuid && strcasecmp(rule->match, uuid) == 0)
		return true;
	return name && fnmatch(rule->match, name, 0) == 0;
}

static void apply_rules(const struct config *config, const char *name, const char *uuid,
	struct guest_settings *settings)
{
	uint32_t given = 0;
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct guest_rule *rule = &config->rules[i];
		if (!rule_matches(rule, name, uuid))
			continue;
		for (size_t row = 0; guest_keys[row].name; row++)
			if (rule->given & ~given & 1u << row)
				config_value_copy(
					&guest_keys[row], settings, &rule->values);
		given |= rule->given;
	}
}

/* Take back what is more than the file allows; a key that wasn't brought is 0. */
static void apply_ceilings(const struct metadata_ceilings *ceilings,
	struct guest_settings *brought, struct err *told)
{
	char text[SIZE_TEXT_MAX];
	if (brought->min.kib > ceilings->min_kib) {
		brought->min.kib = ceilings->min_kib;
		err_also(told, -ERANGE, "min is more than it may ask for; %s counts",
			units_format_size(text, brought->min.kib));
	}
	if (brought->shares > ceilings->shares) {
		brought->shares = ceilings->shares;
		err_also(told, -ERANGE, "shares are more than it may ask for; %llu count",
			(unsigned long long)brought->shares);
	}
	if (brought->buffer_ratio > ceilings->buffer_ratio) {
		brought->buffer_ratio = ceilings->buffer_ratio;
		err_also(told, -ERANGE,
			"buffer is more than it may ask for; %.4g%% counts",
			brought->buffer_ratio * 100);
	}
	if (brought->boot_grace_ms > ceilings->boot_grace_ms) {
		brought->boot_grace_ms = ceilings->boot_grace_ms;
		err_also(told, -ERANGE,
			"boot_grace is more than it may ask for; %s counts",
			units_format_duration(text, brought->boot_grace_ms));
	}
	brought->min_ceiling_kib = ceilings->min_kib;
}

static void apply_metadata(const struct metadata_ceilings *ceilings, const char *metadata,
	struct guest_settings *settings, struct err *told)
{
	struct guest_rule brought = {0};
	config_metadata_read(&brought, metadata, told);
	apply_ceilings(ceilings, &brought.values, told);
	for (size_t row = 0; guest_keys[row].name; row++) {
		const struct config_key *key = &guest_keys[row];
		if (!(brought.given & 1u << row))
			continue;
		if (key->offset == offsetof(struct guest_settings, manage) &&
			!brought.values.manage && !ceilings->opt_out) {
			err_also(told, -ERANGE, "manage=\"no\" isn't allowed here");
			continue;
		}
		if (key->offset == offsetof(struct guest_settings, min))
			settings->min_ceiling_kib = brought.values.min_ceiling_kib;
		config_value_copy(key, settings, &brought.values);
	}
}

/* A floor above the limit costs nobody the whole guest: the limit counts for both. */
static void reconcile(struct guest_settings *settings, struct err *told)
{
	char min[SIZE_TEXT_MAX], max[SIZE_TEXT_MAX];
	if (!settings->max_kib || settings->min.kib <= settings->max_kib)
		return;
	err_also(told, -ERANGE, "min %s is more than max %s; the max counts for both",
		units_format_size(min, settings->min.kib),
		units_format_size(max, settings->max_kib));
	settings->min.kib = settings->max_kib;
}

int config_guest(const struct config *config, const char *name, const char *uuid,
	const char *metadata, struct guest_settings *settings, struct err *err)
{
	struct err told = {0};
	guest_settings_init(settings);
	apply_rules(config, name, uuid, settings);
	if (metadata && config->metadata.allow)
		apply_metadata(&config->metadata, metadata, settings, &told);
	reconcile(settings, &told);
	if (told.code && err)
		*err = told;
	return told.code;
}

static const struct guest_rule *deciding_rule(
	const struct config *config, const char *name, const char *uuid, size_t row)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct guest_rule *rule = &config->rules[i];
		if (rule->given & 1u << row && rule_matches(rule, name, uuid))
			return rule;
	}
	return NULL;
}

char *config_guest_origin(const struct config *config, const char *name, const char *uuid,
	const char *metadata, const char *key)
{
	size_t row = 0;
	while (guest_keys[row].name && strcmp(guest_keys[row].name, key) != 0)
		row++;
	struct guest_rule brought = {0};
	struct err ignored = {0};
	if (metadata && config->metadata.allow)
		config_metadata_read(&brought, metadata, &ignored);
	if (brought.given & 1u << row)
		return mem_dup("metadata");
	const struct guest_rule *rule = deciding_rule(config, name, uuid, row);
	return rule ? mem_printf("guests \"%s\"", rule->match) : mem_dup("default");
}
