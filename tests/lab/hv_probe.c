/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hv_probe URI SECONDS [NAME=MIB…]: look at a hypervisor through momd's own eyes. A round
 * each second; every event and every sample is one line; the orders given go out when
 * their guests have arrived.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hypervisors/libvirt.h"
#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

extern const struct collector collector_guests;

static const struct collector *const collector = &collector_guests;
static const struct hypervisor *const hypervisor = &hypervisor_libvirt;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *event_name(enum hypervisor_event_kind kind)
{
	static const char *const names[] = {
		[EVENT_ROUND_DONE] = "round",
		[EVENT_CONNECTED] = "connected",
		[EVENT_DISCONNECTED] = "disconnected",
		[EVENT_GUEST_ARRIVED] = "arrived",
		[EVENT_GUEST_GONE] = "gone",
		[EVENT_GUEST_REBOOTED] = "rebooted",
		[EVENT_GUEST_CHANGED] = "changed",
		[EVENT_BALLOON_MOVED] = "balloon",
		[EVENT_ORDER_DONE] = "order",
		[EVENT_NOTE] = "note",
	};
	return names[kind];
}

static void show_guest(const struct guest_facts *facts)
{
	const struct guest_sample *sample = &facts->sample;
	printf("  %s id=%d pid=%d run=%s%s%s boots=%u update=%ju max=%ju actual=%ju "
	       "usable=%jd unused=%jd swap_in=%jd major=%jd rss=%ju anon=%ju over=%ju "
	       "refused=%ju cgroup=%s metadata=%s\n",
		facts->name, facts->id, facts->pid, guest_run_name(facts->run),
		facts->hung ? " HUNG" : "", facts->busy ? " BUSY" : "", facts->boots,
		facts->last_update, sample->max_kib, sample->actual_kib,
		sample->has_usable ? (intmax_t)sample->usable_kib : -1,
		sample->has_unused ? (intmax_t)sample->unused_kib : -1,
		sample->has_swap_in ? (intmax_t)sample->swap_in_kib : -1,
		sample->has_major_fault ? (intmax_t)sample->major_fault : -1,
		sample->rss_kib, sample->rss_anon_kib, sample->overhead_kib,
		facts->refused, facts->cgroup,
		facts->metadata ? facts->metadata : "none");
}

static void show_round(void *guests, int64_t took_ms)
{
	struct snapshot snapshot = {0};
	collector->sample(guests, &snapshot, NULL);
	printf("round: %jd ms, %zu guests\n", (intmax_t)took_ms, snapshot.guest_count);
	for (size_t i = 0; i < snapshot.guest_count; i++)
		show_guest(&snapshot.guests[i]);
	snapshot_done(&snapshot);
}

static void give_orders(void *self, const char *uuid, const char *name, char **orders)
{
	struct err err;
	for (; *orders; orders++) {
		size_t length = strcspn(*orders, "=");
		if (strncmp(*orders, name, length) || strlen(name) != length)
			continue;
		uint64_t kib = strtoull(*orders + length + 1, NULL, 10) * KIB_PER_MIB;
		if (hypervisor->set_target(self, uuid, kib, &err) < 0)
			printf("order refused: %s\n", err.text);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: hv_probe URI SECONDS [NAME=MIB…]\n");
		return 2;
	}
	struct hypervisor_env env = {
		.uri = argv[1],
		.call_deadline_ms = 5000,
		.resync_period_ms = 30000,
		.stats_period_s = 1,
		.set_stats_period = true,
		.workers = 8,
		.proc_root = "/proc",
	};
	struct err err;
	void *self = NULL, *guests = NULL;
	if (hypervisor->open(&self, &env, &err) < 0) {
		fprintf(stderr, "hv_probe: %s\n", err.text);
		return 1;
	}
	struct collector_env collector_env = {
		.hypervisor = hypervisor, .hypervisor_self = self, .proc_root = "/proc"};
	collector->open(&guests, &collector_env, &err);
	setvbuf(stdout, NULL, _IOLBF, 0);
	int64_t start = now_ms(), next = start, asked = 0;
	int64_t end = start + atoi(argv[2]) * 1000;
	while (now_ms() < end) {
		if (next <= now_ms()) {
			asked = now_ms();
			next = asked + 1000;
			hypervisor->refresh(self);
		}
		struct pollfd pollfd = {.fd = hypervisor->fd(self), .events = POLLIN};
		int64_t wait = next - now_ms();
		poll(&pollfd, 1, wait > 0 ? (int)wait : 0);
		struct hypervisor_event event;
		while (hypervisor->next_event(self, &event)) {
			if (event.kind == EVENT_ROUND_DONE) {
				show_round(guests, now_ms() - asked);
				continue;
			}
			printf("%jd %s %s value=%ju result=%d: %s\n",
				(intmax_t)(now_ms() - start), event_name(event.kind),
				event.uuid, event.value_kib, event.result, event.text);
			if (event.kind == EVENT_GUEST_ARRIVED)
				give_orders(self, event.uuid, event.text, argv + 3);
		}
	}
	collector->close(guests);
	int64_t closing = now_ms();
	hypervisor->close(self);
	printf("closed in %jd ms\n", (intmax_t)(now_ms() - closing));
	return 0;
}
