/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config.h"

/*
 * Every key of momd.conf, one row each. A new key is a row here and a field in
 * mom/config.h; etc/momd.conf and momd.conf(5) are tested against the rows.
 */

#define AT(field) offsetof(struct config, field)
#define OF(field) offsetof(struct guest_settings, field)

const struct config_key config_keys[] = {
	{"", "dry_run", CONFIG_BOOL, AT(dry_run), "false", NULL, NULL, NULL,
		"Decide and report, but give no order."},
	{"", "lock_memory", CONFIG_BOOL, AT(lock_memory), "false", NULL, NULL, NULL,
		"Keep momd's own memory out of the host's swap."},
	{"", "on_exit", CONFIG_CHOICE, AT(on_exit), "keep", NULL, NULL, "keep|release",
		"What becomes of the balloons when momd ends: \"keep\", or \"release\" "
		"where there is room for all."},
	{"", "on_state", CONFIG_PROGRAM, AT(on_state), "", NULL, NULL, NULL,
		"Program to run when the host's state changes; empty: none."},
	{"", "on_state_limit", CONFIG_DURATION, AT(on_state_limit_ms), "30s", "1s",
		"10min", NULL, "Longest that it may take before it is killed."},
	{"", "policies", CONFIG_STRINGS, AT(policies), "fair-share", NULL, NULL, NULL,
		"Policies to load: shipped ones by name, others by path."},

	{"hypervisor", "uri", CONFIG_URI, AT(hypervisor.uri), "qemu:///system", NULL,
		NULL, NULL, "Where libvirt is."},
	{"hypervisor", "call_deadline", CONFIG_DURATION, AT(hypervisor.call_deadline_ms),
		"5s", "100ms", "1min", NULL,
		"A guest whose call takes longer is hung: its cost stands, the others go "
		"on."},
	{"hypervisor", "resync_period", CONFIG_DURATION, AT(hypervisor.resync_period_ms),
		"1min", "1s", "1h", NULL,
		"How often the list of guests is read whole, events or not."},
	{"hypervisor", "set_stats_period", CONFIG_BOOL, AT(hypervisor.set_stats_period),
		"true", NULL, NULL, NULL,
		"Switch balloon statistics on where a guest has none."},
	{"hypervisor", "stats_period", CONFIG_DURATION, AT(hypervisor.stats_period_ms),
		"1s", "1s", "1min", NULL,
		"How often such a guest is told to report; whole seconds."},
	{"hypervisor", "workers", CONFIG_COUNT, AT(hypervisor.workers), "16", "1", "64",
		NULL, "Most calls to libvirt under way at once."},

	{"sampling", "period", CONFIG_DURATION, AT(sampling.period_ms), "1s", "100ms",
		"1min", NULL, "How often to look and decide while memory is easy."},
	{"sampling", "tight_period", CONFIG_DURATION, AT(sampling.tight_period_ms),
		"125ms", "100ms", "1min", NULL,
		"The same while memory is tight or moves; never longer than period."},
	{"sampling", "watch_period", CONFIG_DURATION, AT(sampling.watch_period_ms),
		"100ms", "10ms", "10s", NULL,
		"How often to glance at the host's memory in between."},

	{"host", "budget", CONFIG_BUDGET, AT(host.budget), "auto", NULL, NULL, NULL,
		"What all guests together may take: \"auto\", a size, or "
		"\"cgroup:/PATH\"."},
	{"host", "reserve", CONFIG_AUTO_SIZE, AT(host.reserve), "auto", NULL, NULL, NULL,
		"What stays free for sudden growth: \"auto\" or the least size."},

	{"policy", "directory", CONFIG_STRING, AT(policy.directory),
		MOM_SYSCONFDIR "/policies.d", NULL, NULL, NULL,
		"Every *.policy in this folder is loaded too, by name."},
	{"policy", "shipped", CONFIG_STRING, AT(policy.shipped), MOM_POLICYDIR, NULL,
		NULL, NULL, "Where the shipped policies are."},
	{"policy", "max_steps", CONFIG_COUNT, AT(policy.max_steps), "1000000", "1000",
		"1000000000", NULL, "Most steps of one policy in one round."},
	{"policy", "max_depth", CONFIG_COUNT, AT(policy.max_depth), "200", "10", "1000",
		NULL, "Deepest nesting of a policy's calls."},
	{"policy", "max_list", CONFIG_COUNT, AT(policy.max_list), "100000", "10",
		"10000000", NULL, "Longest list a policy may make."},
	{"policy", "max_string", CONFIG_COUNT, AT(policy.max_string), "65536", "80",
		"10000000", NULL, "Longest text a policy may make, in bytes."},
	{"policy", "max_memory", CONFIG_SIZE, AT(policy.max_memory_kib), "16MiB", "64KiB",
		"1GiB", NULL, "Most memory of one policy in one round."},

	{"control", "socket", CONFIG_SOCKET, AT(control.socket), MOM_RUNDIR "/momd.sock",
		NULL, NULL, NULL, "Where momctl finds momd."},
	{"control", "group", CONFIG_STRING, AT(control.group), "libvirt", NULL, NULL,
		NULL, "Members may look; root alone where it is empty or doesn't exist."},
	{"control", "admin_group", CONFIG_STRING, AT(control.admin_group), "", NULL, NULL,
		NULL,
		"Members may look and change; root alone where it is empty or doesn't "
		"exist."},

	{"http", "listen", CONFIG_LISTEN, AT(http.listen), "", NULL, NULL, NULL,
		"Where to serve pages and metrics by HTTP, to this host alone; empty: "
		"nowhere."},

	{"history", "path", CONFIG_STRING, AT(history.path), MOM_STATEDIR "/history.db",
		NULL, NULL, NULL,
		"Database of figures and events over time; empty: none is kept."},
	{"history", "keep", CONFIG_DURATION, AT(history.keep_ms), "30d", "1h", "36500d",
		NULL,
		"How long: as it came for a day, a row a minute for a week, then one in "
		"ten."},
	{"history", "size", CONFIG_SIZE, AT(history.size_kib), "64MiB", "1MiB", "1TiB",
		NULL, "Largest database; the oldest goes first."},
	{"history", "period", CONFIG_DURATION, AT(history.period_ms), "10s", "1s",
		"10min", NULL, "One row of figures in this time; whole seconds."},

	{"balloon", "settle", CONFIG_DURATION, AT(balloon.settle_ms), "5s", "0s", "10min",
		NULL, "No order against one younger than this, but in distress."},
	{"balloon", "shrink", CONFIG_RATIO, AT(balloon.shrink_ratio), "25%", "0.1%",
		"100%", NULL, "Largest shrink in one round, of the guest's memory."},
	{"balloon", "safety", CONFIG_SIZE, AT(balloon.safety_kib), "32MiB", "0KiB",
		"1TiB", NULL, "What a guest keeps above its use, but in an emergency."},
	{"balloon", "hold_off", CONFIG_DURATION, AT(balloon.hold_off_ms), "1min", "0s",
		"1d", NULL, "How long a guest is left alone after somebody else set it."},
	{"balloon", "stuck", CONFIG_DURATION, AT(balloon.stuck_ms), "10s", "1s", "10min",
		NULL, "A balloon that stands short of its target so long is stuck."},
	{"balloon", "stuck_pause", CONFIG_DURATION, AT(balloon.stuck_pause_ms), "1h",
		"10s", "1d", NULL,
		"Longest pause before a stuck balloon is tried again."},
	{"balloon", "step", CONFIG_SIZE, AT(balloon.step_kib), "2MiB", "4KiB", "1GiB",
		NULL, "Smallest order, as a size."},
	{"balloon", "step_ratio", CONFIG_RATIO, AT(balloon.step_ratio), "0.5%", "0%",
		"50%", NULL, "Smallest order, of the guest's memory; the larger counts."},

	{"metadata", "allow", CONFIG_BOOL, AT(metadata.allow), "true", NULL, NULL, NULL,
		"Guests may bring settings in their libvirt metadata."},
	{"metadata", "max_min", CONFIG_SIZE, AT(metadata.min_kib), "4GiB", "0KiB", NULL,
		NULL, "Largest min they may bring."},
	{"metadata", "max_shares", CONFIG_COUNT, AT(metadata.shares), "10000", "1",
		"1000000", NULL, "Largest shares."},
	{"metadata", "max_buffer", CONFIG_RATIO, AT(metadata.buffer_ratio), "50%", "0%",
		"100%", NULL, "Largest buffer."},
	{"metadata", "max_boot_grace", CONFIG_DURATION, AT(metadata.boot_grace_ms),
		"10min", "0s", "1d", NULL, "Longest boot_grace."},
	{"metadata", "opt_out", CONFIG_BOOL, AT(metadata.opt_out), "true", NULL, NULL,
		NULL, "They may ask not to be managed."},
	{0},
};

const struct config_key guest_keys[] = {
	{"guests", "manage", CONFIG_BOOL, OF(manage), "true", NULL, NULL, NULL,
		"Give orders to its balloon."},
	{"guests", "min", CONFIG_FLOOR, OF(min), "25%, 256MiB", NULL, NULL, NULL,
		"Never less: a size, a part of its configured memory, or the larger of "
		"both."},
	{"guests", "max", CONFIG_SIZE, OF(max_kib), "0KiB", NULL, NULL, NULL,
		"Never more; 0KiB is its configured memory."},
	{"guests", "shares", CONFIG_COUNT, OF(shares), "1000", "1", "1000000", NULL,
		"Its weight where not everybody can have what they want."},
	{"guests", "buffer", CONFIG_RATIO, OF(buffer_ratio), "20%", "0%", "100%", NULL,
		"What it gets above its use, of its use."},
	{"guests", "boot_grace", CONFIG_DURATION, OF(boot_grace_ms), "2min", "0s", "1d",
		NULL,
		"Longest time after its start without a shrink; ends once it reports."},
	{0},
};
