/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a daemon tells those who subscribed, as it comes, for commands without an end. */

#include "momctl/momctl.h"

struct follow {
	const char *topic;
	uint64_t count; /* how many; 0 no end */
	/* Called once the subscription stands, before the first one; may be NULL. Its
	 * exit code ends it where it isn't MOMCTL_OK. */
	int (*begin)(const struct momctl *ctl, void *context);
	/* Each of them; it is the caller's. */
	void (*each)(const struct momctl *ctl, void *context, struct json_object *event);
	void *context;
};

/* Becomes readable when a signal asks for the end; `flags` as signalfd()'s, which is
 * closed on exec anyway. */
int follow_end_fd(int flags);

/*
 * Follow until as many came, the daemon went, a signal asks for the end or the reader of
 * standard output has left; what is printed leaves at once. Gives an exit code.
 */
int follow_topic(const struct momctl *ctl, const struct follow *follow);
