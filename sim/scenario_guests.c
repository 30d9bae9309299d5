/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/scenario_read.h"
#include "sim/words.h"

#define WHERE_MAX 512
#define NOT_GIVEN UINT64_MAX
#define MOST      10000 /* guests of one line */

/* ---- guests ---- */

struct guest_line {
	struct guest_make make;
	int64_t start_ms, every_ms;
};

#define MAKE(field) offsetof(struct guest_line, make.field)
static const struct word_key guest_words[] = {
	{"memory", WORD_SIZE, MAKE(max_kib)},
	{"overhead", WORD_SIZE, MAKE(overhead_kib)},
	{"swap", WORD_SIZE, MAKE(swap_kib)},
	{"swap-pace", WORD_RATE, MAKE(swap_kib_per_s)},
	{"boot", WORD_TIME, MAKE(boot_ms)},
	{"boot-touch", WORD_KIB, MAKE(boot_touch_kib)},
	{"kernel", WORD_KIB, MAKE(kernel_kib)},
	{"mark", WORD_KIB, MAKE(mark_kib)},
	{"inflate", WORD_RATE, MAKE(inflate_kib_per_s)},
	{"deflate", WORD_RATE, MAKE(deflate_kib_per_s)},
	{"same", WORD_RATIO, MAKE(same_ratio)},
	{"fault", WORD_FAULT, MAKE(fault)},
	{"windows", WORD_YES, MAKE(windows)},
	{"huge", WORD_YES, MAKE(huge)},
	{"start", WORD_TIME, offsetof(struct guest_line, start_ms)},
	{"every", WORD_TIME, offsetof(struct guest_line, every_ms)},
	{0},
};

/* A key of momd.conf's `guests` is a setting, not a property of the machine. */
static bool is_setting(const char *word)
{
	static const char *const names[] = {
		"min=", "max=", "shares=", "buffer=", "manage=", "boot_grace="};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(names[i], word, strlen(names[i])) == 0)
			return true;
	return false;
}

static void add_setting(struct reader *reader, const char *match, const char *word)
{
	char where[WHERE_MAX];
	snprintf(where, sizeof(where), "%s:%u", reader->path, reader->line);
	const char *equals = strchr(word, '=');
	auto_free char *key = mem_ndup(word, (size_t)(equals - word));
	scenario_add_setting(reader->scenario, match, key, equals + 1, where);
}

static int add_guest(struct reader *reader, const char *name,
	const struct guest_line *line, size_t ordinal, struct err *err)
{
	for (size_t i = 0; i < reader->scenario->guest_count; i++)
		if (strcmp(reader->scenario->guests[i].name, name) == 0)
			return err_set(
				err, -EINVAL, "there is a guest \"%s\" already", name);
	struct scenario_guest *guest = scenario_add_guest(reader->scenario);
	guest->make = line->make;
	guest->start_ms = line->start_ms + (int64_t)ordinal * line->every_ms;
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	for (size_t i = 2; i < reader->count; i++)
		if (is_setting(reader->words[i]))
			add_setting(reader, name, reader->words[i]);
	return 0;
}

/* "vm[1-6]" is six names. */
static int add_guests(
	struct reader *reader, const struct guest_line *line, struct err *err)
{
	const char *name = reader->words[1];
	const char *open = strchr(name, '[');
	unsigned from, to;
	if (!open)
		return add_guest(reader, name, line, 0, err);
	char rest;
	if (sscanf(open, "[%u-%u]%c", &from, &to, &rest) != 2 || to < from)
		return err_set(
			err, -EINVAL, "\"%s\" is no range; expected NAME[1-6]", name);
	if (to - from >= MOST)
		return err_set(err, -EINVAL, "\"%s\" is more than %d guests", name, MOST);
	int r = 0;
	for (unsigned i = 0; r == 0 && i <= to - from; i++) {
		auto_free char *one =
			mem_printf("%.*s%u", (int)(open - name), name, from + i);
		r = add_guest(reader, one, line, i, err);
	}
	return r;
}

static void fill_in(struct guest_make *make)
{
	uint64_t memory = make->max_kib;
	if (make->swap_kib == NOT_GIVEN)
		make->swap_kib = memory / 2;
	if (make->boot_touch_kib < 0)
		make->boot_touch_kib = (double)min_u64(memory / 4, 256 * KIB_PER_MIB);
	if (make->kernel_kib < 0)
		make->kernel_kib = 48.0 * KIB_PER_MIB + 0.016 * (double)memory;
	make->boot_ms = max_u64(make->boot_ms, 1);
}

int scenario_read_guest(struct reader *reader, struct err *err)
{
	if (reader->count < 3)
		return err_set(err, -EINVAL, "expected guest NAME memory=SIZE …");
	struct guest_line line = {.make = guest_make_usual()};
	line.make.swap_kib = NOT_GIVEN;
	line.make.kernel_kib = line.make.boot_touch_kib = -1;
	int r = 0;
	for (size_t i = 2; r == 0 && i < reader->count; i++)
		if (!is_setting(reader->words[i]))
			r = word_assign(guest_words, reader->words[i], &line, err);
	if (r < 0)
		return r;
	if (!line.make.max_kib)
		return err_set(err, -EINVAL, "a guest needs memory=SIZE");
	fill_in(&line.make);
	if (line.make.kernel_kib >= (double)line.make.max_kib)
		return err_set(err, -EINVAL, "its kernel takes all its memory");
	return add_guests(reader, &line, err);
}

/* ---- their courses ---- */

struct work_line {
	struct work *work;
	int64_t shift_ms, cycle_ms;
	bool ramp;
	double wander, touch_rate, fault_ms, grow, read;
};

#define LINE(field) offsetof(struct work_line, field)
static const struct word_key work_words[] = {
	{"cycle", WORD_TIME, LINE(cycle_ms)},
	{"shift", WORD_TIME, LINE(shift_ms)},
	{"ramp", WORD_YES, LINE(ramp)},
	{"wander", WORD_RATIO, LINE(wander)},
	{"touch", WORD_NUMBER, LINE(touch_rate)},
	{"fault", WORD_MS, LINE(fault_ms)},
	{"grow", WORD_RATE, LINE(grow)},
	{"read", WORD_RATE, LINE(read)},
	{0},
};

/* "20s:100MiB/50MiB+200MiB": from 20 s on, 100 MiB, 50 of them active, and files. */
static int read_point(struct work *work, char *word, struct err *err)
{
	struct work_point point = {0};
	char *need = strchr(word, ':');
	*need++ = '\0';
	char *cache = strchr(need, '+');
	if (cache)
		*cache++ = '\0';
	char *active = strchr(need, '/');
	if (active)
		*active++ = '\0';
	int r = word_set(WORD_TIME, word, &point.at_ms, err);
	if (r == 0)
		r = word_set(WORD_KIB, need, &point.need_kib, err);
	point.active_kib = point.need_kib;
	if (r == 0 && active)
		r = word_set(WORD_KIB, active, &point.active_kib, err);
	if (r == 0 && cache)
		r = word_set(WORD_KIB, cache, &point.cache_kib, err);
	if (r < 0)
		return r;
	if (point.active_kib > point.need_kib)
		return err_set(err, -EINVAL, "more is active than needed");
	if (work->count && work->points[work->count - 1].at_ms >= point.at_ms)
		return err_set(err, -EINVAL, "points must follow one another in time");
	*work_add(work) = point;
	return 0;
}

static int assign_work(
	struct reader *reader, size_t work, int64_t shift_ms, struct err *err)
{
	int64_t ordinal = 0;
	for (size_t i = 0; i < reader->scenario->guest_count; i++) {
		struct scenario_guest *guest = &reader->scenario->guests[i];
		if (fnmatch(reader->words[1], guest->name, 0) != 0)
			continue;
		guest->work = work;
		guest->shift_ms = shift_ms * ordinal++;
	}
	return ordinal ? 0
		       : err_set(err, -EINVAL, "no guest \"%s\" is there yet",
				 reader->words[1]);
}

int scenario_read_work(struct reader *reader, struct err *err)
{
	if (reader->count < 3)
		return err_set(err, -EINVAL, "expected work GUEST TIME:SIZE …");
	struct work *work = scenario_add_work(reader->scenario);
	struct work_line line = {
		.touch_rate = work->touch_rate,
		.fault_ms = work->fault_ms,
		.grow = work->grow_kib_per_s,
		.read = work->read_kib_per_s,
	};
	int r = 0;
	for (size_t i = 2; r == 0 && i < reader->count; i++) {
		char *word = reader->words[i];
		bool point = strchr(word, ':') && !strchr(word, '=');
		r = point ? read_point(work, word, err)
			  : word_assign(work_words, word, &line, err);
	}
	if (r < 0)
		return r;
	if (!work->count)
		return err_set(err, -EINVAL, "expected TIME:SIZE, as in 0:100MiB");
	if (line.cycle_ms && work->points[work->count - 1].at_ms >= line.cycle_ms)
		return err_set(err, -EINVAL, "a point lies beyond the cycle");
	if (line.touch_rate <= 0)
		return err_set(err, -EINVAL, "touch: programs that touch nothing");
	work->cycle_ms = line.cycle_ms;
	work->ramp = line.ramp;
	work->wander = line.wander;
	work->touch_rate = line.touch_rate;
	work->fault_ms = line.fault_ms;
	work->grow_kib_per_s = line.grow;
	work->read_kib_per_s = line.read;
	return assign_work(reader, reader->scenario->work_count - 1, line.shift_ms, err);
}
