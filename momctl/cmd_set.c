/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/codec.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

static void print_setting(const struct momctl *ctl, struct json_object *setting)
{
	const char *from = json_get_text(setting, "from");
	output_line(&ctl->out, "", "%s: %s is %s%s%s%s", json_get_text(setting, "guest"),
		json_get_text(setting, "key"), json_get_text(setting, "value"),
		*from ? " (" : "", from, *from ? ")" : "");
}

/* `value` NULL takes the live setting back. */
static int set(
	const struct momctl *ctl, const char *guest, const char *key, const char *value)
{
	struct json_object *setting = NULL;
	struct json_object *params = json_object_new_object();
	json_object_object_add(params, "guest", control_json_text(guest));
	json_object_object_add(params, "key", control_json_text(key));
	json_object_object_add(params, "value", control_json_text(value));
	int code = momctl_call(ctl, "set", params, &setting);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, setting);
	else
		print_setting(ctl, setting);
	json_object_put(setting);
	return MOMCTL_OK;
}

int cmd_set(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return set(ctl, argv[1], argv[2], argv[3]);
}

int cmd_unset(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return set(ctl, argv[1], argv[2], NULL);
}
