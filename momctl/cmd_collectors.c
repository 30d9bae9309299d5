/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

static const struct column columns[] = {
	{"NAME", false, 0},
	{"STATE", false, 0},
	{"READS", false, 0},
};

static void add_collector(struct table *table, struct json_object *collector)
{
	const char *why = json_get_text(collector, "why");
	const char *help = json_get_text(collector, "help");
	auto_free char *reads = *why ? mem_printf("%s (%s)", help, why) : mem_dup(help);
	show_text(table, collector, "name");
	table_add(
		table, *why ? STYLE_CARE : STYLE_GOOD, json_get_text(collector, "state"));
	table_add(table, STYLE_PLAIN, reads);
}

int cmd_collectors(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *list = NULL;
	struct table table;
	(void)argc, (void)argv;
	int code = momctl_call(ctl, "collectors", NULL, &list);
	if (code)
		return code;
	table_init(&table, columns, ARRAY_SIZE(columns));
	table.wrap = true;
	for (size_t i = 0; i < json_count(list); i++)
		add_collector(&table, json_object_array_get_idx(list, i));
	if (ctl->json)
		json_print(ctl->out.file, list);
	else
		table_print(&table, &ctl->out);
	table_done(&table);
	json_object_put(list);
	return MOMCTL_OK;
}
