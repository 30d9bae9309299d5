/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints what metrics there are, out of the table that momd itself works by.
 * doc/metrics.md holds what it prints; tests/lint/metrics.test holds it to that, and the
 * alert rules and the dashboard to the names.
 *
 *	metrics_reference markdown|names
 */

#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/metrics.h"

static void print_row(const struct metric *metric)
{
	const char *of = metric_scope_label(metric->scope);
	const char *own = metric->labels ? metric->labels : "";
	printf("| `%s` | %s | %s%s%s | %s |\n", metric->name,
		metric_type_name(metric->type), of, *of && *own ? ", " : "", own,
		metric->help);
}

static void print_markdown(void)
{
	puts("| metric | type | labels | what it is |\n|---|---|---|---|");
	for (const struct metric *metric = metrics_table; metric->name; metric++)
		print_row(metric);
}

static void print_names(void)
{
	static const char *const endings[] = {"_bucket", "_sum", "_count"};
	for (const struct metric *metric = metrics_table; metric->name; metric++) {
		if (metric->type != METRIC_HISTOGRAM)
			puts(metric->name);
		else
			for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
				printf("%s%s\n", metric->name, endings[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
		print_markdown();
	} else if (argc == 2 && strcmp(argv[1], "names") == 0) {
		print_names();
	} else {
		fprintf(stderr, "usage: metrics_reference markdown|names\n");
		return 2;
	}
	return 0;
}
