/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/words.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/near.h"
#include "mom/units.h"
#include "sim/guest.h"

#define MOST_COUNT 9007199254740992.0 /* whole numbers are exact up to there */

static int set_fault(const char *text, enum guest_fault *fault, struct err *err)
{
	static const char *const names[] = {
		[FAULT_NONE] = "none",
		[FAULT_NO_DEVICE] = "nodevice",
		[FAULT_NO_DRIVER] = "nodriver",
		[FAULT_NO_SERVICE] = "noservice",
		[FAULT_STUCK] = "stuck",
		[FAULT_FIXED] = "fixed",
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*fault = (enum guest_fault)i;
		return 0;
	}
	return err_set(err, -EINVAL,
		"\"%s\" is no fault; expected nodevice, nodriver, noservice, stuck or "
		"fixed",
		text);
}

static int set_number(const char *text, double *number, struct err *err)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value) || value < 0)
		return err_set(err, -EINVAL, "\"%s\" is no number of 0 or more", text);
	*number = value;
	return 0;
}

static int set_count(const char *text, double *number, struct err *err)
{
	int r = set_number(text, number, err);
	if (r == 0 && (*number != floor(*number) || *number > MOST_COUNT))
		return err_set(err, -EINVAL, "\"%s\" is no whole number", text);
	return r;
}

static int set_kib(const char *text, double *kib, struct err *err)
{
	uint64_t whole = 0;
	int r = strcmp(text, "0") ? units_parse_size(text, &whole, err) : 0;
	if (r == 0)
		*kib = (double)whole;
	return r;
}

static int set_ms(const char *text, double *ms, struct err *err)
{
	uint64_t whole = 0;
	int r = strcmp(text, "0") ? units_parse_duration(text, &whole, err) : 0;
	if (r == 0)
		*ms = (double)whole;
	return r;
}

static int set_rate(const char *text, double *rate, struct err *err)
{
	size_t length = strlen(text);
	if (length < 3 || strcmp(text + length - 2, "/s") != 0)
		return err_set(err, -EINVAL,
			"\"%s\" is no rate; expected a size and /s, as in \"1GiB/s\"",
			text);
	auto_free char *size = mem_ndup(text, length - 2);
	int r = set_kib(size, rate, err);
	return r == 0 && *rate <= 0 ? err_set(err, -EINVAL, "\"%s\" is no pace", text)
				    : r;
}

static int set_yes(const char *text, bool *value, struct err *err)
{
	bool yes = strcmp(text, "yes") == 0;
	if (!yes && strcmp(text, "no") != 0)
		return err_set(err, -EINVAL, "\"%s\" is neither yes nor no", text);
	*value = yes;
	return 0;
}

static int set_ratio(const char *text, double *ratio, struct err *err)
{
	int r = units_parse_ratio(text, ratio, err);
	return r == 0 && *ratio > 1
		       ? err_set(err, -EINVAL, "\"%s\" is more than the whole", text)
		       : r;
}

int word_set(enum word_type type, const char *text, void *value, struct err *err)
{
	double number = 0;
	int r = 0;
	switch (type) {
	case WORD_SIZE:
		r = set_kib(text, &number, err);
		break;
	case WORD_TIME:
		r = set_ms(text, &number, err);
		break;
	case WORD_COUNT:
		r = set_count(text, &number, err);
		break;
	case WORD_KIB:
		return set_kib(text, value, err);
	case WORD_MS:
		return set_ms(text, value, err);
	case WORD_RATE:
		return set_rate(text, value, err);
	case WORD_RATIO:
		return set_ratio(text, value, err);
	case WORD_NUMBER:
		return set_number(text, value, err);
	case WORD_YES:
		return set_yes(text, value, err);
	case WORD_FAULT:
		return set_fault(text, value, err);
	case WORD_TEXT:
		*(const char **)value = text;
		return 0;
	}
	if (r == 0)
		*(uint64_t *)value = (uint64_t)number;
	return r;
}

int word_assign(const struct word_key *keys, char *word, void *base, struct err *err)
{
	char *equals = strchr(word, '=');
	if (!equals)
		return err_set(err, -EINVAL, "\"%s\" is not KEY=VALUE", word);
	*equals = '\0';
	struct near near = {.word = word};
	for (const struct word_key *key = keys; key->name; key++) {
		near_try(&near, key->name);
		if (strcmp(key->name, word) != 0)
			continue;
		int r = word_set(key->type, equals + 1, (char *)base + key->offset, err);
		return r < 0 ? err_prefix(err, "%s", word) : 0;
	}
	return err_set(err, -ENOENT, "unknown key \"%s\"%s%s%s", word,
		near.best ? "; did you mean \"" : "", near.best ? near.best : "",
		near.best ? "\"?" : "");
}
