/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine's voice: one line for what changed, with old, new and why. What is as it was
 * says nothing.
 */

#include "mom/engine.h"

void announce_arrived(const struct guest *guest);
void announce_gone(const struct guest *guest);

void announce_rebooted(struct guest *guest, int64_t now_ms);

/* The guest's state, where it is another one than last told. */
void announce_state(struct guest *guest, int64_t now_ms);

/* Other hands, a balloon that stopped, memory that can't be had. */
void announce_balloon(const struct guest *guest, enum follow_event event,
	uint64_t before_kib, const struct follow_terms *terms);

/* The pool's state, where it is another one than last told. */
void announce_pool(struct pool *pool);

/* A policy's complaint, where it isn't one of the last tick again. */
void announce_message(struct engine *engine, const struct policy_message *message);

/* All policies have run: those that have nothing to complain of any more. */
void announce_recovered(struct engine *engine);

/* The plan's orders; in a dry run each is told when it changes. */
void announce_orders(struct engine *engine);

/* Knobs of the host that a policy turns. */
void announce_knobs(struct engine *engine);
