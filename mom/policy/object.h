/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Objects made up field by field: see policy_build_object(). */

#include "mom/policy/policy.h"

/* One field: its latest value and its history, the oldest first. */
struct property {
	const char *name;
	bool has_value;
	struct value value;
	struct value *history;
	size_t count, capacity;
};

/* The property of that name, or NULL; NULL too where there is no object. */
const struct property *object_property(
	const struct policy_object *object, const char *name);

struct value property_latest(const struct property *property);
