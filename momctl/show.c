/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"

#define UNKNOWN "-"

static const struct column guest_columns[] = {
	{"NAME", false, 0},
	{"STATE", false, 0},
	{"MAX", true, 5},
	{"ACTUAL", true, 0},
	{"TARGET", true, 0},
	{"USED", true, 0},
	{"DEMAND", true, 4},
	{"RSS", true, 3},
	{"SHARES", true, 1},
	{"STATS", false, 2},
	{"WHY", false, 0},
};

void show_size(const struct momctl *ctl, struct table *table, struct json_object *object,
	const char *key)
{
	char text[SIZE_TEXT_MAX] = UNKNOWN;
	uint64_t kib;
	if (json_get_count(object, key, &kib))
		output_short_size(&ctl->out, text, kib);
	table_add(table, STYLE_PLAIN, text);
}

void show_count(struct table *table, struct json_object *object, const char *key)
{
	char text[24] = UNKNOWN;
	uint64_t count;
	if (json_get_count(object, key, &count))
		snprintf(text, sizeof(text), "%" PRIu64, count);
	table_add(table, STYLE_PLAIN, text);
}

void show_text(struct table *table, struct json_object *object, const char *key)
{
	const char *text = json_get_text(object, key);
	table_add(table, STYLE_PLAIN, *text ? text : UNKNOWN);
}

const char *show_reason(struct json_object *guest)
{
	const char *reason = json_get_text(guest, "reason");
	return *reason ? reason : show_state_meaning(json_get_text(guest, "state"));
}

static void add_guest(
	const struct momctl *ctl, struct table *table, struct json_object *guest)
{
	const char *state = json_get_text(guest, "state");
	show_text(table, guest, "name");
	table_add(table, show_state_style(state), *state ? state : UNKNOWN);
	show_size(ctl, table, guest, "max_kib");
	show_size(ctl, table, guest, "actual_kib");
	show_size(ctl, table, guest, "target_kib");
	show_size(ctl, table, guest, "used_kib");
	show_size(ctl, table, guest, "demand_kib");
	show_size(ctl, table, guest, "rss_kib");
	show_count(table, guest, "shares");
	show_text(table, guest, "quality");
	table_add(table, STYLE_PLAIN, show_reason(guest));
}

void show_guests(const struct momctl *ctl, struct json_object *guests)
{
	struct table table;
	size_t count = json_count(guests);
	if (count == 0) {
		output_line(&ctl->out, "", "no guest is running");
		return;
	}
	table_init(&table, guest_columns, ARRAY_SIZE(guest_columns));
	for (size_t i = 0; i < count; i++)
		add_guest(ctl, &table, json_object_array_get_idx(guests, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}
