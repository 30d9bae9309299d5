/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a replay came to, for people and for programs, and as a picture. */

#include <stdio.h>

#include "sim/replay.h"

/* `first`: so many episodes are listed. */
void replay_report(FILE *out, const struct replay_result *result, size_t first);
void replay_report_json(FILE *out, const struct replay_result *result);

/* Targets of both sides over time, a panel a guest; SVG. */
void replay_draw(FILE *out, const struct replay_result *result);
