/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_metadata.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "mom/mem.h"

#define METADATA_MAX (64 * 1024)

static void auto_xml_doc(xmlDoc **doc)
{
	xmlFreeDoc(*doc);
}

static void auto_xml_text(xmlChar **text)
{
	xmlFree(*text);
}

/* Silent, offline, no entities, and UTF-8 whatever the text itself says it is. */
static xmlDoc *parse(const char *xml, size_t length)
{
	return xmlReadMemory(xml, (int)length, "metadata", "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static xmlNode *find_guest(xmlDoc *doc)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	if (!root || strcmp((const char *)root->name, "guest") != 0)
		return NULL;
	if (!root->ns || !root->ns->href ||
		strcmp((const char *)root->ns->href, CONFIG_METADATA_NAMESPACE) != 0)
		return NULL;
	return root;
}

static void read_attribute(
	struct guest_rule *brought, xmlNode *node, xmlAttr *attribute, struct err *told)
{
	struct err why;
	const char *name = (const char *)attribute->name;
	__attribute__((cleanup(auto_xml_text))) xmlChar *value =
		xmlNodeListGetString(node->doc, attribute->children, 1);
	int r = guest_settings_set(
		&brought->values, name, value ? (const char *)value : "", &why);
	if (r < 0) {
		err_also(told, -EINVAL, "%s; left out", why.text);
		return;
	}
	for (size_t row = 0; guest_keys[row].name; row++)
		if (strcmp(guest_keys[row].name, name) == 0)
			brought->given |= 1u << row;
}

void config_metadata_read(struct guest_rule *brought, const char *xml, struct err *told)
{
	size_t length = strnlen(xml, METADATA_MAX + 1);
	if (length > METADATA_MAX || strstr(xml, "<!DOCTYPE")) {
		err_also(told, -EINVAL,
			"metadata is larger than 64 KiB or has a "
			"document type; left out");
		return;
	}
	__attribute__((cleanup(auto_xml_doc))) xmlDoc *doc = parse(xml, length);
	xmlNode *node = doc && !doc->intSubset ? find_guest(doc) : NULL;
	if (!node) {
		err_also(told, -EINVAL,
			"metadata is not one <guest> element of the namespace %s; left "
			"out",
			CONFIG_METADATA_NAMESPACE);
		return;
	}
	for (xmlAttr *attribute = node->properties; attribute;
		attribute = attribute->next)
		if (!attribute->ns)
			read_attribute(brought, node, attribute, told);
}
