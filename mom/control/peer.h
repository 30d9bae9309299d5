/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is at the other end of a Unix socket, and what they may do.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "mom/err.h"

enum control_access {
	CONTROL_NONE,
	CONTROL_READ,
	CONTROL_CHANGE, /* holds reading */
};

/* Whom the administrator lets in beside root; a group that isn't there lets nobody in. */
struct control_rules {
	bool has_group, has_admin_group;
	gid_t group;       /* may read */
	gid_t admin_group; /* may change */
};

struct control_peer {
	pid_t pid;
	uid_t uid;
	enum control_access access;
};

/*
 * Look the groups up by name; NULL or "" for none.
 *
 * Errors: -ENOENT no such group.
 */
int control_rules_init(struct control_rules *rules, const char *group,
	const char *admin_group, struct err *err);

/*
 * Who connected, by the kernel's word at the time of connect(2).
 *
 * Shape:  root and the daemon's own user may change; else the groups decide, first and
 *         supplementary.
 * Errors: the kernel's; nobody is let in then.
 * Source: unix(7) SO_PEERCRED, and SO_PEERGROUPS of Linux 4.13
 */
int control_peer_read(struct control_peer *peer, int fd,
	const struct control_rules *rules, struct err *err);
