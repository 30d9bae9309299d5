/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the control socket answers about policies; the context is a struct daemon. */

#include "mom/err.h"

struct json_object;

int answer_policy_list(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_show(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_params(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_set(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_unset(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_check(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_load(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_unload(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_reset(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_policy_diff(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_facts(void *context, struct json_object *params, struct json_object **result,
	struct err *err);
