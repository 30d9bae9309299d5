/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/codec.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

/* Our own version is told even where there is nobody to ask. */
int cmd_version(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *daemon = NULL;
	(void)argc, (void)argv;
	if (!ctl->json)
		output_line(&ctl->out, "", "momctl %s", PACKAGE_VERSION);
	int code = momctl_call(ctl, "version", NULL, &daemon);
	const char *version = json_get_text(daemon, "version");
	if (ctl->json) {
		struct json_object *both = json_object_new_object();
		json_object_object_add(
			both, "momctl", json_object_new_string(PACKAGE_VERSION));
		json_object_object_add(
			both, "momd", control_json_text(code ? NULL : version));
		json_print(ctl->out.file, both);
		json_object_put(both);
	} else if (!code) {
		output_line(&ctl->out, "", "momd %s", version);
	}
	json_object_put(daemon);
	return code;
}
