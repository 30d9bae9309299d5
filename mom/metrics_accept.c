/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mom/mem.h"
#include "mom/metrics.h"

/* How much this type is wanted (its "q"), 0 not at all; `accept` is a list of types. */
static double wanted(const char *accept, const char *type)
{
	double most = 0;
	while (*(accept += strspn(accept, ", \t"))) {
		size_t length = strcspn(accept, ",");
		auto_free char *item = mem_ndup(accept, length);
		const char *weight = strstr(item, "q=");
		double q = weight ? strtod(weight + 2, NULL) : 1;
		bool same = strncasecmp(item, type, strlen(type)) == 0;
		if (same && q > most)
			most = q;
		accept += length;
	}
	return most;
}

enum metrics_format metrics_accept(const char *accept)
{
	double open = accept ? wanted(accept, "application/openmetrics-text") : 0;
	return open > 0 && open >= wanted(accept, "text/plain") ? METRICS_OPENMETRICS
								: METRICS_PROMETHEUS;
}

const char *metrics_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
