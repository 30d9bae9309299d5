/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mom/mem.h"

#define LARGEST 9007199254740992.0 /* 2^53: exact in a double and far above any host */

struct unit {
	const char *name;
	double factor;
	bool exact_case;
};

static const struct unit size_units[] = {
	{"kB", 1000.0 / 1024, true},
	{"KB", 1000.0 / 1024, true},
	{"MB", 1e6 / 1024, true},
	{"GB", 1e9 / 1024, true},
	{"TB", 1e12 / 1024, true},
	{"B", 1.0 / 1024, false},
	{"K", 1, false},
	{"KiB", 1, false},
	{"M", 1024.0, false},
	{"MiB", 1024.0, false},
	{"G", 1024.0 * 1024, false},
	{"GiB", 1024.0 * 1024, false},
	{"T", 1024.0 * 1024 * 1024, false},
	{"TiB", 1024.0 * 1024 * 1024, false},
};

static const struct unit duration_units[] = {
	{"ms", 1, true},
	{"s", 1000, true},
	{"sec", 1000, true},
	{"min", 60 * 1000, true},
	{"h", 3600 * 1000, true},
	{"d", 86400 * 1000, true},
};

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* A plain decimal number; strtod alone would also take "inf", "nan" and hexadecimal. */
static bool read_number(const char **text, double *number)
{
	const char *start = skip_blanks(*text);
	if (!isdigit((unsigned char)*start) && *start != '.')
		return false;
	size_t length = strspn(start, "0123456789.");
	char digits[40];
	if (length >= sizeof(digits))
		return false;
	memcpy(digits, start, length);
	digits[length] = '\0';
	char *end;
	*number = strtod(digits, &end);
	if (end == digits || *end)
		return false;
	*text = start + length;
	return true;
}

static const struct unit *read_unit(
	const char **text, const struct unit *units, size_t count)
{
	const char *start = skip_blanks(*text);
	size_t length = 0;
	while (isalpha((unsigned char)start[length]))
		length++;
	for (size_t i = 0; i < count; i++) {
		const struct unit *unit = &units[i];
		if (strlen(unit->name) != length)
			continue;
		int differs = unit->exact_case ? strncmp(unit->name, start, length)
					       : strncasecmp(unit->name, start, length);
		if (!differs) {
			*text = start + length;
			return unit;
		}
	}
	return NULL;
}

int units_parse_size(const char *text, uint64_t *kib, struct err *err)
{
	const char *rest = text;
	double number;
	if (!read_number(&rest, &number))
		return err_set(err, -EINVAL,
			"\"%s\" is not a size; expected one like \"800MiB\"", text);
	const struct unit *unit = read_unit(&rest, size_units, ARRAY_SIZE(size_units));
	if (!unit || *skip_blanks(rest))
		return err_set(err, -EINVAL,
			"\"%s\" has no size unit; expected KiB, MiB, GiB or TiB, as in "
			"\"800MiB\"",
			text);
	double value = number * unit->factor;
	if (value > LARGEST)
		return err_set(err, -ERANGE, "\"%s\" is larger than any host", text);
	*kib = (uint64_t)value;
	return 0;
}

int units_parse_duration(const char *text, uint64_t *ms, struct err *err)
{
	const char *rest = text;
	double sum = 0;
	do {
		double number;
		if (!read_number(&rest, &number))
			return err_set(err, -EINVAL,
				"\"%s\" is not a duration; expected one like \"500ms\" "
				"or "
				"\"2min\"",
				text);
		const struct unit *unit =
			read_unit(&rest, duration_units, ARRAY_SIZE(duration_units));
		if (!unit)
			return err_set(err, -EINVAL,
				"\"%s\" has no unit of time; expected ms, s, min, h or "
				"d, as in "
				"\"2min\"",
				text);
		sum += number * unit->factor;
	} while (*skip_blanks(rest));
	if (sum > LARGEST)
		return err_set(err, -ERANGE, "\"%s\" is too long", text);
	*ms = (uint64_t)llround(sum);
	return 0;
}

int units_parse_ratio(const char *text, double *ratio, struct err *err)
{
	const char *rest = text;
	double number;
	bool good = read_number(&rest, &number);
	rest = skip_blanks(rest);
	bool percent = good && *rest == '%';
	if (!good || *skip_blanks(percent ? rest + 1 : rest))
		return err_set(err, -EINVAL,
			"\"%s\" is not a part of a whole; expected one like \"20%%\" or "
			"\"0.2\"",
			text);
	*ratio = percent ? number / 100 : number;
	return 0;
}

const char *units_format_size(char text[SIZE_TEXT_MAX], uint64_t kib)
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)kib;
	size_t i = 0;
	/* 999.5 would be shown with four digits */
	while (value >= 999.5 && i + 1 < ARRAY_SIZE(names)) {
		value /= 1024;
		i++;
	}
	if (kib == 0)
		snprintf(text, SIZE_TEXT_MAX, "0");
	else if (i == 0 || value >= 99.95)
		snprintf(text, SIZE_TEXT_MAX, "%.0f %s", value, names[i]);
	else if (value >= 9.995)
		snprintf(text, SIZE_TEXT_MAX, "%.1f %s", value, names[i]);
	else
		snprintf(text, SIZE_TEXT_MAX, "%.2f %s", value, names[i]);
	return text;
}

const char *units_format_duration(char text[DURATION_TEXT_MAX], uint64_t ms)
{
	unsigned long long s = ms / 1000;
	if (ms < 1000)
		snprintf(text, DURATION_TEXT_MAX, "%llums", (unsigned long long)ms);
	else if (s < 60)
		snprintf(text, DURATION_TEXT_MAX, "%llus", s);
	else if (s < 3600)
		snprintf(text, DURATION_TEXT_MAX, "%llumin %llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, DURATION_TEXT_MAX, "%lluh %llumin", s / 3600, s / 60 % 60);
	else
		snprintf(
			text, DURATION_TEXT_MAX, "%llud %lluh", s / 86400, s / 3600 % 24);
	return text;
}
