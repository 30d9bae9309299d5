/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

/* A size in a sentence; "unknown" where it is. */
static const char *size_of(const struct momctl *ctl, char text[SIZE_TEXT_MAX],
	struct json_object *object, const char *key)
{
	uint64_t kib;
	if (!json_get_count(object, key, &kib))
		return "unknown";
	return output_size(&ctl->out, text, kib);
}

static void print_state(const struct momctl *ctl, struct json_object *ledger)
{
	const char *state = json_get_text(ledger, "state");
	output_styled(&ctl->out, STYLE_HEAD, "Host     ");
	output_styled(&ctl->out, show_state_style(state), *state ? state : "unknown");
	output_line(&ctl->out, "", ": %s", show_state_meaning(state));
}

/* What is left of a budget, or how much too much is in use. */
static const char *balance(const struct momctl *ctl, char text[SIZE_TEXT_MAX],
	struct json_object *ledger, const char **word)
{
	uint64_t budget, cost;
	*word = "free";
	if (!json_get_count(ledger, "budget_kib", &budget) ||
		!json_get_count(ledger, "cost_kib", &cost))
		return "unknown";
	if (cost > budget)
		*word = "too much";
	return output_size(
		&ctl->out, text, cost > budget ? cost - budget : budget - cost);
}

/* "6 guests" where their number is known. */
static char *guests_text(struct json_object *ledger)
{
	uint64_t count;
	if (!json_get_count(ledger, "guests", &count))
		return mem_dup("guests");
	return mem_printf("%" PRIu64 " guest%s", count, count == 1 ? "" : "s");
}

/* " (cgroup "/x")" of a pool; nothing of the host. */
static char *pool_text(struct json_object *ledger)
{
	const char *name = json_get_text(ledger, "name");
	return name[0] == '/' ? mem_printf(" (cgroup \"%s\")", name) : mem_dup("");
}

static void print_budget(
	const struct momctl *ctl, const char *label, struct json_object *ledger)
{
	char cost[SIZE_TEXT_MAX], budget[SIZE_TEXT_MAX], left[SIZE_TEXT_MAX],
		reserve[SIZE_TEXT_MAX];
	const char *word;
	const char *balanced = balance(ctl, left, ledger, &word);
	auto_free char *guests = guests_text(ledger);
	auto_free char *pool = pool_text(ledger);
	output_line(&ctl->out, label,
		"%s in use by %s, %s %s, of a budget of %s%s; %s kept in reserve",
		size_of(ctl, cost, ledger, "cost_kib"), guests, balanced, word,
		size_of(ctl, budget, ledger, "budget_kib"), pool,
		size_of(ctl, reserve, ledger, "reserve_kib"));
}

/* Memory kept for guests that are to come, a line each. */
static void print_reservations(const struct momctl *ctl, struct json_object *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *reservation = json_object_array_get_idx(list, i);
		char size[SIZE_TEXT_MAX], held[SIZE_TEXT_MAX];
		const char *name = json_get_text(reservation, "for");
		auto_free char *left = show_age(reservation, "expires_s");
		output_line(&ctl->out, "Reserved ",
			"%s for %s, %s of it free; for %s at most",
			size_of(ctl, size, reservation, "size_kib"),
			*name ? name : "the next guest",
			size_of(ctl, held, reservation, "held_kib"), left);
	}
}

/* The pools beside the one that stands for the host. */
static void print_pools(const struct momctl *ctl, struct json_object *status)
{
	struct json_object *pools = json_get(status, "pools");
	const char *main_name = json_get_text(json_get(status, "host"), "name");
	for (size_t i = 0; i < json_count(pools); i++) {
		struct json_object *pool = json_object_array_get_idx(pools, i);
		if (strcmp(json_get_text(pool, "name"), main_name) == 0)
			continue;
		auto_free char *label = mem_printf("%-8s ", json_get_text(pool, "state"));
		print_budget(ctl, label, pool);
	}
}

static char *pressure_text(struct json_object *host)
{
	double some, full;
	if (!json_get_number(host, "psi_some", &some) ||
		!json_get_number(host, "psi_full", &full))
		return mem_dup("");
	return mem_printf(
		"; stalled on memory %.1f %%, wholly %.1f %%", some * 100, full * 100);
}

static char *swap_text(const struct momctl *ctl, struct json_object *host)
{
	char total[SIZE_TEXT_MAX], left[SIZE_TEXT_MAX];
	uint64_t kib;
	if (json_get_count(host, "swap_total_kib", &kib) && kib == 0)
		return mem_dup("no swap");
	return mem_printf("swap %s, %s free", size_of(ctl, total, host, "swap_total_kib"),
		size_of(ctl, left, host, "swap_free_kib"));
}

static char *ksm_text(const struct momctl *ctl, struct json_object *host)
{
	char text[SIZE_TEXT_MAX];
	uint64_t kib;
	if (!json_get_count(host, "ksm_saving_kib", &kib))
		return mem_dup("");
	return mem_printf("; KSM saves %s", output_size(&ctl->out, text, kib));
}

static void print_machine(const struct momctl *ctl, struct json_object *host)
{
	char total[SIZE_TEXT_MAX], usable[SIZE_TEXT_MAX];
	auto_free char *swap = swap_text(ctl, host);
	auto_free char *pressure = pressure_text(host);
	auto_free char *ksm = ksm_text(ctl, host);
	output_line(&ctl->out, "Machine  ", "%s of memory, %s usable; %s%s%s",
		size_of(ctl, total, host, "mem_total_kib"),
		size_of(ctl, usable, host, "mem_usable_kib"), swap, pressure, ksm);
}

/* "fair-share, ksm" */
static char *joined(struct json_object *names)
{
	char *text = mem_dup("");
	for (size_t i = 0; i < json_count(names); i++) {
		struct json_object *name = json_object_array_get_idx(names, i);
		char *longer = mem_printf(
			"%s%s%s", text, i ? ", " : "", json_object_get_string(name));
		free(text);
		text = longer;
	}
	return text;
}

static char *hypervisor_text(struct json_object *hypervisor)
{
	const char *uri = json_get_text(hypervisor, "uri");
	const char *why = json_get_text(hypervisor, "why");
	auto_free char *since = show_age(hypervisor, "since_s");
	if (json_get_bool(hypervisor, "connected"))
		return mem_printf("%s connected for %s%s", uri, since,
			json_get_bool(hypervisor, "read_only") ? ", read only" : "");
	return mem_printf(
		"%s NOT connected for %s%s%s", uri, since, *why ? ": " : "", why);
}

static void print_manager(const struct momctl *ctl, struct json_object *status)
{
	struct json_object *policies = json_get(status, "policies");
	size_t count = json_count(policies);
	auto_free char *names = joined(policies);
	auto_free char *hypervisor = hypervisor_text(json_get(status, "hypervisor"));
	output_line(&ctl->out, "Manager  ", "%s%s%s; %s",
		count == 0   ? "no policy"
		: count == 1 ? "policy "
			     : "policies ",
		names,
		json_get_bool(status, "dry_run") ? "; dry run, nothing is ordered" : "",
		hypervisor);
	if (json_get_bool(status, "paused"))
		output_line(&ctl->out, "Paused   ",
			"no guest is moved until \"momctl resume\"");
}

/* Rounds that began late since momd started: it, or the machine, had too much to do. */
static void print_lateness(const struct momctl *ctl, struct json_object *tick)
{
	uint64_t late, count;
	if (json_get_count(tick, "late", &late) && late > 0 &&
		json_get_count(tick, "count", &count))
		output_line(&ctl->out, "Late     ", "%" PRIu64 " of %" PRIu64 " rounds",
			late, count);
}

static void print_warnings(const struct momctl *ctl, struct json_object *warnings)
{
	for (size_t i = 0; i < json_count(warnings); i++)
		output_line(&ctl->out, "Warning  ", "%s",
			json_object_get_string(json_object_array_get_idx(warnings, i)));
}

static void print_status(const struct momctl *ctl, struct json_object *status)
{
	struct json_object *host = json_get(status, "host");
	print_state(ctl, host);
	print_budget(ctl, "Memory   ", host);
	print_pools(ctl, status);
	print_reservations(ctl, json_get(status, "reservations"));
	print_machine(ctl, host);
	print_manager(ctl, status);
	print_lateness(ctl, json_get(status, "tick"));
	print_warnings(ctl, json_get(status, "warnings"));
	fputc('\n', ctl->out.file);
	show_guests(ctl, json_get(status, "guests"));
}

int cmd_status(const struct momctl *ctl, int argc, char **argv)
{
	struct json_object *status = NULL;
	(void)argc, (void)argv;
	int code = momctl_call(ctl, "status", NULL, &status);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, status);
	else
		print_status(ctl, status);
	json_object_put(status);
	return MOMCTL_OK;
}
