/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What momd reads itself of what clients of its pages say: a Host header in the first
 * line, an Accept header in the rest. libevent reads the request.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mom/loopback.h"
#include "mom/mem.h"
#include "mom/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for this host is called by it, and is of loopback. */
static void check_host(const char *host)
{
	struct loopback where;
	struct err err = {0};
	int r = loopback_parse(host, &where, &err);
	if (r < 0 && (!err.text[0] || err.code != r))
		abort();
	if (r == 0 && where.path[0] == '\0' && !loopback_is_host(host))
		abort();
	if (!loopback_is_host(host))
		return;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".:[]", *host))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *host = mem_ndup((const char *)data, size);
	char *accept = strchr(host, '\n');
	if (accept)
		*accept++ = '\0';
	check_host(host);
	enum metrics_format format = metrics_accept(accept);
	if (format == METRICS_OPENMETRICS && !strcasestr(accept, "openmetrics"))
		abort();
	return 0;
}
