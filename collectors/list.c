/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collectors/list.h"

#define COLLECTOR(name) extern const struct collector collector_##name;
#include "collectors/list.def"
#undef COLLECTOR

const struct collector *const collectors[] = {
#define COLLECTOR(name) &collector_##name,
#include "collectors/list.def"
#undef COLLECTOR
	NULL,
};
