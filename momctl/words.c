/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

struct word {
	const char *name;
	enum style style;
	const char *meaning;
};

static const struct word states[] = {
	{"roomy", STYLE_GOOD,
		"memory to spare; guests that were squeezed get theirs back"},
	{"snug", STYLE_GOOD, "guests in need grow, only what is clearly idle is taken"},
	{"tight", STYLE_CARE, "guests are moved to their fair parts"},
	{"critical", STYLE_BAD, "memory is taken from guests at once"},
	{"exhausted", STYLE_BAD, "every guest is at its minimum and it is not enough"},
	{"new", STYLE_PLAIN, "seen, and not judged yet"},
	{"booting", STYLE_PLAIN, "starting; counted at its maximum and not shrunk"},
	{"managed", STYLE_GOOD, "grown and shrunk as it needs"},
	{"watched", STYLE_PLAIN, "counted, never moved"},
	{"nodriver", STYLE_CARE,
		"nothing in the guest moves its balloon; counted at its maximum"},
	{"suspended", STYLE_PLAIN, "not running, so not moved"},
	{"busy", STYLE_PLAIN, "being saved, copied or moved, so not touched"},
	{"hung", STYLE_BAD, "its QEMU doesn't answer; what it cost last is counted"},
	{"held", STYLE_CARE, "somebody else set its balloon; left so for a while"},
	{"paused", STYLE_CARE, "paused by \"momctl pause\"; counted, not moved"},
	{"stuck", STYLE_BAD, "its balloon stopped short of the target"},
	{"fixed", STYLE_CARE, "its memory can't be taken, so it is left out"},
};

static const struct word qualities[] = {
	{"unknown", STYLE_PLAIN, "too early to say"},
	{"none", STYLE_CARE, "it has no balloon device"},
	{"nodriver", STYLE_CARE, "no balloon driver answers in the guest"},
	{"noservice", STYLE_CARE,
		"the driver answers, without values; in Windows install blnsvr"},
	{"stale", STYLE_CARE, "the values stopped changing"},
	{"partial", STYLE_PLAIN, "some values are missing, so a larger buffer is kept"},
	{"good", STYLE_GOOD, "complete and fresh"},
};

static const struct word *find(const struct word *words, size_t count, const char *name)
{
	static const struct word unknown = {"", STYLE_PLAIN, "not known to this momctl"};
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return &unknown;
}

enum style show_state_style(const char *state)
{
	return find(states, ARRAY_SIZE(states), state)->style;
}

const char *show_state_meaning(const char *state)
{
	return find(states, ARRAY_SIZE(states), state)->meaning;
}

enum style show_quality_style(const char *quality)
{
	return find(qualities, ARRAY_SIZE(qualities), quality)->style;
}

const char *show_quality_meaning(const char *quality)
{
	return find(qualities, ARRAY_SIZE(qualities), quality)->meaning;
}

/* A daemon's number of seconds may be anything; what is no duration is none. */
static char *duration_text(double seconds)
{
	char text[DURATION_TEXT_MAX];
	if (!(seconds >= 0 && seconds < 1e12))
		return mem_dup("unknown");
	if (seconds >= 1)
		seconds = (double)(uint64_t)seconds;
	return mem_dup(units_format_duration(text, (uint64_t)(seconds * 1000)));
}

char *show_age(struct json_object *object, const char *key)
{
	double seconds = -1;
	json_get_number(object, key, &seconds);
	return show_seconds(seconds);
}

char *show_seconds(double seconds)
{
	return seconds >= 0 && seconds < 1 ? mem_dup("0s") : duration_text(seconds);
}

static bool ends_with(const char *key, const char *unit)
{
	size_t length = strlen(key), tail = strlen(unit);
	return length > tail && strcmp(key + length - tail, unit) == 0;
}

/* A unit that ends in another one stands before it. */
static const char *const units[] = {"_kib_per_s", "_kib", "_ms", "_s", "_ratio"};

size_t show_name_length(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (ends_with(key, units[i]))
			return strlen(key) - strlen(units[i]);
	return strlen(key);
}

static char *number_text(const struct momctl *ctl, const char *key, double number)
{
	char text[SIZE_TEXT_MAX];
	bool size = number >= 0 && number < 1e18;
	if (ends_with(key, "_kib_per_s") && size)
		return mem_printf("%s/s", output_size(&ctl->out, text, (uint64_t)number));
	if (ends_with(key, "_kib") && size)
		return mem_dup(output_size(&ctl->out, text, (uint64_t)number));
	if (ends_with(key, "_ratio"))
		return mem_printf("%.4g %%", number * 100);
	if (ends_with(key, "_ms"))
		return duration_text(number / 1000);
	if (ends_with(key, "_s"))
		return duration_text(number);
	return NULL;
}

char *show_value(const struct momctl *ctl, const char *key, struct json_object *value)
{
	bool number = json_object_is_type(value, json_type_int) ||
		      json_object_is_type(value, json_type_double);
	char *text = number ? number_text(ctl, key, json_object_get_double(value)) : NULL;
	if (text)
		return text;
	if (json_object_is_type(value, json_type_boolean))
		return mem_dup(json_object_get_boolean(value) ? "yes" : "no");
	return mem_dup(value ? json_object_get_string(value) : "unknown");
}

void show_notes(const struct momctl *ctl, struct json_object *notes)
{
	for (size_t i = 0; i < json_count(notes); i++) {
		struct json_object *note = json_object_array_get_idx(notes, i);
		const char *text = note ? json_object_get_string(note) : "";
		size_t length = strlen(text);
		output_text(&ctl->out, text);
		if (length == 0 || text[length - 1] != '\n')
			fputc('\n', ctl->out.file);
	}
}
