/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A guest's own settings from its libvirt metadata, within mom/config*.c. Whoever may
 * edit the domain wrote them, so nothing in them is believed before it is looked at.
 */

#include "mom/config.h"
#include "mom/err.h"

#define CONFIG_METADATA_NAMESPACE "https://mom-project.org/xmlns/guest/1"

/*
 * Read the attributes of one <mom:guest …/> element as keys of a guest.
 *
 * Shape:  the element alone, at most 64 KiB of XML, no document type.
 * Errors: each attribute that is unknown or bad is told in `told` and left out; so is the
 *         whole element where it is no such thing.
 */
void config_metadata_read(struct guest_rule *brought, const char *xml, struct err *told);
