/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where ticks come from: a connection to the daemon that is made again when it broke.
 */

#include "momctl/momctl.h"
#include "momctl/top/view.h"

struct top_feed {
	const struct momctl *ctl;
	struct control_client *client; /* NULL: waiting for the daemon to return */
	struct control_client *events; /* what happens; NULL it doesn't tell */
	char *trouble;                 /* why there is no news; NULL there is */
	int64_t news_ms;               /* when the last tick came */
};

/*
 * Connect, and show how things are now.
 *
 * Errors: an exit code that isn't MOMCTL_OK; the reason has been said then.
 */
int top_feed_open(struct top_feed *feed, const struct momctl *ctl, struct top_view *view);
void top_feed_close(struct top_feed *feed);

/*
 * Wait for a tick, or until `other_fd` has something to be read, or for a second. Of
 * several ticks the latest is shown. A daemon that went is looked for meanwhile.
 */
void top_feed_wait(struct top_feed *feed, struct top_view *view, int other_fd);

/* Ask why the chosen guest has what it has: `view->explanation` in lines of `width`. */
void top_feed_explain(struct top_feed *feed, struct top_view *view, size_t width);
