/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's XML: any bytes are read or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisors/domain_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain_xml domain;
	struct err err = {0};
	int r = domain_xml_read((const char *)data, size, &domain, &err);
	if (r < 0 && (!err.text[0] || err.code != r))
		abort();
	if (r < 0)
		return 0;
	if (domain.metadata && strlen(domain.metadata) > DOMAIN_METADATA_MAX)
		abort();
	domain_xml_done(&domain);
	return 0;
}
