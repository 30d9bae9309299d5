/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "hypervisors/domain_xml.h"
#include "mom/mem.h"

#define MOM "xmlns:mom='https://mom-project.org/xmlns/guest/1'"

static int read_text(const char *text, struct domain_xml *domain, struct err *err)
{
	return domain_xml_read(text, strlen(text), domain, err);
}

/* A domain with these elements in it, which must be read. */
static struct domain_xml domain_of(const char *elements)
{
	auto_free char *text = mem_printf("<domain type='kvm'>%s</domain>", elements);
	struct domain_xml domain;
	struct err err = {0};
	if (read_text(text, &domain, &err) < 0)
		fail_msg("%s", err.text);
	return domain;
}

static void plain_guest(void **state)
{
	(void)state;
	struct domain_xml domain = domain_of(
		"<name>a</name><devices><memballoon model='virtio'>"
		"<stats period='10'/></memballoon><hostdev type='usb'/></devices>");
	assert_true(domain.has_balloon);
	assert_int_equal(domain.build.stats_period_s, 10);
	assert_false(domain.locked || domain.hugepages || domain.nosharepages);
	assert_false(domain.windows);
	assert_null(domain.metadata);
}

static void balloons(void **state)
{
	(void)state;
	struct domain_xml none =
		domain_of("<devices><memballoon model='none'/></devices>");
	assert_false(none.has_balloon);
	assert_false(domain_of("<devices/>").has_balloon);
	assert_false(domain_of("").has_balloon);
	struct domain_xml silent =
		domain_of("<devices><memballoon model='virtio'/></devices>");
	assert_true(silent.has_balloon);
	assert_int_equal(silent.build.stats_period_s, 0);
	static const char *const periods[] = {"-1", "1s", "", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		auto_free char *devices = mem_printf(
			"<devices><memballoon model='virtio'><stats period='%s'/>"
			"</memballoon></devices>",
			periods[i]);
		assert_int_equal(domain_of(devices).build.stats_period_s, 0);
	}
}

static void memory_that_cannot_be_taken(void **state)
{
	(void)state;
	static const char *const locked[] = {
		"<memoryBacking><locked/></memoryBacking>",
		"<devices><hostdev mode='subsystem' type='pci'/></devices>",
		"<devices><hostdev mode='subsystem' type='mdev'/></devices>",
		"<devices><interface type='hostdev'/></devices>",
		"<devices><interface type='vdpa'/></devices>",
		"<devices><disk type='nvme'/></devices>",
	};
	for (size_t i = 0; i < ARRAY_SIZE(locked); i++)
		assert_true(domain_of(locked[i]).locked);
	struct domain_xml backed =
		domain_of("<memoryBacking><hugepages/><nosharepages/></memoryBacking>");
	assert_true(backed.hugepages && backed.nosharepages);
	assert_false(backed.locked);
}

static struct domain_xml windows_of(const char *id)
{
	auto_free char *metadata =
		mem_printf("<metadata><l:libosinfo "
			   "xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/"
			   "1.0'><l:os id='%s'/></l:libosinfo></metadata>",
			id);
	return domain_of(metadata);
}

static void windows(void **state)
{
	(void)state;
	assert_true(windows_of("http://microsoft.com/win/2k3").windows);
	assert_string_equal(windows_of("http://debian.org/debian/12").build.os,
		"debian.org/debian/12");
	assert_false(windows_of("http://debian.org/debian/12").windows);
	assert_false(
		domain_of("<metadata><libosinfo><os id='http://microsoft.com/win/10'/>"
			  "</libosinfo></metadata>")
			.windows);
}

static void disks(void **state)
{
	(void)state;
	struct guest_build build = domain_of(
		"<devices>"
		"<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"
		"<disk type='file' device='disk'><driver name='qemu' "
		"cache='writethrough'/><target dev='hda' bus='ide'/></disk>"
		"<disk type='block'><target dev='sdb' bus='scsi'/>"
		"<address type='drive' controller='1'/></disk>"
		"<disk type='network'><target dev='sdc' bus='scsi'/></disk>"
		"<controller type='scsi' index='1' model='virtio-scsi'/>"
		"<controller type='scsi' index='0' model='lsilogic'/>"
		"</devices>")
					   .build;
	assert_int_equal(build.disk_count, 3);
	assert_string_equal(build.disks[0].target, "hda");
	assert_string_equal(build.disks[0].bus, "ide");
	assert_string_equal(build.disks[0].cache, "writethrough");
	assert_false(build.disks[0].remote);
	assert_string_equal(build.disks[1].bus, "virtio");
	assert_string_equal(build.disks[1].cache, "");
	assert_string_equal(build.disks[2].bus, "scsi");
	assert_true(build.disks[2].remote);
}

/* A guest may have any number of them; what it is told of has a bound. */
static void many_disks_and_networks(void **state)
{
	(void)state;
	auto_free char *devices = mem_dup("");
	for (int i = 0; i < 20; i++) {
		char *longer = mem_printf(
			"%s<disk><target dev='vda' bus='virtio'/></disk>"
			"<interface type='network'><mac "
			"address='52:54:00:00:00:%02x'/><model "
			"type='%s'/></interface>",
			devices, i, i ? "virtio" : "a-model-with-a-very-long-name");
		free(devices);
		devices = longer;
	}
	auto_free char *text = mem_printf("<devices>%s</devices>", devices);
	struct guest_build build = domain_of(text).build;
	assert_int_equal(build.disk_count, GUEST_DISKS_MAX);
	assert_int_equal(build.nic_count, GUEST_NICS_MAX);
	assert_string_equal(build.nics[0].model, "a-model-with-a-");
	assert_string_equal(build.nics[1].mac, "52:54:00:00:00:01");
}

static void what_bounds_its_memory(void **state)
{
	(void)state;
	struct guest_build build =
		domain_of("<memtune><hard_limit unit='KiB'>819200</hard_limit>"
			  "<swap_hard_limit unit='KiB'>9007199254740991</swap_hard_limit>"
			  "</memtune><features><acpi/></features><memoryBacking>"
			  "<source type='memfd'/><access mode='shared'/></memoryBacking>"
			  "<devices><memballoon model='virtio' freePageReporting='on'/>"
			  "<hostdev type='pci'/></devices>")
			.build;
	assert_int_equal(build.hard_limit_kib, 819200);
	assert_int_equal(build.swap_hard_limit_kib, 0);
	assert_true(build.acpi && build.shared && build.free_page_reporting);
	assert_true(build.passthrough);
	assert_false(build.emulated);
	build = domain_of("").build;
	assert_false(build.acpi || build.shared || build.free_page_reporting);
	assert_false(build.passthrough || build.hard_limit_kib);
}

static void own_settings(void **state)
{
	(void)state;
	struct domain_xml domain = domain_of(
		"<metadata><x:other xmlns:x='urn:x'><guest min='9'/></x:other>"
		"<mom:guest " MOM " min='256MiB' shares='2000'>text<deep/></mom:guest>"
		"</metadata>");
	assert_string_equal(domain.metadata,
		"<mom:guest xmlns:mom=\"https://mom-project.org/xmlns/guest/1\" "
		"min=\"256MiB\" shares=\"2000\"/>");
	domain_xml_done(&domain);
	assert_null(domain.metadata);
	assert_null(domain_of("<metadata><guest min='1MiB'/></metadata>").metadata);
	assert_null(domain_of("<metadata><g:guest xmlns:g='urn:other' min='1MiB'/>"
			      "</metadata>")
			    .metadata);
}

/* The name space may be declared further up, and by another prefix. */
static void own_settings_stand_alone(void **state)
{
	(void)state;
	static const char text[] =
		"<domain xmlns:q='https://mom-project.org/xmlns/guest/1'><metadata>"
		"<q:guest min='1GiB'/></metadata></domain>";
	struct domain_xml domain;
	assert_int_equal(read_text(text, &domain, NULL), 0);
	assert_string_equal(domain.metadata,
		"<q:guest xmlns:q=\"https://mom-project.org/xmlns/guest/1\" "
		"min=\"1GiB\"/>");
	domain_xml_done(&domain);
}

static void huge_settings_are_left_out(void **state)
{
	(void)state;
	auto_free char *value = mem_alloc(DOMAIN_METADATA_MAX + 1);
	memset(value, 'x', DOMAIN_METADATA_MAX);
	auto_free char *metadata =
		mem_printf("<metadata><mom:guest " MOM " min='%s'/></metadata>"
			   "<devices><memballoon model='virtio'/></devices>",
			value);
	struct domain_xml domain = domain_of(metadata);
	assert_null(domain.metadata);
	assert_true(domain.has_balloon);
}

static void refuses(const char *text, int code, const char *words)
{
	struct domain_xml domain = {.windows = true};
	struct err err = {0};
	assert_int_equal(read_text(text, &domain, &err), code);
	if (!strstr(err.text, words))
		fail_msg("'%s' doesn't say '%s'", err.text, words);
	assert_true(domain.windows); /* untouched */
}

static void what_is_no_domain(void **state)
{
	(void)state;
	refuses("", -EBADMSG, "can't be read");
	refuses("<domain>", -EBADMSG, "can't be read");
	refuses("<network/>", -EBADMSG, "no <domain>");
	refuses("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>",
		-EBADMSG, "document type");
	refuses("<!DOCTYPE domain SYSTEM 'http://localhost/x.dtd'><domain/>", -EBADMSG,
		"document type");
	refuses("<domain><name>&a;</name></domain>", -EBADMSG, "can't be read");
	auto_free char *long_text = mem_alloc(DOMAIN_XML_MAX + 2);
	memset(long_text, ' ', DOMAIN_XML_MAX + 1);
	refuses(long_text, -E2BIG, "bytes");
}

/* ---- entities, files, networks ---- */

#define SECRET "a-secret-of-the-host"

/* Ten to the tenth, were it spelled out. */
#define BOMB                                                                             \
	"<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'>"                                     \
	"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"                                   \
	"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"                                   \
	"<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"                                   \
	"<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>"                                   \
	"<!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"                                   \
	"<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>"                                   \
	"<!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'>"                                   \
	"<!ENTITY i '&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;'>"                                   \
	"<!ENTITY j '&i;&i;&i;&i;&i;&i;&i;&i;&i;&i;'>]>"

static long peak_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Refused, one way or the other, before it has grown. */
static void an_entity_bomb_does_not_go_off(void **state)
{
	(void)state;
	static const char *const texts[] = {
		BOMB "<domain><name>&j;</name></domain>",
		BOMB "<domain><metadata><mom:guest " MOM
		     " min='&j;'/></metadata></domain>",
		BOMB
		"<domain><memoryBacking><access mode='&j;'/></memoryBacking></domain>",
		"<!DOCTYPE domain [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>"
		"<domain><metadata><mom:guest " MOM " min='&a;'/></metadata></domain>",
	};
	struct err err;
	struct domain_xml domain = {0};
	long before_kib = peak_kib();
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(read_text(texts[i], &domain, &err), -EBADMSG);
	assert_in_range(peak_kib(), 0, before_kib + 16 * 1024);
}

/* A text that names a file or a place between its two halves. */
struct naming {
	const char *before, *after;
	int result;
};

static const struct naming namings[] = {
	{"<!DOCTYPE domain SYSTEM '", "'><domain/>", -EBADMSG},
	{"<!DOCTYPE domain [<!ENTITY x SYSTEM '",
		"'>]><domain><metadata><mom:guest " MOM
		" min='1MiB'>&x;</mom:guest></metadata></domain>",
		-EBADMSG},
	{"<!DOCTYPE domain [<!ENTITY % x SYSTEM '", "'>%x;]><domain/>", -EBADMSG},
	{"<domain><metadata><mom:guest " MOM
	 " xmlns:xi='http://www.w3.org/2001/XInclude' min='1MiB'>"
	 "<xi:include parse='text' href='",
		"'/></mom:guest></metadata></domain>", 0},
};

static void read_naming(const struct naming *naming, const char *what)
{
	auto_free char *text = mem_printf("%s%s%s", naming->before, what, naming->after);
	struct domain_xml domain = {0};
	struct err err = {0};
	assert_int_equal(read_text(text, &domain, &err), naming->result);
	assert_null(strstr(err.text, SECRET));
	assert_true(!domain.metadata || !strstr(domain.metadata, SECRET));
	domain_xml_done(&domain);
}

static void write_secret(const char *path)
{
	auto_fclose FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(SECRET, file);
}

/* What a file of the host holds gets into nobody's settings. */
static void no_file_is_read_for_a_guest(void **state)
{
	(void)state;
	char path[] = "/tmp/mom-xml.XXXXXX";
	close(mkstemp(path));
	write_secret(path);
	auto_free char *url = mem_printf("file://%s", path);
	for (size_t i = 0; i < ARRAY_SIZE(namings); i++) {
		read_naming(&namings[i], path);
		read_naming(&namings[i], url);
	}
	unlink(path);
}

/* Nobody is called: the listener that the text names hears nothing. */
static void no_network_is_asked_for_a_guest(void **state)
{
	(void)state;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 8) < 0) {
		close(fd);
		skip();
		return;
	}
	getsockname(fd, (struct sockaddr *)&address, &length);
	auto_free char *url =
		mem_printf("http://127.0.0.1:%d/x.dtd", (int)ntohs(address.sin_port));
	for (size_t i = 0; i < ARRAY_SIZE(namings); i++)
		read_naming(&namings[i], url);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_guest),
		cmocka_unit_test(balloons),
		cmocka_unit_test(memory_that_cannot_be_taken),
		cmocka_unit_test(windows),
		cmocka_unit_test(disks),
		cmocka_unit_test(many_disks_and_networks),
		cmocka_unit_test(what_bounds_its_memory),
		cmocka_unit_test(own_settings),
		cmocka_unit_test(own_settings_stand_alone),
		cmocka_unit_test(huge_settings_are_left_out),
		cmocka_unit_test(what_is_no_domain),
		cmocka_unit_test(an_entity_bomb_does_not_go_off),
		cmocka_unit_test(no_file_is_read_for_a_guest),
		cmocka_unit_test(no_network_is_asked_for_a_guest),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
