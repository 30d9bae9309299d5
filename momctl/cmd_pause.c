/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/codec.h"
#include "momctl/momctl.h"

static struct json_object *guest_params(int argc, char **argv)
{
	struct json_object *params = json_object_new_object();
	if (argc > 1)
		json_object_object_add(params, "guest", control_json_text(argv[1]));
	return params;
}

int cmd_pause(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *params = guest_params(argc, argv);
	if (argc > 1)
		return momctl_do(ctl, "pause", params,
			"%s is paused: it is counted, and not moved", argv[1]);
	return momctl_do(ctl, "pause", params,
		"paused: every guest is counted, and none is moved");
}

int cmd_resume(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *params = guest_params(argc, argv);
	if (argc > 1)
		return momctl_do(ctl, "resume", params, "%s is managed again", argv[1]);
	return momctl_do(ctl, "resume", params,
		"resumed: no guest is paused any more");
}
