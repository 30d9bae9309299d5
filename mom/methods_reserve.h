/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the control socket answers about memory kept for guests to come; the context is a
 * struct daemon. Who reserves is answered when the memory is there, or when the time that
 * was given is over.
 */

#include "mom/err.h"

struct control_reply;
struct daemon;
struct json_object;

void start_reserve(
	void *context, struct json_object *params, struct control_reply *reply);
int answer_reserve_list(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_reserve_check(void *context, struct json_object *params,
	struct json_object **result, struct err *err);
int answer_reserve_cancel(void *context, struct json_object *params,
	struct json_object **result, struct err *err);

/* A tick has ended: answer those whose memory is there. */
void reserve_waits_follow(struct daemon *daemon);

/* The daemon ends: answer everybody. What is reserved stays so for the next one. */
void reserve_waits_end(struct daemon *daemon);
