/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/domain_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "mom/mem.h"

#define OSINFO_NAMESPACE "http://libosinfo.org/xmlns/libvirt/domain/1.0"

/* Who makes Windows, as libosinfo names its systems. */
#define HTTP           "http://"
#define OSINFO_WINDOWS "microsoft.com/win/"

/* libvirt's way to say that there is no limit. */
#define MEMORY_UNLIMITED_KIB ((UINT64_C(1) << 53) - 1)

static void auto_doc_free(xmlDocPtr *doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE &&
	       xmlStrEqual(node->name, (const xmlChar *)name);
}

static bool is_in(const xmlNode *node, const char *namespace)
{
	return node->ns && xmlStrEqual(node->ns->href, (const xmlChar *)namespace);
}

/* The first child of this name, or NULL; a missing parent has none. */
static xmlNodePtr child(const xmlNode *parent, const char *name)
{
	for (xmlNodePtr node = parent ? parent->children : NULL; node; node = node->next)
		if (is_named(node, name))
			return node;
	return NULL;
}

static xmlNodePtr child_in(const xmlNode *parent, const char *namespace, const char *name)
{
	for (xmlNodePtr node = parent ? parent->children : NULL; node; node = node->next)
		if (is_named(node, name) && is_in(node, namespace))
			return node;
	return NULL;
}

static bool attribute_is(xmlNodePtr node, const char *name, const char *value)
{
	xmlChar *text = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	bool same = text && xmlStrEqual(text, (const xmlChar *)value);
	xmlFree(text);
	return same;
}

/* An attribute as text, cut to fit; "" where there is none. */
static void attribute_text(xmlNodePtr node, const char *name, char *text, size_t size)
{
	xmlChar *found = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	snprintf(text, size, "%s", found ? (const char *)found : "");
	xmlFree(found);
}

/* A whole number up to `most`; anything else counts as none. */
static uint64_t number_of(const xmlChar *text, uint64_t most)
{
	char *end = NULL;
	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	unsigned long long value = strtoull((const char *)text, &end, 10);
	return *end || errno || value > most ? 0 : value;
}

static uint64_t attribute_number(xmlNodePtr node, const char *name)
{
	xmlChar *text = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	uint64_t value = number_of(text, UINT32_MAX);
	xmlFree(text);
	return value;
}

/* A size as libvirt prints it, which is in KiB whatever it was defined in. */
static uint64_t size_kib(const xmlNode *node)
{
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
	uint64_t kib = number_of(text, MEMORY_UNLIMITED_KIB - 1);
	xmlFree(text);
	return kib;
}

/* QEMU pins all guest RAM for these: VFIO, SCSI hosts excepted. */
static bool passes_host_device(const xmlNode *device)
{
	xmlNodePtr node = (xmlNodePtr)device;
	if (is_named(device, "hostdev"))
		return attribute_is(node, "type", "pci") ||
		       attribute_is(node, "type", "mdev");
	if (is_named(device, "interface"))
		return attribute_is(node, "type", "hostdev") ||
		       attribute_is(node, "type", "vdpa");
	return is_named(device, "disk") && attribute_is(node, "type", "nvme");
}

static void read_balloon(xmlNodePtr device, struct domain_xml *domain)
{
	domain->has_balloon = !attribute_is(device, "model", "none");
	domain->autodeflate = attribute_is(device, "autodeflate", "on");
	domain->build.free_page_reporting =
		attribute_is(device, "freePageReporting", "on");
	domain->build.stats_period_s = attribute_number(child(device, "stats"), "period");
}

/* Is the SCSI controller of this disk a virtio one? */
static bool is_virtio_scsi(const xmlNode *devices, const xmlNode *disk)
{
	uint64_t wanted = attribute_number(child(disk, "address"), "controller");
	for (xmlNodePtr node = devices->children; node; node = node->next) {
		char model[16];
		if (!is_named(node, "controller") ||
			!attribute_is(node, "type", "scsi") ||
			attribute_number(node, "index") != wanted)
			continue;
		attribute_text(node, "model", model, sizeof(model));
		return strncmp(model, "virtio", strlen("virtio")) == 0;
	}
	return false;
}

static void read_disk(
	const xmlNode *devices, xmlNodePtr device, struct guest_build *build)
{
	bool medium = attribute_is(device, "device", "cdrom") ||
		      attribute_is(device, "device", "floppy");
	if (medium || build->disk_count == GUEST_DISKS_MAX)
		return;
	struct guest_disk *disk = &build->disks[build->disk_count++];
	xmlNodePtr target = child(device, "target");
	attribute_text(target, "dev", disk->target, sizeof(disk->target));
	attribute_text(target, "bus", disk->bus, sizeof(disk->bus));
	if (strcmp(disk->bus, "scsi") == 0 && is_virtio_scsi(devices, device))
		strcpy(disk->bus, "virtio");
	attribute_text(
		child(device, "driver"), "cache", disk->cache, sizeof(disk->cache));
	disk->remote = attribute_is(device, "type", "network") ||
		       attribute_is(device, "type", "nvme") ||
		       attribute_is(device, "type", "vhostuser");
}

static void read_nic(xmlNodePtr device, struct guest_build *build)
{
	if (build->nic_count == GUEST_NICS_MAX || passes_host_device(device))
		return;
	struct guest_nic *nic = &build->nics[build->nic_count++];
	attribute_text(child(device, "mac"), "address", nic->mac, sizeof(nic->mac));
	attribute_text(child(device, "model"), "type", nic->model, sizeof(nic->model));
}

static void read_devices(const xmlNode *devices, struct domain_xml *domain)
{
	for (xmlNodePtr device = devices ? devices->children : NULL; device;
		device = device->next) {
		if (passes_host_device(device))
			domain->locked = domain->build.passthrough = true;
		if (is_named(device, "memballoon"))
			read_balloon(device, domain);
		else if (is_named(device, "disk"))
			read_disk(devices, device, &domain->build);
		else if (is_named(device, "interface"))
			read_nic(device, &domain->build);
	}
}

static void read_os(const xmlNode *metadata, struct domain_xml *domain)
{
	xmlNodePtr os = child_in(child_in(metadata, OSINFO_NAMESPACE, "libosinfo"),
		OSINFO_NAMESPACE, "os");
	char id[sizeof(domain->build.os) + sizeof(HTTP)];
	attribute_text(os, "id", id, sizeof(id));
	bool web = strncmp(id, HTTP, strlen(HTTP)) == 0;
	snprintf(domain->build.os, sizeof(domain->build.os), "%.*s",
		(int)sizeof(domain->build.os) - 1, web ? id + strlen(HTTP) : id);
	domain->windows =
		strncmp(domain->build.os, OSINFO_WINDOWS, strlen(OSINFO_WINDOWS)) == 0;
}

static void read_limits(const xmlNode *memtune, struct guest_build *build)
{
	build->hard_limit_kib = size_kib(child(memtune, "hard_limit"));
	build->swap_hard_limit_kib = size_kib(child(memtune, "swap_hard_limit"));
}

/* The element with its attributes and name spaces, without what is in it. */
static char *own_settings(xmlDocPtr doc, const xmlNode *metadata)
{
	xmlNodePtr found = child_in(metadata, DOMAIN_XML_NAMESPACE, "guest");
	xmlNodePtr alone = found ? xmlDocCopyNode(found, doc, 2) : NULL;
	if (!alone)
		return NULL;
	xmlBufferPtr buffer = xmlBufferCreate();
	char *text = NULL;
	if (buffer && xmlNodeDump(buffer, doc, alone, 0, 0) > 0 &&
		(size_t)xmlBufferLength(buffer) <= DOMAIN_METADATA_MAX)
		text = mem_dup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	xmlFreeNode(alone);
	return text;
}

static void read_domain(xmlDocPtr doc, xmlNodePtr root, struct domain_xml *domain)
{
	const xmlNode *backing = child(root, "memoryBacking");
	domain->locked = child(backing, "locked") != NULL;
	domain->hugepages = child(backing, "hugepages") != NULL;
	domain->nosharepages = child(backing, "nosharepages") != NULL;
	domain->build.shared = attribute_is(child(backing, "access"), "mode", "shared");
	domain->build.emulated = attribute_is(root, "type", "qemu");
	domain->build.acpi = child(child(root, "features"), "acpi") != NULL;
	read_limits(child(root, "memtune"), &domain->build);
	read_devices(child(root, "devices"), domain);
	const xmlNode *metadata = child(root, "metadata");
	read_os(metadata, domain);
	domain->metadata = own_settings(doc, metadata);
}

int domain_xml_read(
	const char *text, size_t length, struct domain_xml *domain, struct err *err)
{
	if (length > DOMAIN_XML_MAX)
		return err_set(err, -E2BIG, "its XML has %zu bytes, more than %u", length,
			DOMAIN_XML_MAX);
	__attribute__((cleanup(auto_doc_free))) xmlDocPtr doc =
		xmlReadMemory(text, (int)length, "domain.xml", NULL,
			XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return err_set(err, -EBADMSG, "its XML can't be read");
	if (doc->intSubset || doc->extSubset)
		return err_set(err, -EBADMSG, "its XML brings a document type");
	xmlNodePtr root = xmlDocGetRootElement(doc);
	if (!root || !is_named(root, "domain"))
		return err_set(err, -EBADMSG, "its XML has no <domain>");
	*domain = (struct domain_xml){0};
	read_domain(doc, root, domain);
	return 0;
}

void domain_xml_done(struct domain_xml *domain)
{
	free(domain->metadata);
	*domain = (struct domain_xml){0};
}
