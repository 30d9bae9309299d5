/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

static const struct column setting_columns[] = {
	{"SETTING", false, 0},
	{"VALUE", false, 0},
	{"FROM", false, 0},
};

static const struct column decision_columns[] = {
	{"AGO", true, 0},
	{"FOR", true, 2},
	{"STATE", false, 3},
	{"ACTUAL", true, 0},
	{"USED", true, 0},
	{"DEMAND", true, 1},
	{"WISH", true, 4},
	{"TARGET", true, 0},
	{"WHY", false, 0},
};

static const char *size_of(const struct momctl *ctl, char text[SIZE_TEXT_MAX],
	struct json_object *object, const char *key)
{
	uint64_t kib;
	return json_get_count(object, key, &kib) ? output_size(&ctl->out, text, kib)
						 : "unknown";
}

/* Somebody may want to change that. */
static bool needs_a_look(enum style style)
{
	return style == STYLE_CARE || style == STYLE_BAD;
}

static void print_head(const struct momctl *ctl, struct json_object *guest)
{
	const char *state = json_get_text(guest, "state");
	output_line(&ctl->out, "Guest    ", "%s, %s", json_get_text(guest, "name"),
		json_get_text(guest, "uuid"));
	output_styled(&ctl->out, STYLE_HEAD, "State    ");
	output_styled(&ctl->out, show_state_style(state), state);
	output_line(&ctl->out, "", ": %s", show_state_meaning(state));
	auto_free char *age = show_age(guest, "reason_age_s");
	if (*json_get_text(guest, "reason"))
		output_line(
			&ctl->out, "Why      ", "%s (%s ago)", show_reason(guest), age);
	if (needs_a_look(show_state_style(state)) ||
		needs_a_look(show_quality_style(json_get_text(guest, "quality"))))
		output_line(&ctl->out, "Mend     ",
			"\"momctl doctor %s\" tells what mends that",
			json_get_text(guest, "name"));
}

static void print_memory(const struct momctl *ctl, struct json_object *guest)
{
	char actual[SIZE_TEXT_MAX], max[SIZE_TEXT_MAX], target[SIZE_TEXT_MAX],
		min[SIZE_TEXT_MAX], limit[SIZE_TEXT_MAX];
	output_line(&ctl->out, "Balloon  ",
		"%s of %s, target %s; never below %s, above %s",
		size_of(ctl, actual, guest, "actual_kib"),
		size_of(ctl, max, guest, "max_kib"),
		size_of(ctl, target, guest, "target_kib"),
		size_of(ctl, min, guest, "min_kib"),
		size_of(ctl, limit, guest, "limit_kib"));
	char used[SIZE_TEXT_MAX], demand[SIZE_TEXT_MAX];
	output_line(&ctl->out, "Inside   ", "uses %s, wants %s; statistics %s: %s",
		size_of(ctl, used, guest, "used_kib"),
		size_of(ctl, demand, guest, "demand_kib"),
		json_get_text(guest, "quality"),
		show_quality_meaning(json_get_text(guest, "quality")));
	char cost[SIZE_TEXT_MAX], rss[SIZE_TEXT_MAX], swap[SIZE_TEXT_MAX],
		overhead[SIZE_TEXT_MAX];
	output_line(&ctl->out, "Outside  ",
		"may cost the host %s; resident %s, swapped %s, QEMU itself %s",
		size_of(ctl, cost, guest, "cost_kib"),
		size_of(ctl, rss, guest, "rss_kib"),
		size_of(ctl, swap, guest, "swap_kib"),
		size_of(ctl, overhead, guest, "overhead_kib"));
}

/* Settings go by the names of momd.conf; their units are those of the protocol. */
static const char *setting_key(const char *key)
{
	static const char *const keys[] = {
		"min_kib", "max_kib", "buffer_ratio", "boot_grace_s"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(key) == show_name_length(keys[i]) &&
			strncmp(key, keys[i], strlen(key)) == 0)
			return keys[i];
	return key;
}

static void add_setting(const struct momctl *ctl, struct table *table, const char *key,
	struct json_object *setting)
{
	auto_free char *value =
		show_value(ctl, setting_key(key), json_get(setting, "value"));
	table_add(table, STYLE_PLAIN, key);
	table_add(table, STYLE_PLAIN, value);
	show_text(table, setting, "from");
}

static void print_settings(const struct momctl *ctl, struct json_object *settings)
{
	struct table table;
	struct json_member member;
	if (!json_first(settings, &member))
		return;
	table_init(&table, setting_columns, ARRAY_SIZE(setting_columns));
	do
		add_setting(ctl, &table, member.key, member.value);
	while (json_next(&member));
	fputc('\n', ctl->out.file);
	table_print(&table, &ctl->out);
	table_done(&table);
}

/* "usable 120 MiB, major_fault 3" */
static void print_members(
	const struct momctl *ctl, const char *label, struct json_object *object)
{
	struct json_member member;
	if (!json_first(object, &member))
		return;
	char *text = mem_dup("");
	do {
		auto_free char *value = show_value(ctl, member.key, member.value);
		char *longer = mem_printf("%s%s%.*s %s", text, *text ? ", " : "",
			(int)show_name_length(member.key), member.key, value);
		free(text);
		text = longer;
	} while (json_next(&member));
	output_line(&ctl->out, label, "%s", text);
	free(text);
}

/* What the policy said, what the guard made of it, what came of that. */
static char *decision_text(struct json_object *decision)
{
	const char *policy = json_get_text(decision, "policy");
	const char *because = json_get_text(decision, "because");
	const char *guard = json_get_text(decision, "guard");
	const char *outcome = json_get_text(decision, "outcome");
	return mem_printf("%s%s%s%s%s%s%s", policy, *policy && *because ? ": " : "",
		because, *guard ? "; guard: " : "", guard, *outcome ? "; outcome: " : "",
		outcome);
}

/* From when it was first decided to when it was last decided alike. */
static char *lasted_text(struct json_object *decision)
{
	double first, last;
	if (!json_get_number(decision, "age_s", &first) ||
		!json_get_number(decision, "last_age_s", &last))
		return mem_dup("-");
	return show_seconds(first - last);
}

static void add_decision(
	const struct momctl *ctl, struct table *table, struct json_object *decision)
{
	auto_free char *age = show_age(decision, "age_s");
	auto_free char *lasted = lasted_text(decision);
	auto_free char *why = decision_text(decision);
	const char *state = json_get_text(decision, "state");
	table_add(table, STYLE_PLAIN, age);
	table_add(table, STYLE_PLAIN, lasted);
	table_add(table, show_state_style(state), state);
	show_size(ctl, table, decision, "actual_kib");
	show_size(ctl, table, decision, "used_kib");
	show_size(ctl, table, decision, "demand_kib");
	show_size(ctl, table, decision, "wish_kib");
	show_size(ctl, table, decision, "target_kib");
	table_add(table, STYLE_PLAIN, why + strspn(why, "; "));
}

static void print_decisions(const struct momctl *ctl, struct json_object *decisions)
{
	struct table table;
	fputc('\n', ctl->out.file);
	if (json_count(decisions) == 0) {
		output_line(&ctl->out, "", "nothing has been decided about it yet");
		return;
	}
	table_init(&table, decision_columns, ARRAY_SIZE(decision_columns));
	table.wrap = true;
	for (size_t i = 0; i < json_count(decisions); i++)
		add_decision(ctl, &table, json_object_array_get_idx(decisions, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}

void show_explanation(const struct momctl *ctl, struct json_object *all)
{
	const char *trouble = json_get_text(all, "settings_trouble");
	print_head(ctl, json_get(all, "guest"));
	print_memory(ctl, json_get(all, "guest"));
	print_members(ctl, "Reported ", json_get(all, "statistics"));
	print_members(ctl, "Learned  ", json_get(all, "learned"));
	print_settings(ctl, json_get(all, "settings"));
	if (*trouble)
		output_line(&ctl->out, "Trouble  ", "%s", trouble);
	print_decisions(ctl, json_get(all, "decisions"));
}

int cmd_explain(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *all = NULL;
	struct json_object *params = json_object_new_object();
	(void)argc;
	json_object_object_add(params, "guest", control_json_text(argv[1]));
	int code = momctl_call(ctl, "explain", params, &all);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, all);
	else
		show_explanation(ctl, all);
	json_object_put(all);
	return MOMCTL_OK;
}
