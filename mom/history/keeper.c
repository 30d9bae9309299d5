/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/history/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "mom/mem.h"

#define MEMORY_KIB      512
#define MEMORY_FINE_S   600 /* what waits grows coarse sooner */
#define MEMORY_MINUTE_S 7200
#define FLUSH_S         30   /* at most */
#define BUSY_TRIES      5    /* the momd before may still be ending */
#define ASIDE_S         3600 /* between two that are put aside: the disk is bad then */
#define PIECES          8    /* of growing coarser, after each flush */
#define TIDY_S          86400
#define EVER_S          (INT64_MAX / 2000)

static void say(struct keeper *keeper, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct keeper *keeper, enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	keeper->settings.say(keeper->settings.context, level, text);
}

/* ---- the file ---- */

/* One momd alone writes it. */
static int lock(struct keeper *keeper, struct err *err)
{
	if (keeper->lock_fd >= 0)
		return 0;
	auto_free char *path = mem_printf("%s.lock", keeper->settings.path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "cannot open \"%s\"", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return err_set(err, -EBUSY, "\"%s\" is in use by another momd",
			keeper->settings.path);
	}
	keeper->lock_fd = fd;
	return 0;
}

static void close_disk(struct keeper *keeper)
{
	store_close(keeper->disk);
	keeper->disk = NULL;
}

static int move_aside(const char *path, const char *to, const char *suffix)
{
	auto_free char *old = mem_printf("%s%s", path, suffix);
	auto_free char *new = mem_printf("%s%s", to, suffix);
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE);
}

/* Somebody may still want to have a look at it, and it may be repaired. */
static int put_aside(struct keeper *keeper, const struct err *why, int64_t now_s)
{
	char stamp[32];
	struct tm tm;
	time_t now = (time_t)now_s;
	const char *path = keeper->settings.path;
	close_disk(keeper);
	if (keeper->aside_s && now_s - keeper->aside_s < ASIDE_S)
		return -EIO;
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	auto_free char *to = mem_printf("%s.broken-%s", path, stamp);
	if (move_aside(path, to, "") < 0)
		return -errno;
	move_aside(path, to, "-wal");
	move_aside(path, to, "-shm");
	keeper->aside_s = now_s;
	say(keeper, LOG_LEVEL_WARNING, "%s; put aside as \"%s\", beginning a new one",
		why->text, to);
	return 0;
}

static int open_disk(struct keeper *keeper, int64_t now_s, struct err *err)
{
	const char *path = keeper->settings.path;
	int result = lock(keeper, err);
	if (result == 0)
		result = store_open(&keeper->disk, path, err);
	if (result == STORE_BROKEN && put_aside(keeper, err, now_s) == 0)
		result = store_open(&keeper->disk, path, err);
	if (result == 0 && stat(path, &keeper->file) < 0)
		keeper->file = (struct stat){0};
	return result;
}

/* Taken away by somebody: what is written then is written to nobody. */
static bool is_gone(const struct keeper *keeper)
{
	struct stat now;
	return stat(keeper->settings.path, &now) < 0 ||
	       now.st_ino != keeper->file.st_ino || now.st_dev != keeper->file.st_dev;
}

/* ---- writing ---- */

struct copying {
	struct keeper *keeper;
	struct err *err;
	int result;
};

static int copy_row(void *context, const struct store_row *row)
{
	struct copying *copying = context;
	copying->result = store_put_row(copying->keeper->disk, row->key, row->name,
		&row->series, store_why(copying->keeper->memory, row->why), copying->err);
	return copying->result;
}

static int copy_event(void *context, const struct store_event *event)
{
	struct copying *copying = context;
	copying->result = store_put_event(copying->keeper->disk, event, copying->err);
	return copying->result;
}

static int copy_all(struct keeper *keeper, struct err *err)
{
	struct copying copying = {.keeper = keeper, .err = err};
	int result = store_read_events(keeper->memory, 0, -EVER_S * 1000, EVER_S * 1000,
		true, copy_event, &copying, err);
	for (int kind = 0; kind < SERIES_KIND_COUNT && !result && !copying.result; kind++)
		result = store_read_rows(keeper->memory, (enum series_kind)kind, 0,
			-EVER_S, EVER_S, copy_row, &copying, err);
	return copying.result < 0 ? copying.result : result;
}

static int write_all(struct keeper *keeper, struct err *err)
{
	int result = store_begin(keeper->disk, err);
	if (result < 0)
		return result;
	result = copy_all(keeper, err);
	if (result == 0)
		result = store_commit(keeper->disk, err);
	if (result < 0)
		store_rollback(keeper->disk);
	else
		store_clear(keeper->memory, NULL);
	return result;
}

static int keep_house(struct keeper *keeper, int64_t now_s, struct err *err)
{
	const struct store_terms terms = {
		.fine_s = KEEPER_FINE_S,
		.minute_s = KEEPER_MINUTE_S,
		.keep_s = keeper->settings.keep_s,
	};
	int result = 1;
	for (int i = 0; i < PIECES && result > 0; i++)
		result = store_age(keeper->disk, &terms, now_s, err);
	if (result >= 0)
		result = store_shrink(keeper->disk, keeper->settings.size_kib, err);
	if (result >= 0 && now_s - keeper->tidied_s >= TIDY_S) {
		keeper->tidied_s = now_s;
		result = store_tidy(keeper->disk, err);
	}
	return result;
}

/* ---- what fails ---- */

void keeper_failed(struct keeper *keeper, const struct err *err, int64_t now_s)
{
	struct err again = *err;
	keeper->failures++;
	if (err->code == STORE_BROKEN && keeper->disk &&
		put_aside(keeper, err, now_s) == 0 &&
		open_disk(keeper, now_s, &again) == 0)
		return;
	if (err->code != -ENOSPC && err->code != -EBUSY)
		close_disk(keeper);
	bool soon = err->code == -EBUSY && keeper->failures < BUSY_TRIES;
	if (keeper->told || soon)
		return;
	keeper->told = true;
	say(keeper, LOG_LEVEL_WARNING, "%s; kept in memory until it can be written",
		again.text);
}

static void recovered(struct keeper *keeper)
{
	keeper->failures = 0;
	if (keeper->told)
		say(keeper, LOG_LEVEL_NOTICE, "\"%s\" is written again",
			keeper->settings.path);
	keeper->told = false;
}

/* What doesn't get to the disk is held to a size; what is older, coarser. */
static void spare_memory(struct keeper *keeper, int64_t now_s)
{
	const struct store_terms terms = {
		.fine_s = MEMORY_FINE_S,
		.minute_s = MEMORY_MINUTE_S,
		.keep_s = keeper->settings.keep_s,
	};
	for (int i = 0; i < PIECES; i++)
		if (store_age(keeper->memory, &terms, now_s, NULL) <= 0)
			break;
	store_shrink(keeper->memory, MEMORY_KIB, NULL);
}

void keeper_flush(struct keeper *keeper, int64_t now_s)
{
	struct err err = {0};
	int result = 0;
	if (keeper->disk && is_gone(keeper))
		close_disk(keeper);
	if (!keeper->disk)
		result = open_disk(keeper, now_s, &err);
	for (int attempt = 0; attempt < 2; attempt++) {
		if (result == 0)
			result = write_all(keeper, &err);
		if (result == 0)
			result = keep_house(keeper, now_s, &err);
		if (result >= 0)
			break;
		keeper_failed(keeper, &err, now_s);
		if (result != STORE_BROKEN || !keeper->disk)
			break;
		result = 0; /* a new one was begun */
	}
	if (result >= 0)
		recovered(keeper);
	else
		spare_memory(keeper, now_s);
	keeper->waiting = result < 0;
}

/* ---- from outside ---- */

void keeper_init(
	struct keeper *keeper, const struct keeper_settings *settings, int64_t now_s)
{
	struct err err;
	*keeper = (struct keeper){
		.settings = *settings,
		.lock_fd = -1,
		.tidied_s = now_s,
	};
	if (store_open(&keeper->memory, NULL, &err) < 0)
		abort(); /* there is no memory left for it */
	keeper_flush(keeper, now_s);
}

void keeper_done(struct keeper *keeper, int64_t now_s)
{
	if (keeper->waiting)
		keeper_flush(keeper, now_s);
	close_disk(keeper);
	store_close(keeper->memory);
	if (keeper->lock_fd >= 0)
		close(keeper->lock_fd);
}

int64_t keeper_flush_s(const struct keeper *keeper)
{
	int64_t usual_s = 3 * keeper->settings.period_s;
	bool soon = keeper->failures > 0 && keeper->failures < BUSY_TRIES;
	usual_s = usual_s < 2 ? 2 : usual_s > FLUSH_S ? FLUSH_S : usual_s;
	return soon ? 1 : usual_s;
}

void keeper_put_row(struct keeper *keeper, const char *key, const char *name,
	const struct series *row, const char *why)
{
	store_put_row(keeper->memory, key, name, row, why, NULL);
	keeper->waiting = true;
}

void keeper_put_event(struct keeper *keeper, const struct store_event *event)
{
	store_put_event(keeper->memory, event, NULL);
	keeper->waiting = true;
}
