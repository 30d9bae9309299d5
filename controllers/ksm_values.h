/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of KSM as this daemon found and left them: what each held before the first
 * write is owed to it, and kept in a file so that the next momd can pay after a sudden
 * death.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mom/model.h"

#define KSM_VALUE_MAX 24

/* The host's knobs come first, with their numbers in the plan. */
enum { KSM_ADVISOR = HOST_KNOB_COUNT, KSM_VALUE_COUNT };

struct ksm_value {
	bool known;                  /* `value` is what was last agreed on */
	bool touched;                /* it was written, and `initial` is owed to it */
	bool given_up;               /* the kernel takes nothing there */
	char value[KSM_VALUE_MAX];   /* as read back after the last write */
	char initial[KSM_VALUE_MAX]; /* before the first */
	char refused[KSM_VALUE_MAX]; /* what the kernel wouldn't take */
};

struct ksm_values {
	char *path;       /* of KSM's folder */
	char *state_path; /* where the debt is kept */
	int state_error;  /* from keeping it last: 0, or a negative errno */
	struct ksm_value items[KSM_VALUE_COUNT];
};

void ksm_values_init(struct ksm_values *values, const char *sys_root, const char *socket);
void ksm_values_done(struct ksm_values *values);

const char *ksm_value_name(int item);

/* What the kernel has now; false where it has no such file. */
bool ksm_values_read(const struct ksm_values *values, int item, char now[KSM_VALUE_MAX]);

/* A counter; 0 where the kernel has none. */
int64_t ksm_values_count(const struct ksm_values *values, const char *file);

/*
 * Set one, unless it is so already, was refused before or isn't there.
 *
 * Errors: the kernel's own, once for each value that it refuses, once for each file that
 *         it lets nobody write.
 */
int ksm_values_set(struct ksm_values *values, int item, const char *value);

/* The first one that no longer holds what was last agreed on, or −1. */
int ksm_values_taken(const struct ksm_values *values, char now[KSM_VALUE_MAX]);

/* Take over what a momd that died has left; what changed since isn't its own. */
void ksm_values_adopt(struct ksm_values *values);

/* Pay what is owed; what somebody else has changed since is theirs, and stays. */
void ksm_values_restore(struct ksm_values *values);
