/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fake/libvirt.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "mom/mem.h"

#define GUESTS_MAX  64
#define MAX_KIB     (256ul * 1024)
#define CALLBACKS   16
#define UUID_LENGTH VIR_UUID_STRING_BUFLEN

struct fake_domain {
	char uuid[UUID_LENGTH], name[64];
	int id;
	bool present, hangs;
	int64_t held_ms; /* a call holds its monitor since; 0 none */
	unsigned long actual_kib;
	unsigned long long updates, faults;
};

struct _virConnect {
	unsigned refs;
	bool alive;
};

struct _virDomain {
	virConnectPtr connection;
	unsigned refs, guest;
	int id;
};

struct callback {
	virConnectPtr connection;
	int event;
	virConnectDomainEventGenericCallback call;
	void *data;
	virFreeCallback let_go;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct fake_domain guests[GUESTS_MAX];
	unsigned guest_count;
	int ids;
	bool daemon_hangs;
	uint64_t breaks;
	unsigned hanging, hanging_most, open;
	struct callback callbacks[CALLBACKS];
	virConnectPtr listening;
	virConnectCloseFunc on_close;
	void *on_close_data;
	virEventTimeoutCallback timer;
	bool fired;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static _Thread_local virError last_error;

static void lock(void)
{
	pthread_mutex_lock(&fake.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&fake.lock);
}

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(int code)
{
	static char message[] = "a made-up error";
	last_error = (virError){.code = code, .message = message};
	return -1;
}

/* ---- what the test does ---- */

void fakevir_reset(void)
{
	lock();
	memset(fake.guests, 0, sizeof(fake.guests));
	fake.guest_count = fake.hanging_most = 0;
	fake.daemon_hangs = false;
	unlock();
}

static struct _virDomain *new_domain(virConnectPtr connection, unsigned guest)
{
	struct _virDomain *domain = mem_alloc(sizeof(*domain));
	*domain = (struct _virDomain){
		.connection = connection,
		.refs = 1,
		.guest = guest,
		.id = fake.guests[guest].id,
	};
	fake.open++;
	return domain;
}

/* As libvirt's event loop does: without its own lock. */
static void tell_lifecycle(unsigned guest, int event)
{
	for (size_t i = 0; i < CALLBACKS; i++) {
		lock();
		struct callback callback = fake.callbacks[i];
		bool wanted =
			callback.call && callback.event == VIR_DOMAIN_EVENT_ID_LIFECYCLE;
		virDomainPtr domain =
			wanted ? new_domain(callback.connection, guest) : NULL;
		unlock();
		if (!wanted)
			continue;
		((virConnectDomainEventCallback)(void (*)(void))callback.call)(
			callback.connection, domain, event, 0, callback.data);
		virDomainFree(domain);
	}
}

unsigned fakevir_start(const char *name)
{
	lock();
	unsigned number = 0;
	while (number < fake.guest_count && fake.guests[number].present)
		number++;
	if (number == GUESTS_MAX)
		abort();
	if (number == fake.guest_count)
		fake.guest_count++;
	struct fake_domain *guest = &fake.guests[number];
	*guest = (struct fake_domain){
		.present = true, .id = ++fake.ids, .actual_kib = MAX_KIB};
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	snprintf(guest->uuid, sizeof(guest->uuid), "%08x-0000-4000-8000-000000000000",
		(unsigned)guest->id);
	unlock();
	tell_lifecycle(number, VIR_DOMAIN_EVENT_STARTED);
	return number;
}

void fakevir_stop(unsigned guest)
{
	lock();
	fake.guests[guest].present = false;
	unlock();
	tell_lifecycle(guest, VIR_DOMAIN_EVENT_STOPPED);
}

void fakevir_reboot(unsigned guest)
{
	lock();
	fake.guests[guest].faults = 0;
	unlock();
}

const char *fakevir_uuid(unsigned guest)
{
	return fake.guests[guest].uuid;
}

uint64_t fakevir_actual_kib(unsigned guest)
{
	lock();
	uint64_t actual_kib = fake.guests[guest].actual_kib;
	unlock();
	return actual_kib;
}

void fakevir_hang(unsigned guest, bool hangs)
{
	lock();
	fake.guests[guest].hangs = hangs;
	pthread_cond_broadcast(&fake.changed);
	unlock();
}

void fakevir_hang_daemon(bool hangs)
{
	lock();
	fake.daemon_hangs = hangs;
	pthread_cond_broadcast(&fake.changed);
	unlock();
}

void fakevir_break(void)
{
	lock();
	fake.breaks++;
	fake.daemon_hangs = false;
	virConnectPtr connection = fake.listening;
	virConnectCloseFunc tell = fake.on_close;
	void *data = fake.on_close_data;
	if (connection)
		connection->alive = false;
	pthread_cond_broadcast(&fake.changed);
	unlock();
	if (tell)
		tell(connection, VIR_CONNECT_CLOSE_REASON_KEEPALIVE, data);
}

unsigned fakevir_hanging(void)
{
	lock();
	unsigned hanging = fake.hanging;
	unlock();
	return hanging;
}

unsigned fakevir_hanging_most(void)
{
	lock();
	unsigned most = fake.hanging_most;
	unlock();
	return most;
}

unsigned fakevir_open(void)
{
	lock();
	unsigned open = fake.open;
	unlock();
	return open;
}

/* ---- with the lock: calls that may hang ---- */

static void wait_for_change(void)
{
	fake.hanging++;
	if (fake.hanging > fake.hanging_most)
		fake.hanging_most = fake.hanging;
	pthread_cond_wait(&fake.changed, &fake.lock);
	fake.hanging--;
}

/* Every call goes to libvirtd; false where the connection broke meanwhile. */
static bool reach_daemon(void)
{
	uint64_t breaks = fake.breaks;
	while (fake.daemon_hangs && breaks == fake.breaks)
		wait_for_change();
	return breaks == fake.breaks;
}

static bool ask_monitor(struct fake_domain *guest)
{
	uint64_t breaks = fake.breaks;
	guest->held_ms = clock_ms();
	while (guest->hangs && breaks == fake.breaks)
		wait_for_change();
	guest->held_ms = 0;
	return breaks == fake.breaks;
}

/* The guest of a handle, or NULL where it is another run of it, or gone. */
static struct fake_domain *guest_of(virDomainPtr domain)
{
	struct fake_domain *guest = &fake.guests[domain->guest];
	return guest->present && guest->id == domain->id ? guest : NULL;
}

/* ---- the library ---- */

int virInitialize(void)
{
	return 0;
}

void virSetErrorFunc(void *data, virErrorFunc handler)
{
	(void)data, (void)handler;
}

virErrorPtr virGetLastError(void)
{
	return &last_error;
}

const char *virGetLastErrorMessage(void)
{
	return last_error.message ? last_error.message : "no error";
}

int virEventRegisterDefaultImpl(void)
{
	return 0;
}

int virEventAddTimeout(
	int timeout, virEventTimeoutCallback callback, void *data, virFreeCallback let_go)
{
	(void)timeout, (void)data, (void)let_go;
	lock();
	fake.timer = callback;
	unlock();
	return 1;
}

void virEventUpdateTimeout(int timer, int timeout)
{
	(void)timer;
	lock();
	fake.fired = timeout == 0;
	pthread_cond_broadcast(&fake.changed);
	unlock();
}

int virEventRunDefaultImpl(void)
{
	lock();
	while (!fake.fired)
		pthread_cond_wait(&fake.changed, &fake.lock);
	unlock();
	fake.timer(1, NULL);
	return 0;
}

virConnectPtr virConnectOpen(const char *name)
{
	(void)name;
	lock();
	bool reached = reach_daemon();
	virConnectPtr connection = reached ? mem_alloc(sizeof(*connection)) : NULL;
	if (reached) {
		*connection = (struct _virConnect){.refs = 1, .alive = true};
		fake.open++;
	} else {
		fail(VIR_ERR_NO_CONNECT);
	}
	unlock();
	return connection;
}

virConnectPtr virConnectOpenReadOnly(const char *name)
{
	return virConnectOpen(name);
}

int virConnectRef(virConnectPtr connection)
{
	lock();
	connection->refs++;
	unlock();
	return 0;
}

int virConnectClose(virConnectPtr connection)
{
	lock();
	bool last = --connection->refs == 0;
	fake.open -= last;
	if (last && fake.listening == connection)
		fake.listening = NULL;
	unlock();
	if (last)
		free(connection);
	return 0;
}

int virConnectSetKeepAlive(virConnectPtr connection, int interval, unsigned count)
{
	(void)connection, (void)interval, (void)count;
	return 0;
}

int virConnectIsAlive(virConnectPtr connection)
{
	lock();
	int alive = connection->alive;
	unlock();
	return alive;
}

int virConnectRegisterCloseCallback(virConnectPtr connection, virConnectCloseFunc call,
	void *data, virFreeCallback let_go)
{
	(void)let_go;
	lock();
	fake.listening = connection;
	fake.on_close = call;
	fake.on_close_data = data;
	unlock();
	return 0;
}

int virConnectUnregisterCloseCallback(virConnectPtr connection, virConnectCloseFunc call)
{
	(void)call;
	lock();
	if (fake.listening == connection)
		fake.on_close = NULL;
	unlock();
	return 0;
}

int virConnectDomainEventRegisterAny(virConnectPtr connection, virDomainPtr domain,
	int event, virConnectDomainEventGenericCallback call, void *data,
	virFreeCallback let_go)
{
	(void)domain;
	int number = -1;
	lock();
	for (int i = 0; i < CALLBACKS && number < 0; i++)
		if (!fake.callbacks[i].call)
			number = i;
	if (number >= 0)
		fake.callbacks[number] =
			(struct callback){connection, event, call, data, let_go};
	unlock();
	return number;
}

int virConnectDomainEventDeregisterAny(virConnectPtr connection, int number)
{
	(void)connection;
	lock();
	struct callback callback = fake.callbacks[number];
	fake.callbacks[number] = (struct callback){0};
	unlock();
	callback.let_go(callback.data);
	return 0;
}

int virConnectListAllDomains(
	virConnectPtr connection, virDomainPtr **domains, unsigned flags)
{
	(void)flags;
	int count = 0;
	lock();
	if (!reach_daemon()) {
		unlock();
		return fail(VIR_ERR_RPC);
	}
	*domains = mem_array(fake.guest_count + 1, sizeof(**domains));
	for (unsigned i = 0; i < fake.guest_count; i++)
		if (fake.guests[i].present)
			(*domains)[count++] = new_domain(connection, i);
	unlock();
	return count;
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
	virDomainPtr domain = NULL;
	lock();
	reach_daemon();
	for (unsigned i = 0; i < fake.guest_count; i++)
		if (fake.guests[i].present && strcmp(fake.guests[i].uuid, uuid) == 0)
			domain = new_domain(connection, i);
	unlock();
	if (!domain)
		fail(VIR_ERR_NO_DOMAIN);
	return domain;
}

int virDomainFree(virDomainPtr domain)
{
	lock();
	bool last = --domain->refs == 0;
	fake.open -= last;
	unlock();
	if (last)
		free(domain);
	return 0;
}

virConnectPtr virDomainGetConnect(virDomainPtr domain)
{
	return domain->connection;
}

int virDomainGetUUIDString(virDomainPtr domain, char *uuid)
{
	/* a handle keeps its UUID, though another guest has taken the place */
	snprintf(uuid, UUID_LENGTH, "%08x-0000-4000-8000-000000000000",
		(unsigned)domain->id);
	return 0;
}

const char *virDomainGetName(virDomainPtr domain)
{
	return fake.guests[domain->guest].name;
}

unsigned virDomainGetID(virDomainPtr domain)
{
	return (unsigned)domain->id;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
	(void)flags;
	return mem_printf("<domain><name>%s</name><devices><memballoon model='virtio'>"
			  "<stats period='1'/></memballoon></devices></domain>",
		virDomainGetName(domain));
}

int virDomainGetInfo(virDomainPtr domain, virDomainInfoPtr info)
{
	lock();
	const struct fake_domain *guest = reach_daemon() ? guest_of(domain) : NULL;
	if (guest)
		*info = (virDomainInfo){.state = VIR_DOMAIN_RUNNING,
			.maxMem = MAX_KIB,
			.memory = guest->actual_kib};
	unlock();
	return guest ? 0 : fail(VIR_ERR_NO_DOMAIN);
}

int virDomainIsActive(virDomainPtr domain)
{
	lock();
	bool active = guest_of(domain) != NULL;
	unlock();
	return active;
}

int virDomainGetControlInfo(
	virDomainPtr domain, virDomainControlInfoPtr info, unsigned flags)
{
	(void)flags;
	lock();
	const struct fake_domain *guest = reach_daemon() ? guest_of(domain) : NULL;
	*info = (virDomainControlInfo){.state = VIR_DOMAIN_CONTROL_OK};
	if (guest && guest->held_ms) {
		info->state = VIR_DOMAIN_CONTROL_OCCUPIED;
		info->stateTime = (unsigned long long)(clock_ms() - guest->held_ms);
	}
	unlock();
	return guest ? 0 : fail(VIR_ERR_NO_DOMAIN);
}

int virDomainGetJobInfo(virDomainPtr domain, virDomainJobInfoPtr info)
{
	(void)domain;
	*info = (virDomainJobInfo){.type = VIR_DOMAIN_JOB_NONE};
	return 0;
}

static bool wait_for_job(struct fake_domain *guest)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FAKEVIR_JOB_MS / 1000;
	int result = 0;
	while (guest->held_ms && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&fake.changed, &fake.lock, &until);
	return !guest->held_ms;
}

int virDomainSetMemoryFlags(virDomainPtr domain, unsigned long memory, unsigned flags)
{
	(void)flags;
	int error = VIR_ERR_OK;
	lock();
	struct fake_domain *guest = reach_daemon() ? guest_of(domain) : NULL;
	if (!guest)
		error = VIR_ERR_NO_DOMAIN;
	else if (!wait_for_job(guest))
		error = VIR_ERR_OPERATION_TIMEOUT;
	else if (!ask_monitor(guest))
		error = VIR_ERR_RPC;
	else
		guest->actual_kib = memory;
	unlock();
	return error ? fail(error) : 0;
}

int virDomainSetMemoryStatsPeriod(virDomainPtr domain, int period, unsigned flags)
{
	(void)domain, (void)period, (void)flags;
	return 0;
}

int virDomainMemoryStats(
	virDomainPtr domain, virDomainMemoryStatPtr stats, unsigned count, unsigned flags)
{
	(void)domain, (void)stats, (void)count, (void)flags;
	return fail(VIR_ERR_OPERATION_FAILED);
}

static void add(virDomainStatsRecordPtr record, const char *field, int type,
	unsigned long long value)
{
	virTypedParameterPtr param = &record->params[record->nparams++];
	snprintf(param->field, sizeof(param->field), "%s", field);
	param->type = type;
	if (type == VIR_TYPED_PARAM_INT)
		param->value.i = (int)value;
	else
		param->value.ul = value;
}

/* What libvirt knows by itself, and what only QEMU does. */
static virDomainStatsRecordPtr new_record(
	virDomainPtr domain, struct fake_domain *guest, bool nowait)
{
	virDomainStatsRecordPtr record = mem_alloc(sizeof(*record));
	*record = (virDomainStatsRecord){.dom = domain};
	record->params = mem_array(16, sizeof(*record->params));
	domain->refs++;
	bool skipped = nowait && guest->held_ms;
	bool asked = !skipped && ask_monitor(guest);
	add(record, "state.state", VIR_TYPED_PARAM_INT, VIR_DOMAIN_RUNNING);
	add(record, "balloon.maximum", VIR_TYPED_PARAM_ULLONG, MAX_KIB);
	add(record, "balloon.current", VIR_TYPED_PARAM_ULLONG, guest->actual_kib);
	if (!asked)
		return record;
	add(record, "balloon.available", VIR_TYPED_PARAM_ULLONG, guest->actual_kib);
	add(record, "balloon.usable", VIR_TYPED_PARAM_ULLONG, guest->actual_kib / 2);
	add(record, "balloon.unused", VIR_TYPED_PARAM_ULLONG, guest->actual_kib / 4);
	guest->faults += 10;
	add(record, "balloon.minor_fault", VIR_TYPED_PARAM_ULLONG, guest->faults);
	add(record, "balloon.rss", VIR_TYPED_PARAM_ULLONG, guest->actual_kib);
	add(record, "balloon.last-update", VIR_TYPED_PARAM_ULLONG, ++guest->updates);
	return record;
}

int virDomainListGetStats(virDomainPtr *domains, unsigned stats,
	virDomainStatsRecordPtr **records, unsigned flags)
{
	(void)stats;
	size_t count = 0, asked = 0;
	while (domains[asked])
		asked++;
	virDomainStatsRecordPtr *found = mem_array(asked + 1, sizeof(*found));
	lock();
	bool reached = reach_daemon();
	uint64_t breaks = fake.breaks;
	for (size_t i = 0; i < asked && reached; i++) {
		struct fake_domain *guest = guest_of(domains[i]);
		if (guest)
			found[count++] = new_record(domains[i], guest,
				flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	}
	reached = reached && breaks == fake.breaks;
	unlock();
	*records = found;
	if (reached)
		return (int)count;
	virDomainStatsRecordListFree(found);
	*records = NULL;
	return fail(VIR_ERR_RPC);
}

void virDomainStatsRecordListFree(virDomainStatsRecordPtr *records)
{
	for (size_t i = 0; records && records[i]; i++) {
		virDomainFree(records[i]->dom);
		free(records[i]->params);
		free(records[i]);
	}
	free(records);
}
