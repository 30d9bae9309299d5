/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Facts of policies as JSON, both ways: what `momctl policy eval --facts` reads, and what
 * a running manager hands out for `--live`. The two are one format.
 *
 *	{"host": {"mem_free": 1024, …, "history": {"mem_free": [oldest, …]}},
 *	 "guests": [{"name": "vm1", "balloon_cur": 524288, …, "history": {…}}, …],
 *	 "anything": a variable of that name}
 */

#include <json-c/json_types.h>

#include "mom/policy/policy.h"

struct facts_json {
	struct policy_builder *builder;
	struct policy_guest *guests;
	struct policy_vars **stores; /* one a guest, and the host's last */
	struct policy_facts facts;
};

/*
 * Read facts from a text; `file` is what messages call it.
 *
 * Shape:  any field may be given, also ones that no table knows; NULL text: no facts.
 * Errors: -EINVAL no JSON, or of another shape: "FILE: line N: what".
 */
int facts_json_read(struct facts_json *into, const char *file, const char *text,
	size_t length, struct err *err);

void facts_json_done(struct facts_json *facts);

/* All facts of a run, with their histories; a new object. */
struct json_object *facts_json_write(const struct policy_facts *facts);

/* One value; NULL is JSON's null, and stands for nil, NaN and infinities. */
struct json_object *facts_json_value(
	const struct policy_facts *facts, struct value value);
