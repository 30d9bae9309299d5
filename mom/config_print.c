/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config.h"

#include <inttypes.h>
#include <string.h>

#include "mom/config_value.h"
#include "mom/mem.h"
#include "mom/units.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Exactly, in the largest unit that has no remainder: units.h rounds for people. */
static void print_whole(uint64_t value, const struct unit *units, FILE *out)
{
	const struct unit *unit = units;
	while (unit->factor > 1 && (value == 0 || value % unit->factor))
		unit++;
	fprintf(out, "%" PRIu64 "%s", value / unit->factor, unit->name);
}

static void print_size(uint64_t kib, FILE *out)
{
	static const struct unit units[] = {{"TiB", KIB_PER_GIB * 1024},
		{"GiB", KIB_PER_GIB}, {"MiB", KIB_PER_MIB}, {"KiB", 1}};
	print_whole(kib, units, out);
}

static void print_duration(uint64_t ms, FILE *out)
{
	static const struct unit units[] = {{"d", 86400 * 1000}, {"h", 3600 * 1000},
		{"min", 60 * 1000}, {"s", 1000}, {"ms", 1}};
	print_whole(ms, units, out);
}

static void print_floor(const struct memory_floor *floor, FILE *out)
{
	if (floor->ratio > 0)
		fprintf(out, "%.10g%%", floor->ratio * 100);
	if (floor->ratio > 0 && floor->kib)
		fputs(", ", out);
	if (floor->kib || floor->ratio <= 0)
		print_size(floor->kib, out);
}

/* Text in quotes, as libconfig reads it back. */
static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static void print_strings(const struct config_strings *strings, FILE *out)
{
	fputs("[ ", out);
	for (size_t i = 0; i < strings->count; i++) {
		fputs(i ? ", " : "", out);
		print_quoted(strings->items[i], out);
	}
	fputs(strings->count ? " ]" : "]", out);
}

static void print_choice(const char *choices, int index, FILE *out)
{
	while (index-- > 0)
		choices = strchr(choices, '|') + 1;
	fprintf(out, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void print_budget(const struct config_budget *budget, FILE *out)
{
	if (budget->kind == BUDGET_CGROUP)
		fprintf(out, "cgroup:%s", budget->cgroup);
	else if (budget->kind == BUDGET_SIZE)
		print_size(budget->kib, out);
	else
		fputs("auto", out);
}

static void print_auto_size(const struct config_auto_size *size, FILE *out)
{
	if (size->automatic)
		fputs("auto", out);
	else
		print_size(size->kib, out);
}

/* What will stand between the quotes. */
static void print_bare(const struct config_key *key, const void *value, FILE *out)
{
	if (config_value_is_text(key->type))
		fputs(*(char *const *)value, out);
	else if (key->type == CONFIG_SIZE)
		print_size(*(const uint64_t *)value, out);
	else if (key->type == CONFIG_DURATION)
		print_duration(*(const uint64_t *)value, out);
	else if (key->type == CONFIG_RATIO)
		fprintf(out, "%.10g%%", *(const double *)value * 100);
	else if (key->type == CONFIG_BUDGET)
		print_budget(value, out);
	else if (key->type == CONFIG_AUTO_SIZE)
		print_auto_size(value, out);
	else if (key->type == CONFIG_CHOICE)
		print_choice(key->choices, *(const int *)value, out);
	else
		print_floor(value, out);
}

static void print_value(const struct config_key *key, const void *base, FILE *out)
{
	const void *value = (const char *)base + key->offset;
	if (key->type == CONFIG_BOOL) {
		fputs(*(const bool *)value ? "true" : "false", out);
	} else if (key->type == CONFIG_COUNT) {
		fprintf(out, "%" PRIu64, *(const uint64_t *)value);
	} else if (key->type == CONFIG_STRINGS) {
		print_strings(value, out);
	} else {
		auto_free char *text = NULL;
		size_t length;
		FILE *bare = open_memstream(&text, &length);
		if (!bare)
			abort();
		print_bare(key, value, bare);
		fclose(bare);
		print_quoted(text, out);
	}
}

/* Every key of one section, whichever table brings it; the file's own keys are in "". */
static void print_keys(const struct config *config, const char *section, FILE *out)
{
	const char *indent = *section ? "\t" : "";
	const struct config_key *key;
	const void *base;
	for (size_t i = 0; (key = config_table(config, i, &base)); i++) {
		for (; key->name; key++) {
			if (strcmp(key->section, section) != 0)
				continue;
			fprintf(out, "%s# %s\n%s%s = ", indent, key->help, indent,
				key->name);
			print_value(key, base, out);
			fputs(";\n", out);
		}
	}
}

static bool printed_before(
	const struct config *config, size_t table, const struct config_key *until)
{
	const struct config_key *key;
	const void *base;
	for (size_t i = 0; i <= table && (key = config_table(config, i, &base)); i++)
		for (; key->name && key != until; key++)
			if (strcmp(key->section, until->section) == 0)
				return true;
	return false;
}

static void print_section(const struct config *config, const char *section, FILE *out)
{
	if (!*section) {
		print_keys(config, section, out);
		return;
	}
	fprintf(out, "\n%s = {\n", section);
	print_keys(config, section, out);
	fputs("};\n", out);
}

static void print_tunables(const struct config *config, FILE *out)
{
	if (!config->tunable_count)
		return;
	fputs("\ntunables = {\n", out);
	for (size_t i = 0; i < config->tunable_count; i++) {
		const struct tunable *tunable = &config->tunables[i];
		fprintf(out, "\t%s = ", tunable->name);
		if (tunable->quoted)
			print_quoted(tunable->text, out);
		else
			fputs(tunable->text, out);
		fputs(";\n", out);
	}
	fputs("};\n", out);
}

static void print_rule(const struct guest_rule *rule, bool help, FILE *out)
{
	fputs("\t{\n\t\tmatch = ", out);
	print_quoted(rule->match, out);
	fputs(";\n", out);
	for (size_t i = 0; guest_keys[i].name; i++) {
		if (!(rule->given & 1u << i))
			continue;
		if (help)
			fprintf(out, "\t\t# %s\n", guest_keys[i].help);
		fprintf(out, "\t\t%s = ", guest_keys[i].name);
		print_value(&guest_keys[i], &rule->values, out);
		fputs(";\n", out);
	}
	fputs("\t}", out);
}

/* The rules, and last what holds where none of them says anything. */
static void print_guests(const struct config *config, FILE *out)
{
	fputs("\nguests = (\n", out);
	for (size_t i = 0; i < config->rule_count; i++) {
		print_rule(&config->rules[i], false, out);
		fputs(",\n", out);
	}
	char everyone[] = "*";
	struct guest_rule rest = {.match = everyone, .given = UINT32_MAX};
	guest_settings_init(&rest.values);
	print_rule(&rest, true, out);
	fputs("\n);\n", out);
}

void config_print(const struct config *config, FILE *out)
{
	const struct config_key *key;
	const void *base;
	for (size_t i = 0; (key = config_table(config, i, &base)); i++)
		for (; key->name; key++)
			if (!printed_before(config, i, key))
				print_section(config, key->section, out);
	print_tunables(config, out);
	print_guests(config, out);
}
