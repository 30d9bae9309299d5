/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon tells those who listen, without being asked: one row a topic. What
 * nobody subscribed to is not even built.
 */

#include "mom/control/server.h"

struct daemon;
struct hypervisor_event;
struct snapshot;

/* What clients of the control socket may subscribe to; the context is a struct daemon. */
extern const struct control_topic publish_topics[];

/* A tick has ended, a usual one or one that couldn't wait. */
void publish_tick(struct daemon *daemon);

/* The engine has taken in an event: the next tick was decided knowing it. */
void publish_input(struct daemon *daemon, const struct hypervisor_event *event);

/* What a tick is about to be decided from; the context is a struct daemon. */
void publish_collected(void *context, const struct snapshot *snapshot);
