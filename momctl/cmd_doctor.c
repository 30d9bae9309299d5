/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mom/control/client.h"
#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/doctor_facts.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

#define DEADLINE_MS 10000

struct visit {
	const char *guest, *proc, *sys; /* guest: NULL all, and the host */
	struct json_object *status, *guests;
	struct err err; /* why momd can't be asked */
	struct doctor all;
};

/* ---- looking ---- */

static int read_words(struct visit *visit, int argc, char **argv)
{
	visit->proc = "/proc";
	visit->sys = "/sys";
	for (int i = 1; i < argc; i++) {
		const char **to = strcmp(argv[i], "--proc-root") == 0  ? &visit->proc
				  : strcmp(argv[i], "--sys-root") == 0 ? &visit->sys
								       : NULL;
		if (to && !argv[i + 1])
			return momctl_fail(MOMCTL_USAGE, "%s needs a folder", argv[i]);
		if (to)
			*to = argv[++i];
		else if (visit->guest)
			return momctl_fail(MOMCTL_USAGE, "usage: momctl doctor [GUEST]");
		else
			visit->guest = argv[i];
	}
	return MOMCTL_OK;
}

static int ask_momd(struct visit *visit, struct control_client *client)
{
	struct json_object *params = json_object_new_object();
	if (visit->guest)
		json_object_object_add(params, "guest", control_json_text(visit->guest));
	int code = momctl_ask(client, "status", NULL, &visit->status);
	if (code)
		json_object_put(params);
	else
		code = momctl_ask(client, "doctor", params, &visit->guests);
	if (code)
		return code;
	doctor_take_status(&visit->all, visit->status);
	doctor_take_guests(&visit->all, visit->guests);
	return MOMCTL_OK;
}

/* Without a daemon the host can be looked at all the same, a guest can't. */
static int look_by_momd(const struct momctl *ctl, struct visit *visit)
{
	struct control_client *client = NULL;
	int code = MOMCTL_OK;
	if (visit->guest)
		code = momctl_connect(ctl, &client);
	else
		control_client_open(&client, ctl->socket, DEADLINE_MS, &visit->err);
	if (client)
		code = ask_momd(visit, client);
	control_client_close(client);
	visit->all.momd_says = visit->err.text;
	visit->all.denied = visit->err.code == -EACCES;
	return code;
}

static void look_around(struct visit *visit)
{
	struct doctor *all = &visit->all;
	all->alone = visit->guest != NULL;
	doctor_read_rivals(&all->host, visit->proc);
	doctor_read_host(&all->host, visit->proc, visit->sys);
	for (size_t i = 0; i < all->guest_count; i++)
		doctor_read_guest(&all->guests[i], visit->proc, visit->sys);
}

/* ---- telling people ---- */

static const struct {
	const char *title, *one, *many;
	enum style style;
} severities[] = {
	[SEVERITY_ADVICE] = {"Advice", "piece of advice", "pieces of advice", STYLE_GOOD},
	[SEVERITY_WARNING] = {"Warnings", "warning", "warnings", STYLE_CARE},
	[SEVERITY_SERIOUS] = {"Serious", "serious", "serious", STYLE_BAD},
};

static void print_steps(const struct momctl *ctl, const char *steps)
{
	const char *label = "      mend   ";
	while (*steps) {
		size_t length = strcspn(steps, "\n");
		output_line(&ctl->out, label, "%.*s", (int)length, steps);
		label = "             ";
		steps += length + (steps[length] == '\n');
	}
}

/* Who else is told the same: advice is given once for all. */
static void print_others(
	const struct momctl *ctl, const struct findings *findings, size_t index)
{
	const struct finding *first = &findings->items[index];
	const struct doctor_guest *last = first->guest;
	char *names = mem_dup("");
	for (size_t i = index + 1; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		if (finding->rule != first->rule || finding->guest == last)
			continue;
		last = finding->guest;
		char *longer =
			mem_printf("%s%s%s", names, *names ? ", " : "", last->name);
		free(names);
		names = longer;
	}
	if (*names)
		output_line(&ctl->out, "      also   ", "%s", names);
	free(names);
}

static bool is_told(const struct findings *findings, size_t index)
{
	const struct finding *finding = &findings->items[index];
	if (finding->rule->severity != SEVERITY_ADVICE || !finding->guest)
		return false;
	for (size_t i = 0; i < index; i++)
		if (findings->items[i].rule == finding->rule &&
			findings->items[i].guest != finding->guest)
			return true;
	return false;
}

static void print_finding(const struct momctl *ctl, const struct doctor *all,
	const struct findings *findings, size_t index)
{
	const struct finding *finding = &findings->items[index];
	const struct rule *rule = finding->rule;
	bool kib = ctl->out.kib;
	auto_free char *says = doctor_text(rule->says, all, finding, kib);
	auto_free char *costs = doctor_text(rule->costs, all, finding, kib);
	auto_free char *mends = doctor_text(rule->mends, all, finding, kib);
	output_line(&ctl->out, "  ", "%s: %s (%s)",
		finding->guest ? finding->guest->name : "host", says, rule->id);
	output_line(&ctl->out, "      costs  ", "%s", costs);
	print_steps(ctl, mends);
	if (rule->severity == SEVERITY_ADVICE && finding->guest)
		print_others(ctl, findings, index);
}

static size_t print_severity(const struct momctl *ctl, const struct doctor *all,
	const struct findings *findings, enum severity severity)
{
	size_t count = 0;
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->items[i].rule->severity != severity)
			continue;
		if (count++ == 0) {
			output_styled(&ctl->out, severities[severity].style,
				severities[severity].title);
			fputc('\n', ctl->out.file);
		}
		if (!is_told(findings, i))
			print_finding(ctl, all, findings, i);
	}
	if (count)
		fputc('\n', ctl->out.file);
	return count;
}

/* What was looked at, which is not all without a daemon. */
static char *looked_at(const struct doctor *all)
{
	if (all->alone)
		return mem_printf("guest %s", all->guests[0].name);
	if (!all->has_momd)
		return mem_dup("the host alone");
	return mem_printf("the host and %zu guest%s", all->guest_count,
		all->guest_count == 1 ? "" : "s");
}

/* Also where nothing is wrong with it. */
static void print_promise(const struct momctl *ctl, const struct doctor *all)
{
	char need[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];
	uint64_t need_kib = doctor_may_need(all), total_kib = all->host.mem_total.value;
	if (all->alone || !all->guest_count || !total_kib)
		return;
	output_line(&ctl->out, "",
		"overcommit: a restart of all guests at once would need %s, %.0f %% of "
		"the machine's %s",
		output_size(&ctl->out, need, need_kib),
		100 * (double)need_kib / (double)total_kib,
		output_size(&ctl->out, total, total_kib));
}

static void print_findings(const struct momctl *ctl, const struct doctor *all,
	const struct findings *findings)
{
	char *counts = mem_dup("");
	for (int severity = SEVERITY_SERIOUS; severity > SEVERITY_NONE; severity--) {
		size_t count = print_severity(ctl, all, findings, severity);
		if (!count)
			continue;
		char *longer = mem_printf("%s%zu %s, ", counts, count,
			count == 1 ? severities[severity].one
				   : severities[severity].many);
		free(counts);
		counts = longer;
	}
	auto_free char *subject = looked_at(all);
	if (*counts)
		output_line(&ctl->out, "", "%.*s; looked at: %s", (int)strlen(counts) - 2,
			counts, subject);
	else
		output_line(&ctl->out, "", "nothing found; looked at: %s", subject);
	print_promise(ctl, all);
	free(counts);
}

/* ---- telling programs ---- */

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? control_json_text(text) : NULL);
}

static struct json_object *steps_json(const char *steps)
{
	struct json_object *array = json_object_new_array();
	while (*steps) {
		size_t length = strcspn(steps, "\n");
		auto_free char *step = mem_ndup(steps, length);
		json_object_array_add(array, control_json_text(step));
		steps += length + (steps[length] == '\n');
	}
	return array;
}

static struct json_object *finding_json(
	const struct doctor *all, const struct finding *finding)
{
	const struct rule *rule = finding->rule;
	auto_free char *says = doctor_text(rule->says, all, finding, true);
	auto_free char *costs = doctor_text(rule->costs, all, finding, true);
	auto_free char *mends = doctor_text(rule->mends, all, finding, true);
	struct json_object *object = json_object_new_object();
	put_text(object, "id", rule->id);
	put_text(object, "severity", severity_name(rule->severity));
	put_text(object, "guest", finding->guest ? finding->guest->name : NULL);
	put_text(object, "says", says);
	put_text(object, "costs", costs);
	json_object_object_add(object, "mends", steps_json(mends));
	return object;
}

static void print_json(const struct momctl *ctl, const struct doctor *all,
	const struct findings *findings)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < findings->count; i++)
		json_object_array_add(array, finding_json(all, &findings->items[i]));
	put_text(object, "worst", severity_name(findings->worst));
	json_object_object_add(object, "momd", json_object_new_boolean(all->has_momd));
	json_object_object_add(
		object, "guests", json_object_new_uint64(all->guest_count));
	json_object_object_add(
		object, "may_need_kib", json_object_new_uint64(doctor_may_need(all)));
	json_object_object_add(object, "mem_total_kib",
		all->host.mem_total.known
			? json_object_new_uint64(all->host.mem_total.value)
			: NULL);
	json_object_object_add(object, "findings", array);
	json_print(ctl->out.file, object);
	json_object_put(object);
}

/* ---- the command ---- */

static int tell(const struct momctl *ctl, const struct doctor *all)
{
	static const int codes[] = {
		[SEVERITY_NONE] = MOMCTL_OK,
		[SEVERITY_ADVICE] = MOMCTL_ADVICE,
		[SEVERITY_WARNING] = MOMCTL_WARNING,
		[SEVERITY_SERIOUS] = MOMCTL_SERIOUS,
	};
	struct findings findings;
	doctor_examine(all, &findings);
	if (ctl->json)
		print_json(ctl, all, &findings);
	else
		print_findings(ctl, all, &findings);
	int code = codes[findings.worst];
	findings_done(&findings);
	return code;
}

int cmd_doctor(const struct momctl *ctl, int argc, char **argv)
{
	struct visit visit = {0};
	int code = read_words(&visit, argc, argv);
	if (!code)
		code = look_by_momd(ctl, &visit);
	if (!code) {
		look_around(&visit);
		code = tell(ctl, &visit.all);
	}
	doctor_done(&visit.all);
	json_object_put(visit.status);
	json_object_put(visit.guests);
	return code;
}
