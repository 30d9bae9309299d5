/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the control socket answers about what was: the context is a struct daemon. */

struct err;
struct json_object;

int answer_events(void *context, struct json_object *params, struct json_object **result,
	struct err *err);
