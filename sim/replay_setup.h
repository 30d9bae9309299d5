/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings and policies of a recording, with what is asked for laid over them. */

#include "mom/config.h"
#include "mom/engine.h"
#include "mom/recording/recording.h"
#include "sim/replay.h"

/*
 * The configuration that was in force, with `terms` laid over it; it names no policies.
 *
 * Errors: a setting that can't be.
 */
int replay_config(const struct recorded_setup *setup, const struct replay_terms *terms,
	struct config **config, struct err *err);

/*
 * Put the policies of then (or those of `terms`) in force, their tunables, and what was
 * said while the daemon ran.
 *
 * Errors: a policy that can't be read or is refused, a tunable that can't be.
 */
int replay_arm(struct engine *engine, const struct recorded_setup *setup,
	const struct replay_terms *terms, struct err *err);
