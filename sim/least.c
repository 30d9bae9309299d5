/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/least.h"

#include <string.h>

#include "mom/units.h"

#define MOST_UNMET 0.001 /* of what is needed */
#define COMMON     "mom-balloon"
#define EXACT      1.01

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

/* A host that holds everybody whole, whatever the manager does. */
static uint64_t ample_kib(const struct scenario *scenario)
{
	uint64_t sum = scenario->host.base_kib + KIB_PER_GIB;
	for (size_t i = 0; i < scenario->guest_count; i++)
		sum += scenario->guests[i].make.max_kib +
		       scenario->guests[i].make.overhead_kib;
	return sum + sum / 16;
}

static int find_one(const struct scenario *scenario, const struct run_terms *terms,
	struct trial *best, struct err *err)
{
	uint64_t low = ample_kib(scenario) / 20;
	*best = (struct trial){.host_kib = ample_kib(scenario)};
	int r = try(scenario, *terms, best, err);
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

static void tell(FILE *out, const char *manager, const struct scenario *scenario,
	const struct trial *best, uint64_t oracle_kib)
{
	fprintf(out, "RESULT policy=%s guests=%zu", manager, scenario->guest_count);
	if (!best->fits) {
		fprintf(out, " host_mib=- ratio_to_oracle=- moved_gib=-\n");
		return;
	}
	fprintf(out, " host_mib=%llu", (unsigned long long)best->host_kib / KIB_PER_MIB);
	if (oracle_kib)
		fprintf(out, " ratio_to_oracle=%.3f",
			(double)best->host_kib / (double)oracle_kib);
	else
		fprintf(out, " ratio_to_oracle=-");
	fprintf(out, " moved_gib=%.1f\n", best->moved_gib);
	fflush(out);
}

/* Moves are only alike on the same host: what each moves on the one that MOM needs. */
static int tell_moves(FILE *out, const struct scenario *scenario,
	const struct run_terms *terms, const char *const *managers, size_t count,
	uint64_t host_kib, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct run_terms own = *terms;
		struct trial trial = {.host_kib = host_kib};
		own.manager = managers[i];
		r = try(scenario, own, &trial, err);
		if (r == 0 && trial.fits)
			fprintf(out,
				"MOVED policy=%s guests=%zu host_mib=%llu "
				"moved_gib=%.1f\n",
				managers[i], scenario->guest_count,
				(unsigned long long)host_kib / KIB_PER_MIB,
				trial.moved_gib);
	}
	return r;
}

int least_find(FILE *out, const struct scenario *scenario, const struct run_terms *terms,
	const char *const *managers, size_t count, struct err *err)
{
	uint64_t oracle_kib = 0, common_kib = 0;
	for (size_t i = 0; i < count; i++) {
		struct run_terms own = *terms;
		struct trial best;
		own.manager = managers[i];
		int r = find_one(scenario, &own, &best, err);
		if (r < 0)
			return r;
		if (strcmp(managers[i], "oracle") == 0 && best.fits)
			oracle_kib = best.host_kib;
		if (strcmp(managers[i], COMMON) == 0 && best.fits)
			common_kib = best.host_kib;
		tell(out, managers[i], scenario, &best, oracle_kib);
	}
	return common_kib ? tell_moves(out, scenario, terms, managers, count, common_kib,
				    err)
			  : 0;
}
