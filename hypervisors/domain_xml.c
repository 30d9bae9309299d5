/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/domain_xml.h"

#include <errno.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "mom/mem.h"

#define OSINFO_NAMESPACE "http://libosinfo.org/xmlns/libvirt/domain/1.0"

/* Who makes Windows, as libosinfo names its systems. */
#define OSINFO_WINDOWS "http://microsoft.com/win/"

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

/* A whole number of seconds; anything else counts as none. */
static uint64_t attribute_number(xmlNodePtr node, const char *name)
{
	xmlChar *text = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	char *end = NULL;
	unsigned long long value = 0;
	if (text && *text >= '0' && *text <= '9') {
		value = strtoull((const char *)text, &end, 10);
		if (*end || value > UINT32_MAX)
			value = 0;
	}
	xmlFree(text);
	return value;
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

static void read_devices(const xmlNode *devices, struct domain_xml *domain)
{
	for (xmlNodePtr device = devices ? devices->children : NULL; device;
		device = device->next) {
		if (passes_host_device(device))
			domain->locked = true;
		if (!is_named(device, "memballoon"))
			continue;
		domain->has_balloon = !attribute_is(device, "model", "none");
		domain->autodeflate = attribute_is(device, "autodeflate", "on");
		domain->stats_period_s =
			attribute_number(child(device, "stats"), "period");
	}
}

static bool says_windows(const xmlNode *metadata)
{
	xmlNodePtr os = child_in(child_in(metadata, OSINFO_NAMESPACE, "libosinfo"),
		OSINFO_NAMESPACE, "os");
	xmlChar *id = os ? xmlGetNoNsProp(os, (const xmlChar *)"id") : NULL;
	bool windows = id && strncmp((const char *)id, OSINFO_WINDOWS,
				     strlen(OSINFO_WINDOWS)) == 0;
	xmlFree(id);
	return windows;
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
	read_devices(child(root, "devices"), domain);
	const xmlNode *metadata = child(root, "metadata");
	domain->windows = says_windows(metadata);
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
