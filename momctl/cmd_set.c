/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/codec.h"
#include "momctl/json.h"
#include "momctl/show.h"

static struct json_object *setting_params(
	const char *guest, const char *key, const char *value)
{
	struct json_object *params = json_object_new_object();
	json_object_object_add(params, "guest", control_json_text(guest));
	json_object_object_add(params, "key", control_json_text(key));
	json_object_object_add(params, "value", control_json_text(value));
	return params;
}

int cmd_set(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return momctl_do(ctl, "set", setting_params(argv[1], argv[2], argv[3]),
		"%s of %s is %s from the next tick on", argv[2], argv[1], argv[3]);
}

int cmd_unset(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return momctl_do(ctl, "set", setting_params(argv[1], argv[2], NULL),
		"%s of %s is as configured from the next tick on", argv[2], argv[1]);
}
