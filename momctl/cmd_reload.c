/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/json.h"
#include "momctl/show.h"

int cmd_reload(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *result = NULL;
	(void)argc, (void)argv;
	int code = momctl_call(ctl, "reload", NULL, &result);
	if (code)
		return code;
	if (ctl->json) {
		json_print(ctl->out.file, result);
	} else {
		output_line(&ctl->out, "", "%s",
			json_get_bool(result, "changed")
				? "the configuration was read again and is in force"
				: "the configuration was read again; nothing changed");
		show_notes(ctl, json_get(result, "notes"));
	}
	json_object_put(result);
	return MOMCTL_OK;
}
