/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/least.h"

#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/report.h"

#define MOST_UNMET 0.001 /* of what is needed */
#define COMMON     "mom-balloon"
#define EXACT      1.01
#define MOST_TIMES 8 /* what all guests have: more isn't tried */

struct trial {
	uint64_t host_kib;
	bool fits;
	double moved_gib;
};

static int try(const struct scenario *scenario, struct run_terms terms,
	struct trial *trial, struct err *err)
{
	struct run_result result;
	terms.host_kib = trial->host_kib;
	int r = run_play(scenario, &terms, &result, err);
	if (r < 0)
		return r;
	const struct measure *measure = &result.measure;
	trial->fits = metric_find("killed")->whole(measure) == 0 &&
		      metric_find("unmet")->whole(measure) <= MOST_UNMET;
	trial->moved_gib = metric_find("moved")->whole(measure);
	run_done(&result);
	return 0;
}

/* What holds everybody whole, and a little. */
static uint64_t whole_kib(const struct scenario *scenario)
{
	uint64_t sum = scenario->host.base_kib + KIB_PER_GIB;
	for (size_t i = 0; i < scenario->guest_count; i++)
		sum += scenario->guests[i].make.max_kib +
		       scenario->guests[i].make.overhead_kib;
	return sum + sum / 16;
}

/* Between a twentieth of all and all; some managers squeeze guests even then. */
static int find_one(const struct scenario *scenario, const struct run_terms *terms,
	struct trial *best, struct err *err)
{
	uint64_t whole = whole_kib(scenario), low = whole / 20;
	*best = (struct trial){.host_kib = whole};
	int r = try(scenario, *terms, best, err);
	while (r == 0 && !best->fits && best->host_kib < whole * MOST_TIMES) {
		low = best->host_kib;
		best->host_kib *= 2;
		r = try(scenario, *terms, best, err);
	}
	while (r == 0 && best->fits && (double)best->host_kib > EXACT * (double)low) {
		struct trial trial = {.host_kib = low + (best->host_kib - low) / 2};
		r = try(scenario, *terms, &trial, err);
		if (r == 0 && trial.fits)
			*best = trial;
		else
			low = trial.host_kib;
	}
	return r;
}

/* ---- side by side ---- */

/* One manager: on the least host that it needs, and on the one that all are tried on. */
struct row {
	const char *manager;
	struct trial least, common;
};

/* What the named manager needs; 0 it isn't among them, or can't. */
static uint64_t needed_kib(const struct row *rows, size_t count, const char *manager)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].manager, manager) == 0 && rows[i].least.fits)
			return rows[i].least.host_kib;
	return 0;
}

static int fill(const struct scenario *scenario, const struct run_terms *terms,
	struct row *rows, size_t count, struct err *err)
{
	struct run_terms own = *terms;
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		own.manager = rows[i].manager;
		r = find_one(scenario, &own, &rows[i].least, err);
	}
	uint64_t common_kib = r == 0 ? needed_kib(rows, count, COMMON) : 0;
	for (size_t i = 0; r == 0 && common_kib && i < count; i++) {
		own.manager = rows[i].manager;
		rows[i].common.host_kib = common_kib;
		r = try(scenario, own, &rows[i].common, err);
	}
	return r;
}

static void tell_figure(
	FILE *out, bool json, const char *name, bool known, int places, double value)
{
	fprintf(out, json ? ", \"%s\": " : " %s=", name);
	if (known)
		fprintf(out, "%.*f", places, value);
	else
		fputs(json ? "null" : "-", out);
}

static void tell_figures(FILE *out, bool json, const struct row *row, uint64_t oracle_kib)
{
	double host_kib = (double)row->least.host_kib;
	bool fits = row->least.fits;
	tell_figure(out, json, "host_mib", fits, 0, floor(host_kib / KIB_PER_MIB));
	tell_figure(out, json, "ratio_to_oracle", fits && oracle_kib, 3,
		host_kib / (double)max_u64(oracle_kib, 1));
	tell_figure(out, json, "moved_gib", row->common.fits, 1, row->common.moved_gib);
	tell_figure(out, json, "own_moved_gib", fits, 1, row->least.moved_gib);
}

static void tell(FILE *out, const struct row *rows, size_t count, size_t guests)
{
	uint64_t oracle_kib = needed_kib(rows, count, "oracle");
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "RESULT policy=%s guests=%zu", rows[i].manager, guests);
		tell_figures(out, false, &rows[i], oracle_kib);
		fputc('\n', out);
	}
}

static void tell_json(
	FILE *out, const struct row *rows, size_t count, const struct scenario *scenario)
{
	uint64_t oracle_kib = needed_kib(rows, count, "oracle");
	fprintf(out, "{\"scenario\": ");
	report_text(out, scenario->title);
	fprintf(out, ", \"guests\": %zu, \"least\": [", scenario->guest_count);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s{\"manager\": ", i ? ",\n " : "");
		report_text(out, rows[i].manager);
		tell_figures(out, true, &rows[i], oracle_kib);
		fputc('}', out);
	}
	fprintf(out, "]}\n");
}

int least_find(FILE *out, const struct scenario *scenario, const struct run_terms *terms,
	const char *const *managers, size_t count, bool json, struct err *err)
{
	auto_free struct row *rows = mem_array(count, sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		rows[i].manager = managers[i];
	int r = fill(scenario, terms, rows, count, err);
	if (r < 0)
		return r;
	if (json)
		tell_json(out, rows, count, scenario);
	else
		tell(out, rows, count, scenario->guest_count);
	return 0;
}
