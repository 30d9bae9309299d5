/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "mom/daemon.h"
#include "mom/mem.h"
#include "mom/metrics_write.h"
#include "mom/units.h"

#define BYTES_PER_KIB 1024
#define MS_PER_S      1000.0

const char *metric_type_name(enum metric_type type)
{
	static const char *const names[] = {"gauge", "counter", "histogram", "info"};
	return names[type];
}

const char *metric_scope_label(enum metric_scope scope)
{
	static const char *const names[] = {"", "", "pool", "guest"};
	return names[scope];
}

/* ---- samples ---- */

/* Name and labels; a number follows. */
static void begin_sample(struct metrics *metrics, const struct metric *metric,
	const char *labels, struct metrics_label label)
{
	bool both = *labels && label.value;
	fprintf(metrics->out, "%s", metric->name);
	if (*labels || label.value)
		fprintf(metrics->out, "{%s%s", labels, both ? "," : "");
	if (label.value) {
		auto_free char *escaped = metrics_escape(label.value);
		fprintf(metrics->out, "%s=\"%s\"", label.name, escaped);
	}
	fputs(*labels || label.value ? "} " : " ", metrics->out);
}

void metrics_whole(struct metrics *metrics, const struct metric *metric,
	const char *labels, struct metrics_label label, uint64_t value)
{
	begin_sample(metrics, metric, labels, label);
	fprintf(metrics->out, "%" PRIu64 "\n", value);
}

void metrics_real(struct metrics *metrics, const struct metric *metric,
	const char *labels, struct metrics_label label, double value)
{
	begin_sample(metrics, metric, labels, label);
	fprintf(metrics->out, "%.15g\n", value);
}

void metrics_spread(
	struct metrics *metrics, const struct metric *metric, const struct spread *spread)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SPREAD_BOUNDS; i++) {
		sum += spread->within[i];
		fprintf(metrics->out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", metric->name,
			spread_bound_s(i), sum);
	}
	fprintf(metrics->out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", metric->name,
		spread->count);
	fprintf(metrics->out, "%s_sum %.15g\n", metric->name, spread->sum_s);
	fprintf(metrics->out, "%s_count %" PRIu64 "\n", metric->name, spread->count);
}

static void write_field(struct metrics *metrics, const struct metric *metric,
	const void *value, const char *labels)
{
	static const struct metrics_label none = {0};
	switch (metric->form) {
	case FORM_COUNT:
		metrics_whole(metrics, metric, labels, none, *(const uint64_t *)value);
		break;
	case FORM_SIZE:
		metrics_whole(metrics, metric, labels, none, *(const size_t *)value);
		break;
	case FORM_KIB:
		metrics_whole(metrics, metric, labels, none,
			*(const uint64_t *)value * BYTES_PER_KIB);
		break;
	case FORM_MS:
		metrics_real(metrics, metric, labels, none,
			(double)*(const uint64_t *)value / MS_PER_S);
		break;
	case FORM_RATIO:
		metrics_real(metrics, metric, labels, none, *(const double *)value);
		break;
	case FORM_TRUTH:
		metrics_whole(metrics, metric, labels, none, *(const bool *)value);
		break;
	case FORM_FLAG:
		metrics_whole(
			metrics, metric, labels, none, *(const int64_t *)value != 0);
		break;
	case FORM_OTHER:
		break;
	}
}

/* What isn't known isn't there. */
static void write_one(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const char *base = of;
	if (metric->known != ALWAYS && !*(const bool *)(base + metric->known))
		return;
	if (metric->write)
		metric->write(metrics, metric, of, labels);
	else
		write_field(metrics, metric, base + metric->at, labels);
}

static void write_pools(struct metrics *metrics, const struct metric *metric)
{
	const struct pools *pools = &metrics->daemon->engine.pools;
	for (size_t i = 1; i <= metrics->pool_count; i++) {
		auto_free char *path = metrics_escape(pools->items[i].path);
		auto_free char *labels = mem_printf("pool=\"%s\"", path);
		write_one(metrics, metric, &pools->items[i], labels);
	}
}

static void write_guests(struct metrics *metrics, const struct metric *metric)
{
	size_t count = metrics->guest_count - metrics->guests_omitted;
	for (size_t i = 0; i < count; i++)
		write_one(metrics, metric, metrics->guests[i].guest,
			metrics->guests[i].labels);
}

static void write_samples(struct metrics *metrics, const struct metric *metric)
{
	const struct engine *engine = &metrics->daemon->engine;
	switch (metric->scope) {
	case SCOPE_OWN:
		write_one(metrics, metric, metrics->daemon, "");
		break;
	case SCOPE_HOST:
		if (engine->pools.count)
			write_one(metrics, metric, &engine->pools.items[0], "");
		break;
	case SCOPE_POOL:
		write_pools(metrics, metric);
		break;
	case SCOPE_GUEST:
		write_guests(metrics, metric);
		break;
	}
}

/* ---- families ---- */

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);
	return length > size && strncmp(text + length - size, end, size) == 0;
}

/* OpenMetrics has a counter's and an info's family without the ending of its samples. */
static size_t family_length(const struct metrics *metrics, const struct metric *metric)
{
	const char *ending = metric->type == METRIC_COUNTER ? "_total"
			     : metric->type == METRIC_INFO  ? "_info"
							    : "";
	size_t length = strlen(metric->name);
	return length - (metrics->openmetrics ? strlen(ending) : 0);
}

static void write_family(struct metrics *metrics, const struct metric *metric)
{
	static const char *const units[] = {"bytes", "seconds", "ratio"};
	size_t length = family_length(metrics, metric);
	bool info = metric->type == METRIC_INFO && !metrics->openmetrics;
	const char *type = info ? "gauge" : metric_type_name(metric->type);
	fprintf(metrics->out, "# HELP %.*s %s\n", (int)length, metric->name,
		metric->help);
	fprintf(metrics->out, "# TYPE %.*s %s\n", (int)length, metric->name, type);
	for (size_t i = 0; i < ARRAY_SIZE(units) && metrics->openmetrics; i++)
		if (ends_with(metric->name, length, units[i]))
			fprintf(metrics->out, "# UNIT %.*s %s\n", (int)length,
				metric->name, units[i]);
	write_samples(metrics, metric);
}

char *metrics_build(const struct daemon *daemon, enum metrics_format format)
{
	char *text = NULL;
	size_t size, pools = daemon->engine.pools.count;
	struct metrics metrics = {
		.daemon = daemon,
		.out = open_memstream(&text, &size),
		.openmetrics = format == METRICS_OPENMETRICS,
		.pool_count = min_u64(sub_u64(pools, 1), METRICS_POOLS_MAX),
	};
	if (!metrics.out)
		abort();
	metrics.pools_omitted = sub_u64(pools, metrics.pool_count + 1);
	metrics_name_guests(&metrics);
	for (const struct metric *metric = metrics_table; metric->name; metric++)
		write_family(&metrics, metric);
	if (metrics.openmetrics)
		fputs("# EOF\n", metrics.out);
	metrics_names_done(&metrics);
	if (fclose(metrics.out) == EOF)
		abort();
	return text;
}
