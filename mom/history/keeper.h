/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keeps the history: what comes is held in memory and written to the disk in batches.
 * While the disk can't be written it stays in memory, as much as fits, and goes there
 * when it can again. A damaged database is put aside, never overwritten. Time is handed
 * in.
 */

#include <sys/stat.h>

#include "mom/history/store.h"
#include "mom/log.h"

#define KEEPER_FINE_S   86400 /* as it came, for a day */
#define KEEPER_MINUTE_S (7 * 86400)

struct keeper_settings {
	char *path;
	int64_t keep_s, period_s;
	uint64_t size_kib;
	void (*say)(void *context, enum log_level level, const char *text);
	void *context;
};

struct keeper {
	struct keeper_settings settings;
	struct store *disk; /* NULL: can't be had */
	struct store *memory;
	struct stat file; /* what is open */
	int lock_fd;      /* −1 none */
	int failures;     /* one after the other */
	bool told;        /* that it can't be written */
	bool waiting;     /* there is something to write */
	int64_t aside_s;  /* put one aside last */
	int64_t tidied_s;
};

/* Nothing fails here: what can't be had is said. The settings' path is the caller's. */
void keeper_init(
	struct keeper *keeper, const struct keeper_settings *settings, int64_t now_s);
void keeper_done(struct keeper *keeper, int64_t now_s);

void keeper_put_row(struct keeper *keeper, const char *key, const char *name,
	const struct series *row, const char *why);
void keeper_put_event(struct keeper *keeper, const struct store_event *event);

/* How often to flush. */
int64_t keeper_flush_s(const struct keeper *keeper);

/* Write what waits, and keep house. */
void keeper_flush(struct keeper *keeper, int64_t now_s);

/* Something was read that shows the database to be damaged, or can't be read. */
void keeper_failed(struct keeper *keeper, const struct err *err, int64_t now_s);
