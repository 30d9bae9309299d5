/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_value.h"

#include <errno.h>
#include <string.h>

#include "mom/config_place.h"
#include "mom/loopback.h"
#include "mom/mem.h"
#include "mom/units.h"

#define CGROUP_PREFIX "cgroup:"

static void *at(const struct config_key *key, void *base)
{
	return (char *)base + key->offset;
}

const char *config_value_expected(enum config_type type)
{
	static const char *const phrases[] = {
		[CONFIG_BOOL] = "true or false",
		[CONFIG_SIZE] = "a size with its unit, such as \"800MiB\"",
		[CONFIG_DURATION] = "a duration with its unit, such as \"500ms\"",
		[CONFIG_RATIO] = "a part of a whole, such as \"20%\"",
		[CONFIG_COUNT] = "a whole number",
		[CONFIG_STRING] = "text in quotes",
		[CONFIG_URI] = "a URI in quotes, such as \"qemu:///system\"",
		[CONFIG_LISTEN] = LOOPBACK_EXPECTED,
		[CONFIG_SOCKET] = "the path of a Unix socket in quotes",
		[CONFIG_PROGRAM] = "the absolute path of a program, in quotes",
		[CONFIG_STRINGS] = "a list of texts, such as [ \"one\", \"two\" ]",
		[CONFIG_BUDGET] = "\"auto\", a size with its unit, or \"cgroup:PATH\"",
		[CONFIG_AUTO_SIZE] = "\"auto\" or a size with its unit, such as \"2GiB\"",
		[CONFIG_CHOICE] = "one of the words it knows, in quotes",
		[CONFIG_FLOOR] = "a size, a part, or both, as in \"25%, 256MiB\"",
	};
	return phrases[type];
}

bool config_value_is_text(enum config_type type)
{
	return type == CONFIG_STRING || config_place_is(type);
}

static int parse_bool(const char *text, bool *value, struct err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*value = i % 2;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "\"%s\" is neither true nor false", text);
}

static int parse_count(const char *text, uint64_t *value, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 15 || text[digits])
		return err_set(err, -EINVAL, "\"%s\" is not a whole number", text);
	*value = strtoull(text, NULL, 10);
	return 0;
}

/* Sizes, durations and counts stay below 2^53, so a double holds any of them exactly. */
static int parse_number(
	enum config_type type, const char *text, double *number, struct err *err)
{
	uint64_t whole = 0;
	int r;
	if (type == CONFIG_RATIO)
		return units_parse_ratio(text, number, err);
	if (type == CONFIG_SIZE)
		r = units_parse_size(text, &whole, err);
	else if (type == CONFIG_DURATION)
		r = units_parse_duration(text, &whole, err);
	else
		r = parse_count(text, &whole, err);
	*number = (double)whole;
	return r;
}

/* Is `number` on the right side of a bound of the table (`sign` 1: not below it)? */
static bool within(enum config_type type, const char *bound, double number, int sign)
{
	double limit;
	if (!bound || parse_number(type, bound, &limit, NULL) < 0)
		return true;
	return (number - limit) * sign >= 0;
}

static int out_of_bounds(const struct config_key *key, const char *text, struct err *err)
{
	if (key->low && key->high)
		return err_set(err, -ERANGE, "\"%s\" is out of bounds; expected %s to %s",
			text, key->low, key->high);
	return err_set(err, -ERANGE, "\"%s\" is out of bounds; expected at %s %s", text,
		key->low ? "least" : "most", key->low ? key->low : key->high);
}

static int set_number(
	const struct config_key *key, void *value, const char *text, struct err *err)
{
	double number;
	int r = parse_number(key->type, text, &number, err);
	if (r < 0)
		return r;
	if (!within(key->type, key->low, number, 1) ||
		!within(key->type, key->high, number, -1))
		return out_of_bounds(key, text, err);
	if (key->type == CONFIG_RATIO)
		*(double *)value = number;
	else
		*(uint64_t *)value = (uint64_t)number;
	return 0;
}

static int set_budget(struct config_budget *budget, const char *text, struct err *err)
{
	struct config_budget read = {.kind = BUDGET_AUTO};
	if (strncmp(text, CGROUP_PREFIX, strlen(CGROUP_PREFIX)) == 0) {
		const char *path = text + strlen(CGROUP_PREFIX);
		if (*path != '/')
			return err_set(err, -EINVAL,
				"\"%s\" names no cgroup; expected its path below the "
				"memory hierarchy, as in \"cgroup:/machine.slice\"",
				text);
		read = (struct config_budget){BUDGET_CGROUP, 0, mem_dup(path)};
	} else if (strcmp(text, "auto") != 0) {
		int r = units_parse_size(text, &read.kib, err);
		if (r < 0)
			return r;
		read.kind = BUDGET_SIZE;
	}
	free(budget->cgroup);
	*budget = read;
	return 0;
}

static int set_auto_size(
	struct config_auto_size *value, const char *text, struct err *err)
{
	struct config_auto_size read = {.automatic = strcmp(text, "auto") == 0};
	if (!read.automatic) {
		int r = units_parse_size(text, &read.kib, err);
		if (r < 0)
			return r;
	}
	*value = read;
	return 0;
}

static int set_choice(
	const struct config_key *key, int *value, const char *text, struct err *err)
{
	int index = 0;
	for (const char *word = key->choices; *word; index++) {
		size_t length = strcspn(word, "|");
		if (strlen(text) == length && strncmp(text, word, length) == 0) {
			*value = index;
			return 0;
		}
		word += length + (word[length] == '|');
	}
	return err_set(
		err, -EINVAL, "\"%s\" is unknown; expected %s", text, key->choices);
}

/* One half of a floor: "25%", "0.25" or "256MiB". */
static int add_floor(struct memory_floor *floor, const char *text, struct err *err)
{
	bool size = strpbrk(text, "bBkKmMgGtT");
	if (size)
		return units_parse_size(text, &floor->kib, err);
	int r = units_parse_ratio(text, &floor->ratio, NULL);
	if (r < 0)
		return err_set(err, r, "\"%s\" is not one; expected %s", text,
			config_value_expected(CONFIG_FLOOR));
	if (floor->ratio > 1)
		return err_set(err, -ERANGE,
			"\"%s\" is more than the whole, and a size needs a unit; "
			"expected %s",
			text, config_value_expected(CONFIG_FLOOR));
	return 0;
}

static int set_floor(struct memory_floor *floor, const char *text, struct err *err)
{
	struct memory_floor read = {0};
	auto_free char *first = mem_dup(text);
	char *second = strchr(first, ',');
	if (second)
		*second++ = '\0';
	int r = add_floor(&read, first, err);
	if (r == 0 && second)
		r = add_floor(&read, second, err);
	if (r < 0)
		return r;
	*floor = read;
	return 0;
}

void config_strings_add(struct config_strings *strings, const char *item)
{
	strings->items =
		mem_resize(strings->items, strings->count + 1, sizeof(*strings->items));
	strings->items[strings->count++] = mem_dup(item);
}

void config_strings_done(struct config_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct config_strings){0};
}

static void set_strings(struct config_strings *strings, const char *text)
{
	config_strings_done(strings);
	while (*(text += strspn(text, ", "))) {
		size_t length = strcspn(text, ", ");
		auto_free char *item = mem_ndup(text, length);
		config_strings_add(strings, item);
		text += length;
	}
}

int config_value_set(
	const struct config_key *key, void *base, const char *text, struct err *err)
{
	void *value = at(key, base);
	if (config_place_is(key->type))
		return config_place_set(key->type, value, text, err);
	switch (key->type) {
	case CONFIG_BOOL:
		return parse_bool(text, value, err);
	case CONFIG_STRING:
		mem_replace(value, text);
		return 0;
	case CONFIG_STRINGS:
		set_strings(value, text);
		return 0;
	case CONFIG_BUDGET:
		return set_budget(value, text, err);
	case CONFIG_AUTO_SIZE:
		return set_auto_size(value, text, err);
	case CONFIG_CHOICE:
		return set_choice(key, value, text, err);
	case CONFIG_FLOOR:
		return set_floor(value, text, err);
	default:
		return set_number(key, value, text, err);
	}
}

/* How much of memory a plain value takes; 0 where it owns some elsewhere. */
static size_t plain_size(enum config_type type)
{
	static const size_t sizes[] = {
		[CONFIG_BOOL] = sizeof(bool),
		[CONFIG_SIZE] = sizeof(uint64_t),
		[CONFIG_DURATION] = sizeof(uint64_t),
		[CONFIG_RATIO] = sizeof(double),
		[CONFIG_COUNT] = sizeof(uint64_t),
		[CONFIG_STRING] = 0,
		[CONFIG_URI] = 0,
		[CONFIG_LISTEN] = 0,
		[CONFIG_SOCKET] = 0,
		[CONFIG_PROGRAM] = 0,
		[CONFIG_STRINGS] = 0,
		[CONFIG_BUDGET] = 0,
		[CONFIG_AUTO_SIZE] = sizeof(struct config_auto_size),
		[CONFIG_CHOICE] = sizeof(int),
		[CONFIG_FLOOR] = sizeof(struct memory_floor),
	};
	return sizes[type];
}

void config_value_copy(const struct config_key *key, void *to, const void *from)
{
	memcpy(at(key, to), (const char *)from + key->offset, plain_size(key->type));
}

void config_value_done(const struct config_key *key, void *base)
{
	void *value = at(key, base);
	if (config_value_is_text(key->type))
		mem_replace(value, NULL);
	else if (key->type == CONFIG_STRINGS)
		config_strings_done(value);
	else if (key->type == CONFIG_BUDGET)
		mem_replace(&((struct config_budget *)value)->cgroup, NULL);
}
