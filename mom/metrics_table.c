/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/metrics.h"

#include <string.h>

#include "mom/daemon.h"
#include "mom/history/history.h"
#include "mom/mem.h"
#include "mom/metrics_process.h"
#include "mom/metrics_write.h"

/*
 * Every metric that momd has, a row each; doc/metrics.md, the alert rules and the
 * dashboard are tested against it. A new one is a row here.
 */

static const struct metrics_label no_label = {0};

static struct metrics_label label(const char *name, const char *value)
{
	return (struct metrics_label){name, value};
}

/* ---- the daemon ---- */

static void write_build(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	(void)of;
	metrics_whole(metrics, metric, labels, label("version", PACKAGE_VERSION), 1);
}

static void write_duration(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	(void)labels;
	metrics_spread(metrics, metric, &((const struct daemon *)of)->tick_time);
}

static void write_lateness(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	(void)labels;
	metrics_spread(metrics, metric, &((const struct daemon *)of)->lateness);
}

static void write_period(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct daemon *daemon = of;
	metrics_real(metrics, metric, labels, no_label,
		(double)engine_period_ms(&daemon->engine) / 1000);
}

static void write_dry_run(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct daemon *daemon = of;
	metrics_whole(metrics, metric, labels, no_label, engine_dry_run(&daemon->engine));
}

static void write_control(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	struct control_server_load load =
		control_server_load(((const struct daemon *)of)->server);
	metrics_whole(metrics, metric, labels, no_label,
		metric->type == METRIC_COUNTER ? load.missed : load.clients);
}

static void write_history(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct daemon *daemon = of;
	if (daemon->history)
		metrics_whole(metrics, metric, labels, no_label,
			!history_trouble(daemon->history));
}

static void write_process(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct daemon *daemon = of;
	double value;
	if (metrics_process(metric->name, daemon->started_at_ms, &value))
		metrics_real(metrics, metric, labels, no_label, value);
}

/* ---- the hypervisor ---- */

static void write_hypervisor(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct engine *engine = &((const struct daemon *)of)->engine;
	struct hypervisor_status status = {0};
	engine->env.hypervisor->status(engine->hypervisor_self, &status);
	const struct {
		const char *name;
		uint64_t value;
	} values[] = {
		{"mom_hypervisor_connected", status.connected},
		{"mom_hypervisor_read_only", status.read_only},
		{"mom_hypervisor_calls", status.calls},
		{"mom_hypervisor_late_calls_total", status.calls_late},
	};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].name, metric->name) == 0)
			metrics_whole(metrics, metric, labels, no_label, values[i].value);
}

/* ---- decisions, orders, and what came of them ---- */

static void write_moves(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct tally *tally = &((const struct daemon *)of)->engine.tally;
	for (int i = 0; i < MOVE_COUNT; i++)
		metrics_whole(metrics, metric, labels,
			label("direction", tally_move_name(i)),
			metric->form == FORM_KIB ? tally->ordered_kib[i] * 1024
						 : tally->orders[i]);
}

static void write_answers(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct tally *tally = &((const struct daemon *)of)->engine.tally;
	for (int i = 0; i < ANSWER_COUNT; i++)
		metrics_whole(metrics, metric, labels,
			label("answer", tally_answer_name(i)), tally->answers[i]);
}

static void write_decisions(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct tally *tally = &((const struct daemon *)of)->engine.tally;
	for (int i = 0; i < DECISION_COUNT; i++)
		metrics_whole(metrics, metric, labels,
			label("decision", tally_decision_name(i)), tally->decisions[i]);
}

static void write_events(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct daemon *daemon = of;
	for (int i = 0; i < OCCURRENCE_KIND_COUNT; i++)
		metrics_whole(metrics, metric, labels,
			label("kind", occurrence_kind_name(i)), daemon->event_kinds[i]);
}

static void write_policies(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct policy_set *policies = ((const struct daemon *)of)->engine.policies;
	bool runs = strcmp(metric->name, "mom_policy_runs_total") == 0;
	for (size_t i = 0; policies && i < policy_set_count(policies); i++) {
		struct policy_info info = policy_set_at(policies, i);
		metrics_whole(metrics, metric, labels, label("policy", info.name),
			runs ? info.runs : info.failures);
	}
}

static void write_collectors(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct engine *engine = &((const struct daemon *)of)->engine;
	for (size_t i = 0; i < engine->collector_count; i++) {
		const struct engine_collector *collector = &engine->collectors[i];
		metrics_whole(metrics, metric, labels,
			label("collector", collector->part->name),
			collector->self && !collector->failing);
	}
}

static void write_controllers(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct engine *engine = &((const struct daemon *)of)->engine;
	for (size_t i = 0; i < engine->controller_count; i++) {
		const struct engine_controller *controller = &engine->controllers[i];
		metrics_whole(metrics, metric, labels,
			label("controller", controller->part->name),
			controller->self && !controller->failing);
	}
}

/* ---- guests, counted ---- */

static void write_states(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct roster *roster = &((const struct daemon *)of)->engine.roster;
	uint64_t counts[GUEST_STATE_COUNT] = {0};
	for (size_t i = 0; i < roster->count; i++)
		counts[roster->guests[i]->state]++;
	for (int i = 0; i < GUEST_STATE_COUNT; i++)
		metrics_whole(metrics, metric, labels,
			label("state", guest_state_name(i)), counts[i]);
}

static void write_qualities(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct roster *roster = &((const struct daemon *)of)->engine.roster;
	uint64_t counts[QUALITY_GOOD + 1] = {0};
	for (size_t i = 0; i < roster->count; i++)
		counts[roster->guests[i]->quality]++;
	for (int i = 0; i <= QUALITY_GOOD; i++)
		metrics_whole(metrics, metric, labels,
			label("quality", guest_quality_name(i)), counts[i]);
}

static void write_omitted(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	(void)of;
	bool guests = strcmp(metric->name, "mom_guests_omitted") == 0;
	metrics_whole(metrics, metric, labels, no_label,
		guests ? metrics->guests_omitted : metrics->pools_omitted);
}

static void write_promised(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct roster *roster = &((const struct daemon *)of)->engine.roster;
	uint64_t promised_kib = 0;
	for (size_t i = 0; i < roster->count; i++)
		promised_kib += roster->guests[i]->facts.sample.max_kib;
	metrics_whole(metrics, metric, labels, no_label, promised_kib * 1024);
}

/* ---- the host, and the pools beside it ---- */

static void write_pool_state(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct pool *pool = of;
	for (int i = 0; i < HOST_STATE_COUNT; i++)
		metrics_whole(metrics, metric, labels, label("state", host_state_name(i)),
			pool->sample.state == (enum host_state)i);
}

static void write_pressure(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct pool *pool = of;
	metrics_real(
		metrics, metric, labels, label("stalled", "some"), pool->sample.psi_some);
	metrics_real(
		metrics, metric, labels, label("stalled", "full"), pool->sample.psi_full);
}

static void write_pages(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const int64_t *pages = (const void *)((const char *)of + metric->at);
	metrics_whole(metrics, metric, labels, no_label, (uint64_t)*pages * 4096);
}

static void write_host_swapping(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct snapshot *snapshot = &((const struct daemon *)of)->engine.snapshot;
	metrics_whole(metrics, metric, labels, label("direction", "in"),
		snapshot->host_swap_in_pages * 4096);
	metrics_whole(metrics, metric, labels, label("direction", "out"),
		snapshot->host_swap_out_pages * 4096);
}

/* ---- a guest ---- */

static void write_guest_info(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct guest *guest = of;
	const struct pools *pools = &metrics->daemon->engine.pools;
	const char *path = guest->pool && guest->pool < pools->count
				   ? pools->items[guest->pool].path
				   : "host";
	auto_free char *pool = metrics_escape(path);
	auto_free char *all = mem_printf("%s,pool=\"%s\"", labels, pool);
	metrics_whole(metrics, metric, all, label("uuid", guest->facts.uuid), 1);
}

static void write_guest_state(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct guest *guest = of;
	metrics_whole(metrics, metric, labels,
		label("state", guest_state_name(guest->state)), 1);
}

static void write_guest_quality(struct metrics *metrics, const struct metric *metric,
	const void *of, const char *labels)
{
	const struct guest *guest = of;
	metrics_whole(metrics, metric, labels,
		label("quality", guest_quality_name(guest->quality)), 1);
}

/* ---- the table ---- */

#define OWN(field)   offsetof(struct daemon, field)
#define POOL(field)  offsetof(struct pool, sample.field)
#define GUEST(field) offsetof(struct guest, facts.field)

#define DAEMON_FIELD(name_, type_, form_, field, help_)                                  \
	{                                                                                \
		.name = name_, .type = type_, .form = form_, .at = OWN(field),           \
		.known = ALWAYS, .help = help_                                           \
	}
#define DAEMON_WRITTEN(name_, type_, write_, labels_, help_)                             \
	{                                                                                \
		.name = name_, .type = type_, .known = ALWAYS, .labels = labels_,        \
		.write = write_, .help = help_                                           \
	}
#define HOST_FIELD(name_, form_, field, known_, help_)                                   \
	{                                                                                \
		.name = name_, .scope = SCOPE_HOST, .form = form_, .at = POOL(field),    \
		.known = known_, .help = help_                                           \
	}
#define HOST_WRITTEN(name_, write_, field, known_, labels_, help_)                       \
	{                                                                                \
		.name = name_, .scope = SCOPE_HOST, .at = POOL(field), .known = known_,  \
		.labels = labels_, .write = write_, .help = help_                        \
	}
#define LEDGER(scope_, name_, form_, at_, help_)                                         \
	{                                                                                \
		.name = name_, .scope = scope_, .form = form_, .at = at_,                \
		.known = ALWAYS, .help = help_                                           \
	}
#define GUEST_FIELD(name_, type_, form_, field, known_, help_)                           \
	{                                                                                \
		.name = name_, .type = type_, .scope = SCOPE_GUEST, .form = form_,       \
		.at = GUEST(field), .known = known_, .help = help_                       \
	}
#define GUEST_WRITTEN(name_, type_, write_, labels_, help_)                              \
	{                                                                                \
		.name = name_, .type = type_, .scope = SCOPE_GUEST, .known = ALWAYS,     \
		.labels = labels_, .write = write_, .help = help_                        \
	}

/* clang-format off */
#define LEDGERS(scope_, prefix, what)                                                    \
	LEDGER(scope_, prefix "_available_bytes", FORM_KIB, POOL(available_kib),          \
		"What " what " can still give."),                                        \
	LEDGER(scope_, prefix "_budget_bytes", FORM_KIB, POOL(budget_kib),                \
		"What the guests of " what " may cost in all."),                         \
	LEDGER(scope_, prefix "_divisible_bytes", FORM_KIB, POOL(divisible_kib),          \
		"Budget of " what " less overheads and what isn't managed."),            \
	LEDGER(scope_, prefix "_reserve_bytes", FORM_KIB, POOL(reserve_kib),              \
		"What " what " keeps free for sudden growth."),                          \
	LEDGER(scope_, prefix "_exposure_bytes", FORM_KIB, POOL(exposure_kib),            \
		"What the guests of " what " may take without asking."),                 \
	LEDGER(scope_, prefix "_cost_bytes", FORM_KIB, POOL(cost_kib),                    \
		"What the guests of " what " may cost now."),                            \
	LEDGER(scope_, prefix "_guests", FORM_SIZE, offsetof(struct pool, guest_count),   \
		"Guests that live on " what "."),                                        \
	LEDGER(scope_, prefix "_managed_guests", FORM_SIZE,                               \
		offsetof(struct pool, managed_count), "Those of them under control."),   \
	LEDGER(scope_, prefix "_blind", FORM_TRUTH, offsetof(struct pool, blind),         \
		"Whether it isn't known what " what " has left: then nobody is moved."), \
	{.name = prefix "_state", .scope = scope_, .known = ALWAYS, .labels = "state",    \
		.write = write_pool_state,                                               \
		.help = "How " what " stands: 1 for the state it is in, 0 for others."}
/* clang-format on */

const struct metric metrics_table[] = {
	LEDGERS(SCOPE_HOST, "mom_host", "the host"),
	HOST_FIELD("mom_host_memory_total_bytes", FORM_KIB, mem_total_kib,
		POOL(has_meminfo), "Memory of the machine."),
	HOST_FIELD("mom_host_memory_usable_bytes", FORM_KIB, mem_usable_kib,
		POOL(has_meminfo), "Memory that the kernel could still hand out."),
	HOST_FIELD("mom_host_memory_free_bytes", FORM_KIB, mem_free_kib,
		POOL(has_meminfo), "Memory that nothing is in."),
	HOST_FIELD("mom_host_swap_total_bytes", FORM_KIB, swap_total_kib,
		POOL(has_meminfo), "Swap of the machine."),
	HOST_FIELD("mom_host_swap_free_bytes", FORM_KIB, swap_free_kib, POOL(has_meminfo),
		"Swap that nothing is in."),
	DAEMON_WRITTEN("mom_host_swapped_bytes_total", METRIC_COUNTER,
		write_host_swapping, "direction",
		"What the machine moved from and to its swap since it started."),
	HOST_WRITTEN("mom_host_pressure_ratio", write_pressure, psi_some, POOL(has_psi),
		"stalled",
		"Time that some, or all, tasks waited for memory, over ten seconds."),
	HOST_WRITTEN("mom_host_ksm_saved_bytes", write_pages, ksm_pages_sharing,
		POOL(has_ksm), NULL, "Memory that merging saves."),
	HOST_FIELD("mom_host_ksm_running", FORM_FLAG, ksm_run, POOL(has_ksm),
		"Whether KSM is switched on."),
	HOST_FIELD("mom_host_ksmd_cpu_ratio", FORM_RATIO, ksmd_cpu_ratio,
		POOL(has_ksmd_cpu), "Part of one processor that ksmd takes."),
	DAEMON_WRITTEN("mom_host_promised_bytes", METRIC_GAUGE, write_promised, NULL,
		"Configured memory of all running guests together."),

	LEDGERS(SCOPE_POOL, "mom_pool", "the pool"),
	DAEMON_WRITTEN("mom_pools_omitted", METRIC_GAUGE, write_omitted, NULL,
		"Pools that are left out here, as there are too many."),

	GUEST_WRITTEN("mom_guest_info", METRIC_INFO, write_guest_info, "pool, uuid",
		"Who a guest is, and what it lives on."),
	GUEST_WRITTEN("mom_guest_state", METRIC_GAUGE, write_guest_state, "state",
		"1 for the state that the guest is in, and nothing for others."),
	GUEST_WRITTEN("mom_guest_statistics", METRIC_GAUGE, write_guest_quality,
		"quality", "1 for how far its balloon statistics can be trusted."),
	GUEST_FIELD("mom_guest_max_bytes", METRIC_GAUGE, FORM_KIB, sample.max_kib, ALWAYS,
		"Its configured memory."),
	GUEST_FIELD("mom_guest_limit_bytes", METRIC_GAUGE, FORM_KIB, sample.limit_kib,
		ALWAYS, "The most that it is ordered."),
	GUEST_FIELD("mom_guest_min_bytes", METRIC_GAUGE, FORM_KIB, sample.min_kib, ALWAYS,
		"The least that it is ordered."),
	GUEST_FIELD("mom_guest_balloon_bytes", METRIC_GAUGE, FORM_KIB, sample.actual_kib,
		GUEST(sample.has_actual), "Memory that its balloon leaves it now."),
	{.name = "mom_guest_target_bytes",
		.scope = SCOPE_GUEST,
		.form = FORM_KIB,
		.at = offsetof(struct guest, balloon.target_kib),
		.known = GUEST(sample.has_actual),
		.help = "The order that stands for its balloon."},
	GUEST_FIELD("mom_guest_used_bytes", METRIC_GAUGE, FORM_KIB, sample.used_kib,
		GUEST(sample.has_used), "Memory that it uses, as estimated."),
	GUEST_FIELD("mom_guest_demand_bytes", METRIC_GAUGE, FORM_KIB, sample.demand_kib,
		GUEST(sample.has_demand), "Memory that it should have, as estimated."),
	GUEST_FIELD("mom_guest_growth_bytes_per_second", METRIC_GAUGE, FORM_KIB,
		sample.growth_kib_per_s, GUEST(sample.has_growth),
		"How fast its use grew lately."),
	GUEST_FIELD("mom_guest_usable_bytes", METRIC_GAUGE, FORM_KIB, sample.usable_kib,
		GUEST(sample.has_usable), "Memory that it could still hand out itself."),
	GUEST_FIELD("mom_guest_unused_bytes", METRIC_GAUGE, FORM_KIB, sample.unused_kib,
		GUEST(sample.has_unused), "Memory of it that nothing is in."),
	GUEST_FIELD("mom_guest_cache_bytes", METRIC_GAUGE, FORM_KIB, sample.cache_kib,
		GUEST(sample.has_cache), "Its caches that can be dropped."),
	GUEST_FIELD("mom_guest_working_set_bytes", METRIC_GAUGE, FORM_KIB,
		sample.working_set_kib, GUEST(sample.has_working_set),
		"Memory that it touched lately, as seen from outside."),
	GUEST_FIELD("mom_guest_resident_bytes", METRIC_GAUGE, FORM_KIB, sample.rss_kib,
		GUEST(sample.has_rss), "Memory of the host that its QEMU holds."),
	GUEST_FIELD("mom_guest_host_swap_bytes", METRIC_GAUGE, FORM_KIB, sample.swap_kib,
		GUEST(sample.has_rss), "What the host has swapped out of its QEMU."),
	GUEST_FIELD("mom_guest_overhead_bytes", METRIC_GAUGE, FORM_KIB,
		sample.overhead_kib, ALWAYS, "What its QEMU needs beside its memory."),
	GUEST_FIELD("mom_guest_cost_bytes", METRIC_GAUGE, FORM_KIB, sample.cost_kib,
		ALWAYS, "What it may cost the host now."),
	GUEST_FIELD("mom_guest_distress_ratio", METRIC_GAUGE, FORM_RATIO, sample.distress,
		ALWAYS, "How short of memory it is: 0 not at all, 1 it has none left."),
	GUEST_FIELD("mom_guest_shares", METRIC_GAUGE, FORM_COUNT, sample.shares, ALWAYS,
		"Its weight where not everybody can have what they want."),
	GUEST_FIELD("mom_guest_buffer_ratio", METRIC_GAUGE, FORM_RATIO,
		sample.buffer_ratio, ALWAYS, "What it gets above its use, of its use."),
	GUEST_FIELD("mom_guest_swapped_in_bytes_total", METRIC_COUNTER, FORM_KIB,
		counters.swap_in_kib, GUEST(counters.has_swap_in),
		"What it read back from its own swap since it started."),
	GUEST_FIELD("mom_guest_swapped_out_bytes_total", METRIC_COUNTER, FORM_KIB,
		counters.swap_out_kib, GUEST(counters.has_swap_out),
		"What it wrote to its own swap since it started."),
	GUEST_FIELD("mom_guest_major_faults_total", METRIC_COUNTER, FORM_COUNT,
		counters.major_fault, GUEST(counters.has_major_fault),
		"Times that it had to read memory from a disk since it started."),
	GUEST_FIELD("mom_guest_refused_statistics_total", METRIC_COUNTER, FORM_COUNT,
		refused, ALWAYS, "Values of its statistics that couldn't be true."),
	DAEMON_WRITTEN("mom_guests", METRIC_GAUGE, write_states, "state",
		"Guests in each state."),
	DAEMON_WRITTEN("mom_guests_by_statistics", METRIC_GAUGE, write_qualities,
		"quality", "Guests by how far their statistics can be trusted."),
	DAEMON_WRITTEN("mom_guests_omitted", METRIC_GAUGE, write_omitted, NULL,
		"Guests that are left out here, as there are too many."),

	DAEMON_WRITTEN("mom_decisions_total", METRIC_COUNTER, write_decisions, "decision",
		"Decisions, one for each guest and tick: ordered, held back, or kept."),
	DAEMON_WRITTEN("mom_orders_total", METRIC_COUNTER, write_moves, "direction",
		"Orders that left for a balloon."),
	{.name = "mom_ordered_bytes_total",
		.type = METRIC_COUNTER,
		.form = FORM_KIB,
		.known = ALWAYS,
		.labels = "direction",
		.write = write_moves,
		.help = "Memory that orders were to move."},
	DAEMON_WRITTEN("mom_order_answers_total", METRIC_COUNTER, write_answers, "answer",
		"What the hypervisor made of orders: taken, or why not."),
	DAEMON_WRITTEN("mom_events_total", METRIC_COUNTER, write_events, "kind",
		"What happened, as momctl events tells it."),
	DAEMON_WRITTEN("mom_policy_runs_total", METRIC_COUNTER, write_policies, "policy",
		"Rounds that a policy ran since it was loaded."),
	DAEMON_WRITTEN("mom_policy_failures_total", METRIC_COUNTER, write_policies,
		"policy", "Those that an error ended, or cost a guest its round."),

	DAEMON_WRITTEN("mom_hypervisor_connected", METRIC_GAUGE, write_hypervisor, NULL,
		"Whether the hypervisor answers."),
	DAEMON_WRITTEN("mom_hypervisor_read_only", METRIC_GAUGE, write_hypervisor, NULL,
		"Whether it takes no orders."),
	DAEMON_WRITTEN("mom_hypervisor_calls", METRIC_GAUGE, write_hypervisor, NULL,
		"Calls to it that are under way."),
	DAEMON_WRITTEN("mom_hypervisor_late_calls_total", METRIC_COUNTER,
		write_hypervisor, NULL, "Calls to it that missed their deadline."),

	DAEMON_WRITTEN("mom_build_info", METRIC_INFO, write_build, "version",
		"Which momd this is."),
	DAEMON_FIELD("mom_ticks_total", METRIC_COUNTER, FORM_COUNT, engine.ticks,
		"Rounds of looking and deciding."),
	DAEMON_FIELD("mom_ticks_late_total", METRIC_COUNTER, FORM_COUNT, ticks_late,
		"Those that began more than a period after their time."),
	DAEMON_FIELD("mom_emergencies_total", METRIC_COUNTER, FORM_COUNT, emergencies,
		"Those that couldn't wait, as memory fell."),
	DAEMON_WRITTEN("mom_tick_period_seconds", METRIC_GAUGE, write_period, NULL,
		"How often a tick is due now."),
	DAEMON_WRITTEN("mom_tick_duration_seconds", METRIC_HISTOGRAM, write_duration,
		NULL, "How long a tick took to look, decide and order."),
	DAEMON_WRITTEN("mom_tick_lateness_seconds", METRIC_HISTOGRAM, write_lateness,
		NULL, "How long after its time a round began."),
	DAEMON_FIELD("mom_last_tick_timestamp_seconds", METRIC_GAUGE, FORM_MS,
		ticked_at_ms, "When the latest tick ended, since 1970."),
	DAEMON_FIELD("mom_on_state_runs_total", METRIC_COUNTER, FORM_COUNT, hook.runs,
		"Times that the program of on_state was run."),
	DAEMON_FIELD("mom_on_state_failures_total", METRIC_COUNTER, FORM_COUNT,
		hook.failures, "Those that failed, or took too long."),
	DAEMON_WRITTEN("mom_dry_run", METRIC_GAUGE, write_dry_run, NULL,
		"Whether no orders are given."),
	DAEMON_FIELD("mom_paused", METRIC_GAUGE, FORM_TRUTH, engine.live.paused,
		"Whether all guests are left alone, as momctl pause says."),
	DAEMON_WRITTEN("mom_collector_works", METRIC_GAUGE, write_collectors, "collector",
		"Whether a source of facts works."),
	DAEMON_WRITTEN("mom_controller_works", METRIC_GAUGE, write_controllers,
		"controller", "Whether a knob can be turned."),
	DAEMON_WRITTEN("mom_history_works", METRIC_GAUGE, write_history, NULL,
		"Whether what was is kept on disk, where it is to be."),
	DAEMON_WRITTEN("mom_control_clients", METRIC_GAUGE, write_control, NULL,
		"Clients of the control socket."),
	DAEMON_WRITTEN("mom_control_missed_lines_total", METRIC_COUNTER, write_control,
		NULL, "Lines that subscribers were too slow to be told."),
	DAEMON_WRITTEN("process_resident_memory_bytes", METRIC_GAUGE, write_process, NULL,
		"Memory that momd itself holds."),
	DAEMON_WRITTEN("process_cpu_seconds_total", METRIC_COUNTER, write_process, NULL,
		"Processor time that momd itself took."),
	DAEMON_WRITTEN("process_open_fds", METRIC_GAUGE, write_process, NULL,
		"Files and sockets that momd has open."),
	DAEMON_WRITTEN("process_start_time_seconds", METRIC_GAUGE, write_process, NULL,
		"When momd started, since 1970."),
	{0},
};
