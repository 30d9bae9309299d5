/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the clients of the control socket may cost.
 */

#include <stddef.h>
#include <stdint.h>

struct control_limits {
	size_t clients;       /* at once */
	size_t admin_clients; /* of them, kept for those who may change */
	size_t line;          /* bytes of a request */
	size_t admin_line;    /* of one who may change: a policy fits */
	size_t output;        /* unsent bytes, beyond which readers wait for each other */
	uint64_t idle_ms;     /* for a client that asks nothing */
	uint64_t line_ms;     /* for a line from its first byte to its last */
	uint64_t reply_ms;    /* for an answer to be read */
};

#define CONTROL_LIMITS_DEFAULT                                                           \
	((struct control_limits){                                                        \
		.clients = 64,                                                           \
		.admin_clients = 8,                                                      \
		.line = 64 * 1024,                                                       \
		.admin_line = 1024 * 1024,                                               \
		.output = 8 * 1024 * 1024,                                               \
		.idle_ms = 10 * 60 * 1000,                                               \
		.line_ms = 10 * 1000,                                                    \
		.reply_ms = 10 * 1000,                                                   \
	})
