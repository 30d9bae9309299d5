/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/http/listen.h"

#include <errno.h>
#include <unistd.h>

#include "mom/control/peer.h"
#include "mom/loopback.h"
#include "mom/mem.h"

#define WAITING_MAX 64 /* connections that the kernel keeps for us */

static int listen_unix(struct http_place *place, const char *path, const char *group,
	const char *admin_group, struct err *err)
{
	struct control_rules rules;
	int rc = control_rules_init(&rules, group, admin_group, err);
	if (!rc)
		rc = control_socket_open(&place->socket, path, &rules, err);
	if (!rc)
		place->fd = place->socket.fd;
	return rc;
}

/* A port that a momd just left is free at once. */
static int listen_port(struct http_place *place, const char *name,
	const struct loopback *where, struct err *err)
{
	static const int on = 1;
	auto_close int fd = socket(
		where->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, errno, "cannot make a socket for \"%s\"", name);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&where->address, where->size) < 0 ||
		listen(fd, WAITING_MAX) < 0)
		return err_errno(err, errno, "cannot listen on \"%s\"", name);
	place->port = true;
	place->fd = fd;
	fd = -1;
	return 0;
}

int http_place_open(struct http_place *place, const char *listen, const char *group,
	const char *admin_group, struct err *err)
{
	struct loopback where;
	*place = (struct http_place){.fd = -1};
	int rc = loopback_parse(listen, &where, err);
	if (rc)
		return rc;
	return where.path[0] ? listen_unix(place, where.path, group, admin_group, err)
			     : listen_port(place, listen, &where, err);
}

void http_place_close(struct http_place *place)
{
	if (place->port)
		close(place->fd);
	control_socket_close(&place->socket);
	*place = (struct http_place){.fd = -1};
}
