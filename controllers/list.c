/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "controllers/list.h"

#define CONTROLLER(name) extern const struct controller controller_##name;
#include "controllers/list.def"
#undef CONTROLLER

const struct controller *const controllers[] = {
#define CONTROLLER(name) &controller_##name,
#include "controllers/list.def"
#undef CONTROLLER
	NULL,
};
