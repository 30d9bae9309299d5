/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A Unix socket that only one process serves at a time. A lock file beside it
 * ("SOCKET.lock") is held while it is served; the kernel lets go of it whatever way the
 * process ends, so a socket without a holder is stale and is replaced.
 */

#include "mom/control/peer.h"
#include "mom/err.h"

struct control_socket {
	char *path;
	int fd;   /* listening; -1 none */
	int lock; /* -1 none */
};

/*
 * Take the lock, clear a stale socket away, and listen.
 *
 * Shape:  mode 0660 and the readers' group (the changers' where there is none), 0600
 *         where there is neither. The directory above is made where it is missing.
 * Errors: -EBUSY another process serves it (its pid is in the text); -EEXIST there is
 *         something that is no socket; -ENAMETOOLONG; others from the system.
 */
int control_socket_open(struct control_socket *listener, const char *path,
	const struct control_rules *rules, struct err *err);

/* Stop listening, take the socket's file away, let go of the lock. */
void control_socket_close(struct control_socket *listener);
