/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a memory manager wants to know from a domain's XML: its balloon device, what
 * stands in the way of taking its memory, and the settings it carries with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"
#include "mom/guest_build.h"

/* Namespace of the settings' element in <metadata>. */
#define DOMAIN_XML_NAMESPACE "https://mom-project.org/xmlns/guest/1"

/* Larger ones are refused: a domain of hundreds of devices stays far below. */
#define DOMAIN_XML_MAX      (1024u * 1024)
#define DOMAIN_METADATA_MAX 4096u

struct domain_xml {
	bool has_balloon;
	bool autodeflate; /* its balloon gives way when the guest runs out of memory */
	bool locked; /* <locked/>, or a device of the host passed through */
	bool hugepages;
	bool nosharepages; /* KSM leaves it alone */
	bool windows;      /* by its libosinfo name */
	struct guest_build build;
	char *metadata; /* <mom:guest …/> alone, or NULL; owned */
};

/*
 * Read a domain's XML.
 *
 * Shape:  a <domain> as virDomainGetXMLDesc() gives it; unknown elements don't matter.
 *         `metadata` has the element's own attributes and nothing below it.
 * Errors: -EBADMSG not XML, no <domain>, or a document type (entities aren't taken);
 *         -E2BIG longer than DOMAIN_XML_MAX. A metadata element longer than
 *         DOMAIN_METADATA_MAX is left out.
 * Source: https://libvirt.org/formatdomain.html
 */
int domain_xml_read(
	const char *text, size_t length, struct domain_xml *domain, struct err *err);

void domain_xml_done(struct domain_xml *domain);
