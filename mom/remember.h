/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What of each tick goes into the history: the figures of a period become one row for
 * each guest and pool.
 */

#include "mom/occurrence.h"

struct daemon;

/* Open the history as configured; the loop is there. */
void remember_begin(struct daemon *daemon);

/* The configuration was read anew. */
void remember_follow(struct daemon *daemon);

/* A tick has ended. */
void remember_tick(struct daemon *daemon);

/* Something happened. */
void remember_event(struct daemon *daemon, const struct occurrence *occurrence);

void remember_end(struct daemon *daemon);
