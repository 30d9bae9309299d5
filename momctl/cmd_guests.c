/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/json.h"
#include "momctl/show.h"

int cmd_guests(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *guests = NULL;
	(void)argc, (void)argv;
	int code = momctl_call(ctl, "guests", NULL, &guests);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, guests);
	else
		show_guests(ctl, guests);
	json_object_put(guests);
	return MOMCTL_OK;
}
