/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A value of the policy language from JSON: of facts, and of what policies keep.
 */

#include <json-c/json_types.h>

#include "mom/policy/policy.h"

/*
 * Read one value; what it holds belongs to the builder.
 *
 * Shape: null, and what JSON has and the language hasn't, is nil.
 */
struct value value_json_read(struct policy_builder *builder, struct json_object *json);
