/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "momctl/momctl.h"

const struct command commands[] = {
	{"status", "", 0, 0, "the host, what its memory is for, and every guest",
		cmd_status},
	{"guests", "", 0, 0, "the guests alone", cmd_guests},
	{0},
};
