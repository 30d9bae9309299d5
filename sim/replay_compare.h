/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was decided then, held against what the engine has just decided. */

#include "mom/engine.h"
#include "mom/recording/recording.h"
#include "sim/replay.h"

/* `draw`: keep points for a plot. */
void replay_compare(struct replay_result *result, const struct recorded_tick *tick,
	const struct engine *engine, bool draw);

/* Ticks are missing: what comes is no continuation. */
void replay_pause(struct replay_result *result);
