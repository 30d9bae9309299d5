/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The engine's voice: one line for what changed, with old, new and why. What is as it was
 * says nothing.
 */

#include "mom/engine.h"

/* Log a line and hand it to who listens; its text comes from `format`. */
void announce(const struct engine *engine, const struct occurrence *about,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

void announce_arrived(const struct engine *engine, const struct guest *guest);
void announce_gone(const struct engine *engine, const struct guest *guest);
void announce_rebooted(const struct engine *engine, struct guest *guest);

/* A reservation, and its end: its guest came, or (NULL) its time is over. */
void announce_reserved(
	const struct engine *engine, const struct reservation *reservation);
void announce_unreserved(const struct engine *engine,
	const struct reservation *reservation, const struct guest *guest);

/* What is wrong with its settings. */
void announce_settings(
	const struct engine *engine, const struct guest *guest, const char *trouble);

/* What came of an order that wasn't taken. */
void announce_refused(const struct engine *engine, const struct guest *guest,
	enum log_level level, const char *outcome, const char *what_now);

/* The guest's state, where it is another one than last told. */
void announce_state(const struct engine *engine, struct guest *guest);

/* Other hands, a balloon that stopped, memory that can't be had. */
void announce_balloon(const struct engine *engine, const struct guest *guest,
	uint64_t before_kib, const struct follow_terms *terms);

/* The pool's state, where it is another one than last told; and once that a reserve set
 * for the host is too much for it. */
void announce_pool(const struct engine *engine, struct pool *pool);

/* A collector or controller that fails, or works again. */
void announce_part(const struct engine *engine, enum log_level level, const char *name,
	const char *text, const char *now_what);

/* The hypervisor came, went, or has something to say. */
void announce_hypervisor(const struct engine *engine, enum occurrence_kind kind,
	const char *what, const char *text);

/* A policy's complaint, where it isn't one of the last tick again. */
void announce_message(struct engine *engine, const struct policy_message *message);

/* All policies have run: those that have nothing to complain of any more. */
void announce_recovered(struct engine *engine);

/* The plan's orders; in a dry run each is told when it changes. */
void announce_orders(struct engine *engine);

/* Knobs of the host that a policy turns. */
void announce_knobs(struct engine *engine);
