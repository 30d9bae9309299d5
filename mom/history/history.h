/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The history as the daemon has it: a child of its own, mom-history, that keeps the
 * database, so that a disk that hangs holds up nobody. What is put is handed on without
 * waiting; what is asked is answered later.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mom/err.h"
#include "mom/history/series.h"
#include "mom/log.h"

struct event_base;
struct history;
struct json_object;

struct history_settings {
	const char *path; /* of the database; "" switches the history off */
	uint64_t keep_ms, size_kib, period_ms;
};

struct history_env {
	struct event_base *base;
	const char *program; /* path of mom-history */
	/* Told what the administrator should know. */
	void (*say)(void *context, enum log_level level, const char *text);
	void *context;
};

/* Begin with the history switched off; history_set() follows. */
struct history *history_open(const struct history_env *env);

/* Hand on what is left, for a second at most. Questions are answered: -ECANCELED. */
void history_close(struct history *history);

/*
 * Take these settings, where they are other ones: the child ends, and one for them
 * begins. Nothing fails here: a child that can't be started is told, and tried again.
 */
void history_set(struct history *history, const struct history_settings *settings);

/* Whether what is put now would have to wait, or be lost: then it is better merged with
 * what comes next. */
bool history_is_full(const struct history *history);

/* A figure row of a guest (UUID and name) or a pool (path twice); `why` may be NULL. */
void history_put_series(struct history *history, const char *key, const char *name,
	const struct series *series, const char *why);

/* An event in the shape of doc/control-protocol.md; it stays the caller's. */
void history_put_event(struct history *history, struct json_object *event);

/* What is wrong with it now, for people; NULL nothing. */
const char *history_trouble(const struct history *history);

/*
 * What came of a question. `answer` has the shape of doc/control-protocol.md and can only
 * be printed: its text comes from the child as it is. It is the callee's to put.
 *
 * Errors: in `err`, NULL where there is an answer: -EOPNOTSUPP switched off; -ENOENT no
 *         such guest was ever seen; -ETIMEDOUT; -EAGAIN the child isn't there;
 *         -ECANCELED the daemon ends.
 */
typedef void (*history_answer_fn)(
	void *context, struct json_object *answer, const struct err *err);

/* The figures of a span of time; doc/control-protocol.md has the meaning of each. */
struct history_question {
	bool pools_only;   /* no guests */
	const char *guest; /* name or UUID; NULL the host, its pools and every guest */
	int64_t since_ms, until_ms; /* since the epoch */
	uint64_t step_s;            /* 0: what makes `points` */
	uint64_t points;            /* at most, for each line */
};

#define HISTORY_POINTS_USUAL 240
#define HISTORY_POINTS_MOST  2000

/* Answered before it returns where there is no child to ask. */
void history_ask(struct history *history, const struct history_question *question,
	history_answer_fn answer, void *context);

/* The events of a span of time, of one guest or all: the latest `limit`. */
void history_ask_events(struct history *history, const char *guest, int64_t since_ms,
	int64_t until_ms, uint64_t limit, history_answer_fn answer, void *context);

/* Who asked with this context isn't interested any more: it is not called. */
void history_forget(struct history *history, const void *context);
