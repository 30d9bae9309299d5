/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOPBACK_NET 127

/* An address with brackets or none, and what stands behind its last colon. */
struct parts {
	char host[INET6_ADDRSTRLEN + 2];
	const char *port; /* NULL none */
	bool six;
};

static bool split(const char *text, struct parts *parts)
{
	parts->six = *text == '[';
	const char *end = parts->six ? strchr(text, ']') : strchr(text, ':');
	if (parts->six && !end)
		return false;
	size_t length = end ? (size_t)(end - text) : strlen(text);
	const char *behind = text + length + (parts->six ? 1 : 0);
	if (length - parts->six >= sizeof(parts->host) || (*behind && *behind != ':'))
		return false;
	parts->port = *behind ? behind + 1 : NULL;
	memcpy(parts->host, text + parts->six, length - parts->six);
	parts->host[length - parts->six] = '\0';
	return true;
}

/* 1..65535, or 0 where it is none. */
static unsigned read_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port =
		digits && digits <= 5 && !text[digits] ? strtoul(text, NULL, 10) : 0;
	return port <= 65535 ? (unsigned)port : 0;
}

static bool read_four(const char *host, struct in_addr *address)
{
	return inet_pton(AF_INET, host, address) == 1;
}

static bool is_loopback_four(const struct in_addr *address)
{
	return ntohl(address->s_addr) >> 24 == LOOPBACK_NET;
}

static int parse_four(const struct parts *parts, unsigned port, struct loopback *loopback)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&loopback->address;
	*four = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	loopback->size = sizeof(*four);
	if (!read_four(parts->host, &four->sin_addr))
		return -EINVAL;
	return is_loopback_four(&four->sin_addr) ? 0 : -EACCES;
}

static int parse_six(const struct parts *parts, unsigned port, struct loopback *loopback)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&loopback->address;
	*six = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	loopback->size = sizeof(*six);
	if (inet_pton(AF_INET6, parts->host, &six->sin6_addr) != 1)
		return -EINVAL;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ? 0 : -EACCES;
}

static int parse_path(const char *text, struct loopback *loopback, struct err *err)
{
	if (strlen(text) >= sizeof(loopback->path))
		return err_set(err, -ENAMETOOLONG,
			"\"%s\" is too long for a socket's name", text);
	*loopback = (struct loopback){.size = sizeof(struct sockaddr_un)};
	strcpy(loopback->path, text);
	return 0;
}

int loopback_parse(const char *text, struct loopback *loopback, struct err *err)
{
	struct parts parts;
	struct loopback read = {0};
	if (*text == '/')
		return parse_path(text, loopback, err);
	if (!split(text, &parts) || !parts.port)
		return err_set(err, -EINVAL,
			"\"%s\" is no address to listen on; expected %s", text,
			LOOPBACK_EXPECTED);
	unsigned port = read_port(parts.port);
	if (!port)
		return err_set(err, -ERANGE, "\"%s\" has no port of 1 to 65535", text);
	int rc = parts.six ? parse_six(&parts, port, &read)
			   : parse_four(&parts, port, &read);
	if (rc == -EACCES)
		return err_set(err, rc,
			"\"%s\" can be reached from other hosts; expected %s", text,
			LOOPBACK_EXPECTED);
	if (rc)
		return err_set(err, rc, "\"%s\" is no address to listen on; expected %s",
			text, LOOPBACK_EXPECTED);
	*loopback = read;
	return 0;
}

bool loopback_is_host(const char *header)
{
	struct parts parts;
	struct in_addr four;
	struct in6_addr six;
	if (!header || !split(header, &parts) || (parts.port && !read_port(parts.port)))
		return false;
	if (parts.six)
		return inet_pton(AF_INET6, parts.host, &six) == 1 &&
		       IN6_IS_ADDR_LOOPBACK(&six);
	if (strcasecmp(parts.host, "localhost") == 0)
		return true;
	return read_four(parts.host, &four) && is_loopback_four(&four);
}
