/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the control socket tells `momctl doctor`; the context is a struct daemon. */

#include "mom/err.h"

struct json_object;

int answer_doctor(void *context, struct json_object *params, struct json_object **result,
	struct err *err);
