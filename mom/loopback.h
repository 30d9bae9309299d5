/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Addresses that only this host can reach: where the HTTP server may listen, and by what
 * names its clients may call it.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "mom/err.h"

struct loopback {
	struct sockaddr_storage address;
	socklen_t size;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" no Unix socket */
};

#define LOOPBACK_EXPECTED                                                                \
	"\"\", \"127.0.0.1:PORT\", \"[::1]:PORT\" or the path of a Unix socket"

/*
 * Read where to listen.
 *
 * Shape:  "127.0.0.1:PORT", "[::1]:PORT", or an absolute path.
 * Errors: -EINVAL none of these; -ERANGE no such port; -EACCES an address that others can
 *         reach; -ENAMETOOLONG a path no socket can have. `*loopback` is left then.
 */
int loopback_parse(const char *text, struct loopback *loopback, struct err *err);

/*
 * Whether a Host header means this host: "localhost", 127.0.0.0/8 or "[::1]", with a port
 * or without. A page from elsewhere whose name was made to point here calls it by another
 * name.
 */
bool loopback_is_host(const char *header);
