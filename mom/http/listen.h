/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where the HTTP server is reached: a loopback port, or a Unix socket with the control
 * socket's rules.
 */

#include <stdbool.h>

#include "mom/control/listen.h"
#include "mom/err.h"

struct http_place {
	int fd;                       /* listening */
	bool port;                    /* one of loopback, not a Unix socket */
	struct control_socket socket; /* a Unix socket's file and lock */
};

/*
 * Listen at `listen`, as loopback_parse() reads it; the groups are for a Unix socket.
 *
 * Errors: as http_server_new().
 */
int http_place_open(struct http_place *place, const char *listen, const char *group,
	const char *admin_group, struct err *err);
void http_place_close(struct http_place *place);
