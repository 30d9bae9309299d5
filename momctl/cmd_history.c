/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/history.h"
#include "momctl/json.h"
#include "momctl/options.h"
#include "momctl/show.h"

#define SINCE_S      7200
#define TABLE_POINTS 24
#define PLOT_POINTS  450
#define PAGE_ROWS    1000

struct history_options {
	const char *guest, *plot;
	double since_s, until_s;
	uint64_t step_s, points; /* 0 as suits the output */
	bool csv, since_given;
};

static const struct column pool_columns[] = {
	{"TIME", false, 0},
	{"STATE", false, 0},
	{"GUESTS", true, 2},
	{"BUDGET", true, 1},
	{"COST", true, 0},
	{"AVAILABLE", true, 0},
	{"LEAST", true, 5},
	{"RESERVE", true, 4},
	{"USABLE", true, 3},
	{"SWAPPED", true, 6},
	{"STALLED", true, 7},
	{"KSM", true, 8},
};

static const struct column guest_columns[] = {
	{"TIME", false, 0},
	{"STATE", false, 0},
	{"ACTUAL", true, 0},
	{"TARGET", true, 2},
	{"USED", true, 0},
	{"PEAK", true, 5},
	{"DEMAND", true, 3},
	{"RSS", true, 4},
	{"SWAP", true, 6},
	{"FAULTS", true, 7},
	{"WHY", false, 0},
};

/* ---- the command line ---- */

static int usage(void)
{
	return momctl_fail(MOMCTL_USAGE,
		"usage: momctl history [GUEST] [--since TIME] [--until TIME] "
		"[--step DURATION] [--points N] [--csv | --plot FILE.svg]");
}

static int read_plot(struct history_options *options, const char *path)
{
	size_t length = strlen(path);
	options->plot = path;
	if (length > 4 && strcmp(path + length - 4, ".svg") == 0)
		return MOMCTL_OK;
	return momctl_fail(MOMCTL_USAGE,
		"--plot draws SVG, into a file whose name ends in .svg; rsvg-convert "
		"makes PNG of it");
}

static int read_option(struct history_options *options, int *at, char **argv)
{
	const char *value;
	if (strcmp(argv[*at], "--csv") == 0) {
		options->csv = true;
		return MOMCTL_OK;
	}
	if ((value = option_value("--since", at, argv)))
		return option_time("--since", value, &options->since_s);
	if ((value = option_value("--until", at, argv)))
		return option_time("--until", value, &options->until_s);
	if ((value = option_value("--step", at, argv)))
		return option_seconds("--step", value, &options->step_s);
	if ((value = option_value("--points", at, argv)))
		return option_count("--points", value, &options->points);
	if ((value = option_value("--plot", at, argv)))
		return read_plot(options, value);
	if (argv[*at][0] == '-' || options->guest)
		return usage();
	options->guest = argv[*at];
	return MOMCTL_OK;
}

static int read_options(struct history_options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int code = read_option(options, &i, argv);
		if (code)
			return code;
	}
	if (options->csv && options->plot)
		return usage();
	if (!options->until_s)
		options->until_s = (double)time(NULL) + 1;
	options->since_given = options->since_s > 0;
	if (!options->since_given)
		options->since_s = options->until_s - SINCE_S;
	if (options->since_s >= options->until_s)
		return momctl_fail(MOMCTL_USAGE, "--since is not before --until");
	return MOMCTL_OK;
}

/* ---- asking ---- */

static void add_count(struct json_object *params, const char *key, uint64_t count)
{
	if (count)
		json_object_object_add(params, key, json_object_new_uint64(count));
}

static int ask(const struct momctl *ctl, const struct history_options *options,
	uint64_t points, bool hosts, struct json_object **answer)
{
	struct json_object *params = json_object_new_object();
	if (options->guest)
		json_object_object_add(
			params, "guest", control_json_text(options->guest));
	json_object_object_add(
		params, "since", json_object_new_int64((int64_t)options->since_s));
	json_object_object_add(
		params, "until", json_object_new_int64((int64_t)options->until_s));
	if (hosts && !options->guest)
		json_object_object_add(
			params, "pools_only", json_object_new_boolean(true));
	add_count(params, "step_s", options->step_s);
	add_count(params, "points", points);
	return momctl_call(ctl, "history", params, answer);
}

/* Where momd knows less than the usual span, that is shown finer. */
static int ask_again(const struct momctl *ctl, struct history_options *options,
	uint64_t points, bool hosts, struct json_object **answer)
{
	struct history_line line = history_line(*answer, "pools", 0);
	double first_s;
	if (options->since_given || options->step_s ||
		json_count(line.rows) * 2 > points ||
		!history_number(&line, 0, "at", &first_s) || first_s <= options->since_s)
		return MOMCTL_OK;
	options->since_s = first_s;
	json_object_put(*answer);
	*answer = NULL;
	return ask(ctl, options, points, hosts, answer);
}

/* ---- tables ---- */

static void add_size(const struct momctl *ctl, struct table *table,
	const struct history_line *line, size_t row, const char *column)
{
	char text[SIZE_TEXT_MAX] = "-";
	double kib;
	if (history_number(line, row, column, &kib))
		output_short_size(&ctl->out, text, (uint64_t)kib);
	table_add(table, STYLE_PLAIN, text);
}

static void add_number(struct table *table, const struct history_line *line, size_t row,
	const char *column, double factor, const char *format)
{
	double number;
	bool known = history_number(line, row, column, &number);
	auto_free char *text =
		known ? mem_printf("%.*f%s", *format ? 1 : 0, number * factor, format)
		      : mem_dup("-");
	table_add(table, STYLE_PLAIN, text);
}

static void add_head(struct table *table, const struct history_line *line, size_t row)
{
	char time[OPTION_TIME_TEXT];
	double at_s;
	const char *state = history_text(line, row, "state");
	history_number(line, row, "at", &at_s);
	table_add(table, STYLE_PLAIN, option_time_text(time, at_s));
	table_add(table, show_state_style(state), *state ? state : "-");
}

static void add_pool(const struct momctl *ctl, struct table *table,
	const struct history_line *line, size_t row)
{
	double total, free_kib;
	char swapped[SIZE_TEXT_MAX] = "-";
	add_head(table, line, row);
	add_number(table, line, row, "guests", 1, "");
	add_size(ctl, table, line, row, "budget_kib");
	add_size(ctl, table, line, row, "cost_kib");
	add_size(ctl, table, line, row, "available_kib");
	add_size(ctl, table, line, row, "available_least_kib");
	add_size(ctl, table, line, row, "reserve_kib");
	add_size(ctl, table, line, row, "mem_usable_kib");
	if (history_number(line, row, "swap_total_kib", &total) &&
		history_number(line, row, "swap_free_kib", &free_kib))
		output_short_size(&ctl->out, swapped, (uint64_t)(total - free_kib));
	table_add(table, STYLE_PLAIN, swapped);
	add_number(table, line, row, "psi_some", 100, " %");
	add_size(ctl, table, line, row, "ksm_saving_kib");
}

static void add_guest(const struct momctl *ctl, struct table *table,
	const struct history_line *line, size_t row)
{
	const char *why = history_text(line, row, "why");
	const char *state = history_text(line, row, "state");
	add_head(table, line, row);
	add_size(ctl, table, line, row, "actual_kib");
	add_size(ctl, table, line, row, "target_kib");
	add_size(ctl, table, line, row, "used_kib");
	add_size(ctl, table, line, row, "used_most_kib");
	add_size(ctl, table, line, row, "demand_kib");
	add_size(ctl, table, line, row, "rss_kib");
	add_size(ctl, table, line, row, "swap_kib");
	add_number(table, line, row, "major_faults", 1, "");
	table_add(table, STYLE_PLAIN, *why ? why : show_state_meaning(state));
}

static void print_line(const struct momctl *ctl, const struct history_line *line,
	const struct column *columns, size_t count,
	void (*add)(const struct momctl *ctl, struct table *table,
		const struct history_line *line, size_t row))
{
	struct table table;
	if (json_count(line->rows) == 0) {
		output_line(&ctl->out, "", "nothing is known of that time");
		return;
	}
	table_init(&table, columns, count);
	for (size_t i = 0; i < json_count(line->rows); i++)
		add(ctl, &table, line, i);
	table_print(&table, &ctl->out);
	table_done(&table);
}

static void print_tables(
	const struct momctl *ctl, struct json_object *answer, const char *kind)
{
	bool guests = strcmp(kind, "guests") == 0;
	size_t count = history_lines(answer, kind);
	for (size_t i = 0; i < count; i++) {
		struct history_line line = history_line(answer, kind, i);
		if (count > 1)
			output_line(&ctl->out, "", "%s%s", i ? "\n" : "", line.name);
		print_line(ctl, &line, guests ? guest_columns : pool_columns,
			guests ? ARRAY_SIZE(guest_columns) : ARRAY_SIZE(pool_columns),
			guests ? add_guest : add_pool);
	}
	if (!count)
		output_line(&ctl->out, "", "nothing is known of that time");
}

/* ---- the rest ---- */

/* All there is, in pages that the daemon doesn't make coarser. */
static int print_csv(const struct momctl *ctl, const struct history_options *options)
{
	struct history_options page = *options;
	const char *kind = options->guest ? "guests" : "pools";
	bool begun = false;
	if (!page.step_s)
		page.step_s = 1; /* as fine as there is */
	do {
		struct json_object *answer = NULL;
		page.until_s = page.since_s + (double)(PAGE_ROWS * page.step_s);
		if (page.until_s > options->until_s)
			page.until_s = options->until_s;
		int code = ask(ctl, &page, 0, true, &answer);
		if (code)
			return code;
		json_get_count(answer, "step_s", &page.step_s);
		if (!begun)
			history_csv_head(ctl->out.file, answer, kind);
		begun = true;
		history_csv(ctl->out.file, answer, kind);
		json_object_put(answer);
		/* the next one begins where this one's last step ends */
		uint64_t ends = (uint64_t)page.until_s;
		page.since_s =
			(double)((ends + page.step_s - 1) / page.step_s * page.step_s);
	} while (page.since_s < options->until_s && !ferror(ctl->out.file));
	return MOMCTL_OK;
}

static int write_plot(const char *path, struct json_object *answer)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return momctl_fail(
			MOMCTL_FAILED, "cannot write \"%s\": %s", path, strerror(errno));
	history_plot(file, answer);
	bool failed = ferror(file);
	if (fclose(file) != 0 || failed)
		return momctl_fail(
			MOMCTL_FAILED, "cannot write \"%s\": %s", path, strerror(errno));
	return MOMCTL_OK;
}

int cmd_history(const struct momctl *ctl, int argc, char **argv)
{
	struct history_options options = {0};
	struct json_object *answer = NULL;
	int code = read_options(&options, argc, argv);
	if (code)
		return code;
	if (options.csv)
		return print_csv(ctl, &options);
	bool table = !ctl->json && !options.plot;
	uint64_t points = options.points ? options.points
			  : table        ? TABLE_POINTS
			  : options.plot ? PLOT_POINTS
					 : 0;
	code = ask(ctl, &options, points, table, &answer);
	if (!code && !ctl->json)
		code = ask_again(ctl, &options, points, table, &answer);
	if (code)
		return code;
	if (options.plot)
		code = write_plot(options.plot, answer);
	else if (ctl->json)
		json_print(ctl->out.file, answer);
	else
		print_tables(ctl, answer, options.guest ? "guests" : "pools");
	json_object_put(answer);
	return code;
}
