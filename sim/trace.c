/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/trace.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/words.h"

#define LINE_MAX_BYTES 256
#define HEADER         "vm_id,t_seconds,provisioned_kib,used_kib,granted_kib"
#define START_EVERY_MS 20000
#define SETTLE_MS      600000        /* before it is measured */
#define READ_KIB_PER_S (10 * 1024.0) /* a server's cache fills slowly */
#define MOST_PART      0.95          /* of a guest that its programs can fill */
#define STEP_MS        5000          /* at most: other managers look so often */
#define MOST           (1ull << 50)  /* of any column: a pebibyte is no machine's */

struct row {
	int64_t at_ms;
	uint64_t provisioned_kib, used_kib, granted_kib;
};

/* One machine of the trace. */
struct machine {
	unsigned id;
	struct row *rows;
	size_t count, capacity;
	uint64_t provisioned_kib;
};

struct trace {
	struct machine *machines;
	size_t count, capacity;
};

struct terms {
	uint64_t vms, pick;
	int64_t from_ms, for_ms, window_ms;
	double base, swap;
	uint64_t largest_kib, overhead_kib;
	const char *min;
};

#define TERM(field) offsetof(struct terms, field)
static const struct word_key keys[] = {
	{"vms", WORD_COUNT, TERM(vms)},
	{"pick", WORD_COUNT, TERM(pick)},
	{"from", WORD_TIME, TERM(from_ms)},
	{"for", WORD_TIME, TERM(for_ms)},
	{"window", WORD_TIME, TERM(window_ms)},
	{"base", WORD_RATIO, TERM(base)},
	{"swap", WORD_RATIO, TERM(swap)},
	{"largest", WORD_SIZE, TERM(largest_kib)},
	{"overhead", WORD_SIZE, TERM(overhead_kib)},
	{"min", WORD_TEXT, TERM(min)},
	{0},
};

static void trace_done(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		free(trace->machines[i].rows);
	free(trace->machines);
}

/* ---- the file ---- */

static struct machine *machine_of(struct trace *trace, unsigned id)
{
	for (size_t i = trace->count; i-- > 0;)
		if (trace->machines[i].id == id)
			return &trace->machines[i];
	trace->machines = mem_grow(trace->machines, trace->count, &trace->capacity,
		sizeof(*trace->machines));
	struct machine *machine = &trace->machines[trace->count++];
	*machine = (struct machine){.id = id};
	return machine;
}

enum column { VM_ID, T_SECONDS, PROVISIONED_KIB, USED_KIB, GRANTED_KIB, COLUMNS };

/* Five whole numbers, and nothing else. */
static bool read_columns(const char *text, uint64_t values[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		char *end;
		if (*text < '0' || *text > '9')
			return false;
		values[i] = strtoull(text, &end, 10);
		if (values[i] > MOST || *end != (i + 1 < COLUMNS ? ',' : '\0'))
			return false;
		text = end + 1;
	}
	return values[VM_ID] <= UINT_MAX;
}

static int add_row(
	struct trace *trace, const char *text, const struct terms *terms, struct err *err)
{
	uint64_t values[COLUMNS];
	if (!read_columns(text, values))
		return err_set(err, -EBADMSG,
			"expected the five whole numbers of %s, not \"%.60s\"", HEADER,
			text);
	if (!values[PROVISIONED_KIB])
		return err_set(err, -EBADMSG, "a machine without memory");
	int64_t at_ms = (int64_t)values[T_SECONDS] * 1000 - terms->from_ms;
	if (at_ms + terms->window_ms < 0 || at_ms > terms->for_ms)
		return 0;
	struct machine *machine = machine_of(trace, (unsigned)values[VM_ID]);
	machine->rows = mem_grow(machine->rows, machine->count, &machine->capacity,
		sizeof(*machine->rows));
	machine->rows[machine->count++] = (struct row){
		at_ms, values[PROVISIONED_KIB], values[USED_KIB], values[GRANTED_KIB]};
	machine->provisioned_kib =
		max_u64(machine->provisioned_kib, values[PROVISIONED_KIB]);
	return 0;
}

static int read_rows(gzFile file, const char *path, struct trace *trace,
	const struct terms *terms, struct err *err)
{
	char text[LINE_MAX_BYTES];
	unsigned line = 0;
	int r = 0;
	while (r == 0 && gzgets(file, text, sizeof(text))) {
		text[strcspn(text, "\r\n")] = '\0';
		if (++line == 1 && strcmp(text, HEADER) != 0)
			r = err_set(err, -EBADMSG, "expected the header %s", HEADER);
		else if (line > 1)
			r = add_row(trace, text, terms, err);
	}
	if (r < 0)
		return err_prefix(err, "%s:%u", path, line);
	int trouble;
	const char *why = gzerror(file, &trouble);
	if (trouble != Z_OK && trouble != Z_STREAM_END)
		return err_set(err, -EIO, "cannot read \"%s\": %s", path, why);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	return left->at_ms < right->at_ms ? -1 : left->at_ms > right->at_ms;
}

static int by_id(const void *a, const void *b)
{
	const struct machine *left = a, *right = b;
	return left->id < right->id ? -1 : left->id > right->id;
}

static int read_file(
	const char *path, struct trace *trace, const struct terms *terms, struct err *err)
{
	errno = 0;
	gzFile file = gzopen(path, "re");
	if (!file)
		return err_errno(err, errno ? errno : ENOMEM, "cannot open \"%s\"", path);
	int r = read_rows(file, path, trace, terms, err);
	gzclose(file);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trace->count; i++)
		qsort(trace->machines[i].rows, trace->machines[i].count,
			sizeof(struct row), by_time);
	if (trace->count)
		qsort(trace->machines, trace->count, sizeof(*trace->machines), by_id);
	return 0;
}

/* ---- guests out of machines ---- */

/* Machines too large to be a host's guest among others, or without a course. */
static void drop_unfit(struct trace *trace, const struct terms *terms)
{
	size_t kept = 0;
	for (size_t i = 0; i < trace->count; i++) {
		struct machine *machine = &trace->machines[i];
		bool fit = machine->provisioned_kib <= terms->largest_kib &&
			   machine->rows[machine->count - 1].at_ms > 0;
		if (fit)
			trace->machines[kept++] = *machine;
		else
			free(machine->rows);
	}
	trace->count = kept;
}

/* Choose so many by the seed: the front of a shuffled row. */
static void choose(struct trace *trace, const struct terms *terms)
{
	struct random random = random_of(terms->pick, 0);
	for (size_t i = 0; i < terms->vms; i++) {
		size_t other = i + random_next(&random) % (trace->count - i);
		struct machine held = trace->machines[i];
		trace->machines[i] = trace->machines[other];
		trace->machines[other] = held;
	}
}

static void add_course(
	struct work *work, const struct machine *machine, const struct terms *terms)
{
	double provisioned = (double)machine->provisioned_kib;
	work->ramp = true;
	work->read_kib_per_s = READ_KIB_PER_S;
	for (size_t i = 0; i < machine->count; i++) {
		const struct row *row = &machine->rows[i];
		if (row->at_ms < 0)
			continue;
		uint64_t most = row->used_kib;
		for (size_t j = i; j-- > 0 && machine->rows[j].at_ms >=
						      row->at_ms - terms->window_ms;)
			most = max_u64(most, machine->rows[j].used_kib);
		double need = fmin((double)most + terms->base * provisioned,
			MOST_PART * provisioned);
		*work_add(work) = (struct work_point){
			.at_ms = row->at_ms,
			.need_kib = need,
			.active_kib = need,
			.cache_kib = fmax((double)row->granted_kib - need, 0),
		};
	}
}

static void add_machine(struct scenario *scenario, const struct machine *machine,
	const struct terms *terms)
{
	struct work *work = scenario_add_work(scenario);
	add_course(work, machine, terms);
	struct scenario_guest *guest = scenario_add_guest(scenario);
	*guest = (struct scenario_guest){
		.make = guest_make_usual(), .work = scenario->work_count - 1};
	snprintf(guest->name, sizeof(guest->name), "vm%u", machine->id);
	guest->make.max_kib = machine->provisioned_kib;
	guest->make.overhead_kib = terms->overhead_kib;
	guest->make.swap_kib = (uint64_t)(terms->swap * (double)machine->provisioned_kib);
	/* the base of its need is its kernel's */
	guest->make.kernel_kib = 0;
	/* switched on one after the other, and yet all on the trace's clock */
	guest->start_ms = (int64_t)(scenario->guest_count - 1) * START_EVERY_MS;
	guest->shift_ms = guest->start_ms + (int64_t)guest->make.boot_ms;
	guest->make.boot_touch_kib = work->count ? work->points[0].need_kib : 0;
}

static const struct terms usual_terms = {
	.for_ms = 7 * 24 * 3600 * 1000ll,
	.window_ms = 3600 * 1000,
	.base = 0.1,
	.swap = 0.25,
	.largest_kib = 128 * KIB_PER_GIB,
	.overhead_kib = 128 * KIB_PER_MIB,
	.min = "10%",
};

static int add_trace(struct scenario *scenario, const char *path, const char *where,
	struct terms terms, struct err *err)
{
	struct trace trace = {0};
	int r = read_file(path, &trace, &terms, err);
	if (r == 0) {
		drop_unfit(&trace, &terms);
		terms.vms = terms.vms ? terms.vms : trace.count;
		if (!trace.count || trace.count < terms.vms)
			r = err_set(err, -EINVAL,
				"\"%s\" has %zu machines that can be played, not %llu",
				path, trace.count,
				(unsigned long long)max_u64(terms.vms, 1));
	}
	if (r == 0) {
		choose(&trace, &terms);
		for (size_t i = 0; i < terms.vms; i++)
			add_machine(scenario, &trace.machines[i], &terms);
		scenario_add_setting(scenario, "*", "min", terms.min, where);
		scenario->settle_ms = (int64_t)terms.vms * START_EVERY_MS + SETTLE_MS;
		if (scenario->step_ms > STEP_MS)
			scenario->step_ms = STEP_MS;
		if (!scenario->length_ms)
			scenario->length_ms = terms.for_ms;
	}
	trace_done(&trace);
	return r;
}

int trace_read_line(struct scenario *scenario, const char *path, char **words,
	size_t count, struct err *err)
{
	struct terms terms = usual_terms;
	if (count < 1)
		return err_set(err, -EINVAL, "expected trace FILE …");
	for (size_t i = 1; i < count; i++) {
		int r = word_assign(keys, words[i], &terms, err);
		if (r < 0)
			return r;
	}
	return add_trace(scenario, words[0], path, terms, err);
}

int trace_read(struct scenario *scenario, const char *path, uint64_t vms, uint64_t pick,
	struct err *err)
{
	struct terms terms = usual_terms;
	terms.vms = vms;
	terms.pick = pick;
	terms.for_ms = scenario->length_ms;
	return add_trace(scenario, path, path, terms, err);
}
