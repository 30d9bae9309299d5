/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mom/config_value.h"
#include "mom/loopback.h"
#include "mom/mem.h"

typedef int (*check_fn)(const char *text, struct err *err);

/* A scheme and a colon; whose the scheme is, and the rest, is the hypervisor's matter. */
static int check_uri(const char *text, struct err *err)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
	if (!scheme || text[scheme] != ':')
		return err_set(err, -EINVAL, "\"%s\" is no URI; expected %s", text,
			config_value_expected(CONFIG_URI));
	return 0;
}

/* Nowhere, or where this host alone can reach. */
static int check_listen(const char *text, struct err *err)
{
	struct loopback loopback;
	return *text ? loopback_parse(text, &loopback, err) : 0;
}

/* One that a socket can have. */
static int check_socket(const char *text, struct err *err)
{
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	if (!*text)
		return err_set(err, -EINVAL, "\"\" names no socket; expected %s",
			config_value_expected(CONFIG_SOCKET));
	if (strlen(text) > longest)
		return err_set(err, -ENAMETOOLONG,
			"\"%.40s…\" is too long for a socket's name, which has at most "
			"%zu bytes",
			text, longest);
	return 0;
}

/* One that can be run as it stands: a mistake is better found now than when it counts. */
static int check_program(const char *text, struct err *err)
{
	struct stat found;
	if (*text && *text != '/')
		return err_set(err, -EINVAL, "\"%s\" is no path; expected %s", text,
			config_value_expected(CONFIG_PROGRAM));
	if (*text && (stat(text, &found) < 0 || access(text, X_OK) < 0))
		return err_errno(err, errno, "\"%s\" can't be run", text);
	if (*text && !S_ISREG(found.st_mode))
		return err_set(err, -EINVAL, "\"%s\" is no program", text);
	return 0;
}

static check_fn find_check(enum config_type type)
{
	static const struct {
		enum config_type type;
		check_fn check;
	} rows[] = {
		{CONFIG_URI, check_uri},
		{CONFIG_LISTEN, check_listen},
		{CONFIG_SOCKET, check_socket},
		{CONFIG_PROGRAM, check_program},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].type == type)
			return rows[i].check;
	return NULL;
}

bool config_place_is(enum config_type type)
{
	return find_check(type) != NULL;
}

int config_place_set(
	enum config_type type, char **value, const char *text, struct err *err)
{
	int r = find_check(type)(text, err);
	if (r == 0)
		mem_replace(value, text);
	return r;
}
