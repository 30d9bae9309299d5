/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hypervisor against libvirt's own made-up driver: no guest, no libvirtd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hypervisors/libvirt.h"
#include "mom/mem.h"

#define ALPHA  "aaaaaaaa-0000-4000-8000-000000000001"
#define LOCKED "bbbbbbbb-0000-4000-8000-000000000002"
#define BARE   "cccccccc-0000-4000-8000-000000000003"

/* Far beyond what anything here takes. */
#define PATIENCE_MS 120000

static const struct hypervisor *const hypervisor = &hypervisor_libvirt;

static void *open_uri(const char *uri)
{
	struct hypervisor_env env = {
		.uri = uri,
		.call_deadline_ms = PATIENCE_MS,
		.resync_period_ms = 30000,
		.stats_period_s = 1,
		.set_stats_period = true,
		.workers = 8,
		.proc_root = "/proc",
	};
	struct err err = {0};
	void *self = NULL;
	if (hypervisor->open(&self, &env, &err) < 0)
		fail_msg("%s", err.text);
	return self;
}

static void *open_fixture(void)
{
	const char *top = getenv("top_srcdir");
	char directory[4096];
	if (!top || !realpath(top, directory))
		fail_msg("top_srcdir isn't set");
	auto_free char *uri =
		mem_printf("test://%s/tests/fixtures/libvirt/three.xml", directory);
	return open_uri(uri);
}

/* The next event of this kind; others are let go by. */
static struct hypervisor_event wait_for(void *self, enum hypervisor_event_kind kind)
{
	struct hypervisor_event event;
	struct pollfd pollfd = {.fd = hypervisor->fd(self), .events = POLLIN};
	for (;;) {
		while (hypervisor->next_event(self, &event))
			if (event.kind == kind)
				return event;
		if (poll(&pollfd, 1, PATIENCE_MS) <= 0)
			fail_msg("no event of kind %d came", (int)kind);
	}
}

/* Open, with all guests there and sampled once. */
static void *open_sampled(void)
{
	void *self = open_fixture();
	for (int i = 0; i < 3; i++)
		wait_for(self, EVENT_GUEST_ARRIVED);
	hypervisor->refresh(self);
	wait_for(self, EVENT_ROUND_DONE);
	return self;
}

static const struct guest_facts *guest_of(
	const struct snapshot *snapshot, const char *uuid)
{
	for (size_t i = 0; i < snapshot->guest_count; i++)
		if (strcmp(snapshot->guests[i].uuid, uuid) == 0)
			return &snapshot->guests[i];
	fail_msg("no guest %s", uuid);
	return NULL;
}

static void guests_are_found(void **state)
{
	(void)state;
	void *self = open_sampled();
	struct snapshot snapshot = {0};
	hypervisor->sample(self, &snapshot);
	assert_true(snapshot.connected);
	assert_int_equal(snapshot.guest_count, 3);
	const struct guest_facts *alpha = guest_of(&snapshot, ALPHA);
	assert_string_equal(alpha->name, "alpha");
	assert_true(alpha->has_balloon && !alpha->locked && !alpha->hung && !alpha->busy);
	assert_int_equal(alpha->run, GUEST_RUNNING);
	assert_int_equal(alpha->sample.max_kib, 1048576);
	assert_int_equal(alpha->sample.actual_kib, 819200);
	assert_true(alpha->sample.has_unused);
	assert_non_null(strstr(alpha->metadata, "min=\"256MiB\""));
	const struct guest_facts *locked = guest_of(&snapshot, LOCKED);
	assert_string_equal(locked->name, "locked & \"quoted\" %n ü");
	assert_true(locked->locked && locked->nosharepages);
	assert_null(locked->metadata);
	assert_false(guest_of(&snapshot, BARE)->has_balloon);
	snapshot_done(&snapshot);
	hypervisor->close(self);
}

static void an_order_is_carried_out(void **state)
{
	(void)state;
	void *self = open_sampled();
	assert_int_equal(hypervisor->set_target(self, ALPHA, 614400, NULL), 0);
	struct hypervisor_event event = wait_for(self, EVENT_ORDER_DONE);
	assert_string_equal(event.uuid, ALPHA);
	assert_int_equal(event.value_kib, 614400);
	assert_int_equal(event.result, 0);
	hypervisor->refresh(self);
	wait_for(self, EVENT_ROUND_DONE);
	struct snapshot snapshot = {0};
	hypervisor->sample(self, &snapshot);
	assert_int_equal(guest_of(&snapshot, ALPHA)->sample.actual_kib, 614400);
	snapshot_done(&snapshot);
	hypervisor->close(self);
}

static void what_cannot_be_ordered(void **state)
{
	(void)state;
	struct err err;
	void *self = open_sampled();
	assert_int_equal(hypervisor->set_target(
				 self, "dddddddd-0000-4000-8000-000000000004", 1, &err),
		-ENOENT);
	/* More than its maximum. */
	assert_int_equal(hypervisor->set_target(self, ALPHA, 9999999, &err), 0);
	assert_int_equal(wait_for(self, EVENT_ORDER_DONE).result, -EIO);
	hypervisor->close(self);
}

/* However many rounds are asked for at once, each asked one ends once. */
static void a_round_ends_once(void **state)
{
	(void)state;
	struct hypervisor_event event;
	void *self = open_sampled();
	hypervisor->refresh(self);
	hypervisor->refresh(self);
	hypervisor->refresh(self);
	wait_for(self, EVENT_ROUND_DONE);
	int more = 0;
	while (hypervisor->next_event(self, &event))
		more += event.kind == EVENT_ROUND_DONE;
	assert_true(more <= 2); /* the first ones may have ended before the next began */
	hypervisor->close(self);
}

static void nothing_answers(void **state)
{
	(void)state;
	struct hypervisor_status status;
	struct err err;
	void *self = open_uri("test:///nowhere/there-is-no-such-file.xml");
	struct hypervisor_event event = wait_for(self, EVENT_DISCONNECTED);
	assert_string_not_equal(event.text, "");
	hypervisor->status(self, &status);
	assert_false(status.connected);
	assert_string_equal(status.why, event.text);
	hypervisor->refresh(self);
	wait_for(self, EVENT_ROUND_DONE);
	assert_int_equal(hypervisor->set_target(self, ALPHA, 1, &err), -ENOENT);
	hypervisor->close(self);
}

static void a_bad_uri(void **state)
{
	(void)state;
	struct hypervisor_env env = {.uri = "nonsense", .workers = 8};
	struct err err = {0};
	void *self = NULL;
	assert_int_equal(hypervisor->open(&self, &env, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'nonsense'"));
	assert_null(self);
}

static void opens_and_closes_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		hypervisor->close(open_fixture());
	hypervisor->close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_are_found),
		cmocka_unit_test(an_order_is_carried_out),
		cmocka_unit_test(what_cannot_be_ordered),
		cmocka_unit_test(a_round_ends_once),
		cmocka_unit_test(nothing_answers),
		cmocka_unit_test(a_bad_uri),
		cmocka_unit_test(opens_and_closes_at_once),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
