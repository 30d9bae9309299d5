/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the control socket answers about what was: the context is a struct daemon. */

struct control_reply;
struct json_object;

void start_history(
	void *context, struct json_object *params, struct control_reply *reply);
void start_events(void *context, struct json_object *params, struct control_reply *reply);
