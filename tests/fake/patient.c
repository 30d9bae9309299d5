/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A momd whose first guest, or whose host, has something wrong with it: the real engine
 * and the real control server over the made-up hypervisor, and guests that are built as
 * a domain's XML says. It lives through some minutes of its own clock at once, and
 * answers then.
 *
 * Use:   patient SOCKET CAUSE; prints "ready" when it listens, ends by SIGTERM.
 *        patient --list prints the causes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <event2/event.h>

#include "hypervisors/domain_xml.h"
#include "mom/daemon.h"
#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

#define GUESTS 3
#define MAX    (800 * MIB)

#define USUAL_CONFIG "guests = ( { match = \"*\"; boot_grace = \"10s\"; } );"
#define USUAL_DISK   "<driver cache='none'/><target dev='vda' bus='virtio'/>"
#define WINDOWS_DISK "<driver cache='writeback'/><target dev='vda' bus='virtio'/>"
#define USUAL_NIC    "<mac address='52:54:00:00:00:01'/><model type='virtio'/>"
#define USUAL_BALLOON                                                                    \
	"<memballoon model='virtio' autodeflate='on' freePageReporting='on'>"            \
	"<stats period='1'/></memballoon>"
#define WINDOWS "http://microsoft.com/win/2k3"

/* What is wrong: in its XML (NULL: nothing), in the configuration, in what it does. */
struct cause {
	const char *id;
	const char *type, *top, *features, *os, *disk, *nic, *balloon, *others;
	const char *config;
	void (*before)(struct rig *rig); /* the engine looks for the first time */
	bool crowd;                      /* the host needs memory */
	void (*after)(struct rig *rig);
	uint64_t run_ms; /* after that */
};

static struct fake_guest *odd(struct rig *rig)
{
	return &rig->fake.guests[0];
}

/* ---- what goes wrong ---- */

static void tells_nothing(struct rig *rig)
{
	odd(rig)->tell = TELL_NOTHING;
}

static void tells_empty(struct rig *rig)
{
	odd(rig)->tell = TELL_EMPTY;
}

static void freezes(struct rig *rig)
{
	odd(rig)->tell = TELL_FROZEN;
}

static void tells_partly(struct rig *rig)
{
	odd(rig)->tell = TELL_PARTIAL;
}

static void tells_nonsense(struct rig *rig)
{
	odd(rig)->tell = TELL_WRONG;
}

static void obeys_half(struct rig *rig)
{
	odd(rig)->obey = OBEY_HALF;
	rig->fake.base_kib = 1200 * MIB;
}

static void lies(struct rig *rig)
{
	odd(rig)->obey = OBEY_LIES;
}

static void is_set_by_hand(struct rig *rig)
{
	odd(rig)->actual_kib = odd(rig)->target_kib = 600 * MIB;
}

static void takes_back(struct rig *rig)
{
	uint64_t had = odd(rig)->actual_kib;
	odd(rig)->used_kib = had + 20 * MIB;
	odd(rig)->actual_kib = odd(rig)->target_kib = had + 30 * MIB;
}

static void reboots(struct rig *rig)
{
	fake_reboot(&rig->fake, odd(rig));
	odd(rig)->tell = TELL_NOTHING;
}

static void hangs(struct rig *rig)
{
	fake_hang(&rig->fake, odd(rig));
}

static void loses_its_disk(struct rig *rig)
{
	odd(rig)->run = GUEST_PAUSED;
	odd(rig)->io_error = true;
}

static void is_suspended(struct rig *rig)
{
	odd(rig)->run = GUEST_PAUSED;
}

static void sleeps(struct rig *rig)
{
	odd(rig)->run = GUEST_PMSUSPENDED;
}

static void is_saved(struct rig *rig)
{
	odd(rig)->busy = true;
}

static void is_refused(struct rig *rig)
{
	odd(rig)->call = CALL_REFUSED;
}

static void fills_up(struct rig *rig)
{
	odd(rig)->used_kib = 780 * MIB;
}

static void brings_nonsense(struct rig *rig)
{
	odd(rig)->metadata =
		"<mom:guest xmlns:mom='https://mom-project.org/xmlns/guest/1' "
		"min='much'/>";
}

static void is_paused(struct rig *rig)
{
	live_pause(&rig->engine.live, odd(rig)->uuid, true);
}

static void all_are_paused(struct rig *rig)
{
	live_pause(&rig->engine.live, NULL, true);
}

static void goes_away(struct rig *rig)
{
	fake_disconnect(&rig->fake, true);
}

static void loses_a_source(struct rig *rig)
{
	rig->fake.failing[SOURCE_PRESSURE] = true;
}

static void fills_the_host(struct rig *rig)
{
	rig->fake.base_kib = 2500 * MIB;
}

static void lives_in_a_cgroup(struct rig *rig)
{
	for (size_t i = 0; i < rig->fake.count; i++)
		snprintf(rig->fake.guests[i].cgroup, sizeof(rig->fake.guests[i].cgroup),
			"/machine.slice/machine-qemu-%zu.scope", i + 1);
	rig->fake.cgroups[0] =
		(struct fake_cgroup){.path = "/machine.slice", .limit_kib = 1500 * MIB};
	rig->fake.cgroup_count = 1;
}

/* Its disk's files are charged to this one. */
static void has_a_cgroup(struct rig *rig)
{
	snprintf(odd(rig)->cgroup, sizeof(odd(rig)->cgroup),
		"/machine.slice/machine-qemu-1.scope");
}

static void runs_dry(struct rig *rig)
{
	rig->dry_run = true;
}

/* ---- the causes ---- */

static const struct cause causes[] = {
	{.id = "well"},
	{"no-balloon", .balloon = "<memballoon model='none'/>"},
	{"no-driver", .before = tells_nothing},
	{"no-driver-windows", .os = WINDOWS, .before = tells_nothing},
	{"no-service", .os = WINDOWS, .before = tells_empty},
	{"no-period",
		.balloon = "<memballoon model='virtio' autodeflate='on' "
			   "freePageReporting='on'/>",
		.after = freezes, .run_ms = 30000},
	{"stale", .after = freezes, .run_ms = 30000},
	{"stale-windows", .os = WINDOWS, .after = freezes, .run_ms = 30000},
	{"partial", .before = tells_partly},
	{"values-refused", .before = tells_nonsense},
	{"stuck", .after = obeys_half, .run_ms = 20000},
	{"yields-nothing", .before = lies, .crowd = true},
	{"held", .after = is_set_by_hand, .run_ms = 10000},
	{"ran-out", .crowd = true, .after = takes_back, .run_ms = 10000},
	{"booting", .after = reboots, .run_ms = 3000},
	{"hung", .after = hangs, .run_ms = 20000},
	{"disk-failed", .after = loses_its_disk, .run_ms = 3000},
	{"stands-still", .after = is_suspended, .run_ms = 3000},
	{"asleep", .after = sleeps, .run_ms = 3000},
	{"busy", .after = is_saved, .run_ms = 3000},
	{"orders-refused", .before = is_refused, .crowd = true},
	{"too-small", .before = fills_up},
	{"max-too-low",
		.config = "guests = ( { match = \"web1\"; boot_grace = \"10s\"; "
			  "max = \"400MiB\"; }, { match = \"*\"; boot_grace = "
			  "\"10s\"; } );",
		.before = fills_up},
	{"min-too-high", .config = "guests = ( { match = \"*\"; boot_grace = \"10s\"; "
				   "min = \"2GiB\"; } );"},
	{"min-too-low", .os = WINDOWS,
		.config = "guests = ( { match = \"*\"; boot_grace = \"10s\"; min = "
			  "\"100MiB\"; } );"},
	{"unmanaged", .config = "guests = ( { match = \"*\"; boot_grace = \"10s\"; "
				"manage = false; } );"},
	{"paused", .after = is_paused, .run_ms = 3000},
	{"settings", .before = brings_nonsense},
	{"passthrough", .others = "<hostdev mode='subsystem' type='pci'/>"},
	{"locked", .top = "<memoryBacking><locked/></memoryBacking>"},
	{"huge-pages", .top = "<memoryBacking><hugepages/></memoryBacking>"},
	{"unmergeable", .top = "<memoryBacking><nosharepages/></memoryBacking>"},
	{"hard-limit", .top = "<memtune><hard_limit unit='KiB'>819200</hard_limit>"
			      "</memtune>"},
	{"emulated", .type = "qemu"},
	{"no-acpi", .features = ""},
	{"no-acpi-windows", .features = "", .os = WINDOWS},
	{"writethrough",
		.disk = "<driver cache='writethrough'/><target dev='vda' bus='virtio'/>",
		.before = has_a_cgroup},
	{"writethrough-windows", .os = WINDOWS,
		.disk = "<driver cache='writethrough'/><target dev='vda' bus='virtio'/>"},
	{"directsync",
		.disk = "<driver cache='directsync'/><target dev='vda' bus='virtio'/>"},
	{"unsafe", .disk = "<driver cache='unsafe'/><target dev='vda' bus='virtio'/>"},
	{"cached-twice", .disk = "<target dev='vda' bus='virtio'/>",
		.before = has_a_cgroup},
	{"cached-nowhere", .os = WINDOWS, .disk = USUAL_DISK},
	{"slow-disk", .disk = "<driver cache='none'/><target dev='sda' bus='sata'/>"},
	{"slow-disk-windows", .os = WINDOWS,
		.disk = "<driver cache='writeback'/><target dev='hda' bus='ide'/>"},
	{"slow-network",
		.nic = "<mac address='52:54:00:00:00:01'/><model type='e1000'/>"},
	{"no-page-reporting", .balloon = "<memballoon model='virtio' autodeflate='on'>"
					 "<stats period='1'/></memballoon>"},
	{"no-autodeflate", .balloon = "<memballoon model='virtio' "
				      "freePageReporting='on'><stats period='1'/>"
				      "</memballoon>"},
	{"exhausted", .after = fills_the_host, .run_ms = 120000},
	{"rebooted", .crowd = true, .after = reboots, .run_ms = 3000},
	{"no-libvirt", .after = goes_away, .run_ms = 3000},
	{"momd-warns", .after = loses_a_source, .run_ms = 3000},
	{"pool-short", .before = lives_in_a_cgroup},
	{"dry-run", .before = runs_dry},
	{"all-paused", .after = all_are_paused, .run_ms = 3000},
	{"no-policy", .config = "policies = [ ]; " USUAL_CONFIG},
};

static const struct cause *find(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (strcmp(causes[i].id, id) == 0)
			return &causes[i];
	return NULL;
}

/* ---- the guest ---- */

static const char *or_usual(const char *text, const char *usual)
{
	return text ? text : usual;
}

static char *xml_of(const struct cause *cause)
{
	return mem_printf(
		"<domain type='%s'><metadata><l:libosinfo "
		"xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os id='%s'/>"
		"</l:libosinfo></metadata>%s<features>%s</features><devices>"
		"<disk type='file' device='disk'>%s</disk>"
		"<interface type='network'>%s</interface>%s%s</devices></domain>",
		or_usual(cause->type, "kvm"),
		or_usual(cause->os, "http://debian.org/debian/12"),
		or_usual(cause->top, ""), or_usual(cause->features, "<acpi/>"),
		or_usual(cause->disk, cause->os ? WINDOWS_DISK : USUAL_DISK),
		or_usual(cause->nic, USUAL_NIC), or_usual(cause->balloon, USUAL_BALLOON),
		or_usual(cause->others, ""));
}

static void build(struct fake_guest *guest, const struct cause *cause)
{
	auto_free char *text = xml_of(cause);
	struct domain_xml xml;
	struct err err;
	if (domain_xml_read(text, strlen(text), &xml, &err) < 0)
		fail_msg("%s", err.text);
	guest->build = xml.build;
	guest->build.known = true;
	guest->no_device = !xml.has_balloon;
	guest->autodeflate = xml.autodeflate;
	guest->locked = xml.locked;
	guest->hugepages = xml.hugepages;
	guest->nosharepages = xml.nosharepages;
	guest->windows = xml.windows;
	if (guest->no_device)
		guest->tell = TELL_NOTHING;
	domain_xml_done(&xml);
}

/* ---- its life ---- */

static void crowd(struct rig *rig)
{
	for (int i = 0; i < 60; i++) {
		rig->fake.base_kib += 20 * MIB;
		rig_run(rig, 1000);
	}
	rig_run(rig, 60000);
}

static void live_through(struct rig *rig, const struct cause *cause)
{
	rig_init(rig, 3000 * MIB);
	for (int i = 0; i < GUESTS; i++) {
		char name[8];
		snprintf(name, sizeof(name), "web%d", i + 1);
		build(fake_add(&rig->fake, name, MAX, 200 * MIB), i ? &causes[0] : cause);
	}
	rig->fake.now_ms = daemon_now_ms() - 20000 - (cause->crowd ? 120000 : 0) -
			   (int64_t)cause->run_ms;
	if (cause->before)
		cause->before(rig);
	rig_open(rig, or_usual(cause->config, USUAL_CONFIG));
	rig_run(rig, 20000);
	if (cause->crowd)
		crowd(rig);
	if (cause->after)
		cause->after(rig);
	rig_run(rig, cause->run_ms);
}

/* ---- the daemon ---- */

/* Nobody reads a configuration anew here. */
int daemon_read_config(
	const struct daemon *daemon, struct config **config, struct err *err)
{
	(void)daemon, (void)config;
	return err_set(err, -1, "this host is made up");
}

static void on_signal(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static int serve(const char *path, struct daemon *daemon)
{
	struct err err;
	struct event_base *base = event_base_new();
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	const struct control_server_settings settings = {
		.socket = path,
		.version = PACKAGE_VERSION,
		.limits = CONTROL_LIMITS_DEFAULT,
	};
	event_add(term, NULL);
	int failed = control_server_new(
		&daemon->server, base, &settings, daemon_methods, daemon, &err);
	if (failed) {
		printf("%s\n", err.text);
	} else {
		puts("ready");
		fflush(stdout);
		event_base_dispatch(base);
		control_server_free(daemon->server);
	}
	event_free(term);
	event_base_free(base);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct cause *cause = argc == 3 ? find(argv[2]) : NULL;
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
			puts(causes[i].id);
		return 0;
	}
	if (!cause) {
		fprintf(stderr, "usage: patient SOCKET CAUSE, or patient --list\n");
		return 2;
	}
	struct rig rig;
	live_through(&rig, cause);
	struct daemon daemon = {.engine = rig.engine};
	int status = serve(argv[1], &daemon);
	rig_done(&rig);
	return status;
}
