/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an administrator said while the daemon runs and nobody else knows: pauses and live
 * settings of guests, kept by UUID, and reservations, in a file under /run, so that a
 * restart of the daemon keeps them and a restart of the host doesn't.
 */

#include "mom/err.h"
#include "mom/model.h"
#include "mom/reserve.h"

struct live_setting {
	char uuid[UUID_TEXT_MAX];
	char key[32];
	char value[64];
};

struct live {
	char *path;  /* NULL: nothing is kept */
	bool paused; /* all guests */
	char (*paused_guests)[UUID_TEXT_MAX];
	size_t paused_count, paused_capacity;
	struct live_setting *settings;
	size_t setting_count, setting_capacity;
	struct reservations reservations;
};

/*
 * Read what an earlier run kept.
 *
 * Shape:  lines "pause", "pause UUID", "set UUID KEY VALUE", and with tabs between them
 *         "reserve", KiB, expiry (monotonic ms), known id, pool, name.
 * Errors: -EBADMSG a line of another shape (it is left out, the others hold). No file is
 *         no error.
 */
int live_load(struct live *live, const char *path, struct err *err);
void live_done(struct live *live);

/*
 * Write everything to the file, whole or not at all.
 *
 * Errors: any of writing a file; what is in memory stands.
 */
int live_save(const struct live *live, struct err *err);

void live_pause(struct live *live, const char *uuid, bool paused); /* NULL: all */
bool live_is_paused(const struct live *live, const char *uuid);

/* Keep, replace or (value NULL) drop a setting. */
void live_set(struct live *live, const char *uuid, const char *key, const char *value);
/* Drop all settings of a guest; whether there were any. */
bool live_forget(struct live *live, const char *uuid);
const char *live_get(const struct live *live, const char *uuid, const char *key);

/* Tunables that are to outlive a reload are kept as settings of nobody. */
#define LIVE_TUNABLES "tunables"

/* Lay a guest's live settings over those given. */
void live_apply(
	const struct live *live, const char *uuid, struct guest_settings *settings);
