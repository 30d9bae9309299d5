/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/report.h"

#include <math.h>

#include "mom/mem.h"
#include "mom/units.h"

static double shown(const struct metric *metric, double value)
{
	switch (metric->type) {
	case WORD_RATIO:
		return value * 100;
	case WORD_KIB:
		return value / KIB_PER_MIB;
	case WORD_MS:
		return value / 1000;
	default:
		return value;
	}
}

const char *report_value(
	char text[REPORT_VALUE_MAX], const struct metric *metric, double value)
{
	double number = shown(metric, value);
	int digits = number == floor(number) ? 0
		     : fabs(number) < 1      ? 3
		     : fabs(number) < 1000   ? 1
					     : 0;
	snprintf(text, REPORT_VALUE_MAX, "%.*f", digits, number);
	return text;
}

void report_table(FILE *out, const struct run_result *const *results, size_t count)
{
	fprintf(out, "%-22s", "");
	for (size_t i = 0; i < count; i++)
		fprintf(out, " %12s", results[i]->manager);
	fputc('\n', out);
	for (const struct metric *metric = metrics; metric->name; metric++) {
		if (!metric->whole)
			continue;
		fprintf(out, "%-15s %-6s", metric->name, metric->unit);
		for (size_t i = 0; i < count; i++) {
			char text[REPORT_VALUE_MAX];
			fprintf(out, " %12s",
				report_value(text, metric,
					metric->whole(&results[i]->measure)));
		}
		fputc('\n', out);
	}
}

static bool is_in_table(const struct metric *metric)
{
	return metric->guest && metric->type != WORD_NUMBER;
}

void report_guests(FILE *out, const struct run_result *result)
{
	fprintf(out, "%-16s", "guest");
	for (const struct metric *metric = metrics; metric->name; metric++)
		if (is_in_table(metric))
			fprintf(out, " %13s", metric->name);
	fprintf(out, " %10s %8s\n", "swap_in", "ooms");
	for (size_t i = 0; i < result->world.count; i++) {
		const struct sim_guest *guest = &result->world.guests[i];
		char text[REPORT_VALUE_MAX];
		fprintf(out, "%-16s", guest->name);
		for (const struct metric *metric = metrics; metric->name; metric++)
			if (is_in_table(metric))
				fprintf(out, " %13s",
					report_value(text, metric,
						metric->guest(&result->measure, guest)));
		fprintf(out, " %10.0f %8llu%s\n", guest->tally.swap_in_kib / 4,
			(unsigned long long)guest->tally.ooms,
			guest->killed ? " killed" : "");
	}
}

/* ---- JSON ---- */

void report_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < ' ')
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, const char *name, double value)
{
	fprintf(out, ", \"%s\": %.9g", name, isfinite(value) ? value : 0);
}

static void put_guest(
	FILE *out, const struct run_result *result, const struct sim_guest *guest)
{
	fprintf(out, "{\"name\": ");
	report_text(out, guest->name);
	for (const struct metric *metric = metrics; metric->name; metric++)
		if (metric->guest)
			put_number(out, metric->name,
				metric->guest(&result->measure, guest));
	fputc('}', out);
}

static void put_verdict(FILE *out, const struct run_verdict *verdict)
{
	fprintf(out, "{\"text\": ");
	report_text(out, verdict->expectation->text);
	put_number(out, "value", verdict->value);
	fprintf(out, ", \"holds\": %s}", verdict->holds ? "true" : "false");
}

static void put_run(FILE *out, const struct run_result *result)
{
	fprintf(out, "{\"manager\": ");
	report_text(out, result->manager);
	put_number(out, "seed", (double)result->seed);
	put_number(out, "host_kib", (double)result->world.make.memory_kib);
	put_number(out, "seconds", result->measure.measured_ms / 1000);
	for (const struct metric *metric = metrics; metric->name; metric++)
		if (metric->whole)
			put_number(out, metric->name, metric->whole(&result->measure));
	fprintf(out, ",\n  \"expectations\": [");
	for (size_t i = 0; i < result->verdict_count; i++) {
		fprintf(out, "%s", i ? ",\n    " : "");
		put_verdict(out, &result->verdicts[i]);
	}
	fprintf(out, "],\n  \"broken_promises\": [");
	for (size_t i = 0; i < result->broken_count; i++) {
		fprintf(out, "%s", i ? ",\n    " : "");
		report_text(out, result->broken[i]);
	}
	fprintf(out, "],\n  \"guests\": [");
	for (size_t i = 0; i < result->world.count; i++) {
		fprintf(out, "%s", i ? ",\n    " : "");
		put_guest(out, result, &result->world.guests[i]);
	}
	fprintf(out, "]}");
}

void report_json(FILE *out, const struct scenario *scenario,
	const struct run_result *const *results, size_t count)
{
	fprintf(out, "{\"scenario\": ");
	report_text(out, scenario->title);
	fprintf(out, ", \"runs\": [");
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s", i ? ",\n " : "");
		put_run(out, results[i]);
	}
	fprintf(out, "]}\n");
}
