/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading a scenario, within sim/scenario_*.c: one line under way. */

#include "sim/scenario.h"

#define MOST_WORDS 256

struct reader {
	struct scenario *scenario;
	const char *path;
	unsigned line;
	const char *text; /* the line as written */
	char *words[MOST_WORDS];
	size_t count;
};

/* "guest NAME memory=SIZE …" and "work GUEST TIME:SIZE …". Errors: -EINVAL. */
int scenario_read_guest(struct reader *reader, struct err *err);
int scenario_read_work(struct reader *reader, struct err *err);
