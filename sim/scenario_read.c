/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/scenario.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/expect.h"
#include "sim/trace.h"
#include "sim/words.h"

#define MOST_WORDS 256
#define WHERE_MAX  512
#define NOT_GIVEN  UINT64_MAX

/* One line under way. */
struct reader {
	struct scenario *scenario;
	const char *path;
	unsigned line;
	const char *text; /* the line as written */
	char *words[MOST_WORDS];
	size_t count;
};

/* ---- the host ---- */

static const struct word_key host_keys[] = {
	{"memory", WORD_SIZE, offsetof(struct host_make, memory_kib)},
	{"base", WORD_SIZE, offsetof(struct host_make, base_kib)},
	{"cache", WORD_SIZE, offsetof(struct host_make, cache_kib)},
	{"swap", WORD_SIZE, offsetof(struct host_make, swap_kib)},
	{"swap-pace", WORD_RATE, offsetof(struct host_make, swap_kib_per_s)},
	{"fault", WORD_MS, offsetof(struct host_make, fault_ms)},
	{"ksm", WORD_YES, offsetof(struct host_make, ksm)},
	{"clock", WORD_TIME, offsetof(struct host_make, clock_ms)},
	{0},
};

static int read_host(struct reader *reader, struct err *err)
{
	int r = 0;
	for (size_t i = 1; r == 0 && i < reader->count; i++)
		r = word_assign(
			host_keys, reader->words[i], &reader->scenario->host, err);
	return r;
}

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
	{"inflate", WORD_RATE, MAKE(inflate_kib_per_s)},
	{"deflate", WORD_RATE, MAKE(deflate_kib_per_s)},
	{"same", WORD_RATIO, MAKE(same_ratio)},
	{"fault", WORD_FAULT, MAKE(fault)},
	{"windows", WORD_YES, MAKE(windows)},
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

static void add_guest(struct reader *reader, const char *name,
	const struct guest_line *line, size_t ordinal)
{
	struct scenario_guest *guest = scenario_add_guest(reader->scenario);
	guest->make = line->make;
	guest->start_ms = line->start_ms + (int64_t)ordinal * line->every_ms;
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	for (size_t i = 2; i < reader->count; i++)
		if (is_setting(reader->words[i]))
			add_setting(reader, name, reader->words[i]);
}

/* "vm[1-6]" is six names. */
static int add_guests(
	struct reader *reader, const struct guest_line *line, struct err *err)
{
	const char *name = reader->words[1];
	const char *open = strchr(name, '[');
	unsigned from, to;
	if (!open) {
		add_guest(reader, name, line, 0);
		return 0;
	}
	char rest;
	if (sscanf(open, "[%u-%u]%c", &from, &to, &rest) != 2 || to < from)
		return err_set(
			err, -EINVAL, "\"%s\" is no range; expected NAME[1-6]", name);
	for (unsigned i = from; i <= to; i++) {
		auto_free char *one = mem_printf("%.*s%u", (int)(open - name), name, i);
		add_guest(reader, one, line, i - from);
	}
	return 0;
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

static int read_guest(struct reader *reader, struct err *err)
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

static int read_work(struct reader *reader, struct err *err)
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
	work->cycle_ms = line.cycle_ms;
	work->ramp = line.ramp;
	work->wander = line.wander;
	work->touch_rate = line.touch_rate;
	work->fault_ms = line.fault_ms;
	work->grow_kib_per_s = line.grow;
	work->read_kib_per_s = line.read;
	return assign_work(reader, reader->scenario->work_count - 1, line.shift_ms, err);
}

/* ---- what happens ---- */

static const struct {
	const char *name;
	enum world_deed deed;
	bool guest, value;
} deeds[] = {
	{"start", DEED_START, true, false},
	{"stop", DEED_STOP, true, false},
	{"reboot", DEED_REBOOT, true, false},
	{"pause", DEED_PAUSE, true, false},
	{"resume", DEED_RESUME, true, false},
	{"silence", DEED_SILENCE, true, false},
	{"setmem", DEED_SET_BALLOON, true, true},
	{"host-use", DEED_HOST_USE, false, true},
};

static int read_deed(struct reader *reader, struct err *err)
{
	struct scenario *scenario = reader->scenario;
	struct world_event event = {0};
	if (reader->count < 3)
		return err_set(err, -EINVAL, "expected at TIME DEED …");
	int r = word_set(WORD_TIME, reader->words[1], &event.at_ms, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(deeds); i++) {
		if (strcmp(deeds[i].name, reader->words[2]) != 0)
			continue;
		size_t expected = 3 + deeds[i].guest + deeds[i].value;
		if (reader->count != expected)
			return err_set(err, -EINVAL, "%s takes %zu words", deeds[i].name,
				expected - 3);
		event.deed = deeds[i].deed;
		if (deeds[i].value)
			r = word_set(WORD_SIZE, reader->words[expected - 1],
				&event.value_kib, err);
		if (r < 0)
			return r;
		scenario->deeds = mem_grow(scenario->deeds, scenario->deed_count,
			&scenario->deed_capacity, sizeof(*scenario->deeds));
		scenario->deeds[scenario->deed_count++] = (struct scenario_deed){
			.match = deeds[i].guest ? mem_dup(reader->words[3]) : NULL,
			.event = event};
		return 0;
	}
	return r < 0 ? r
		     : err_set(err, -EINVAL, "nothing called \"%s\" can happen",
			       reader->words[2]);
}

/* ---- single words ---- */

static int read_title(struct reader *reader, struct err *err)
{
	(void)err;
	const char *title = strstr(reader->text, "title") + strlen("title");
	mem_replace(&reader->scenario->title, title + strspn(title, " \t"));
	return 0;
}

static int read_set(struct reader *reader, struct err *err)
{
	if (reader->count < 3)
		return err_set(err, -EINVAL, "expected set KEY VALUE");
	char where[WHERE_MAX];
	snprintf(where, sizeof(where), "%s:%u", reader->path, reader->line);
	scenario_add_setting(
		reader->scenario, NULL, reader->words[1], reader->words[2], where);
	return 0;
}

static int read_one(
	struct reader *reader, enum word_type type, void *value, struct err *err)
{
	if (reader->count != 2)
		return err_set(err, -EINVAL, "%s takes one word", reader->words[0]);
	return word_set(type, reader->words[1], value, err);
}

static int read_length(struct reader *reader, struct err *err)
{
	return read_one(reader, WORD_TIME, &reader->scenario->length_ms, err);
}

static int read_step(struct reader *reader, struct err *err)
{
	int r = read_one(reader, WORD_TIME, &reader->scenario->step_ms, err);
	if (r == 0 && reader->scenario->step_ms < 1)
		return err_set(err, -EINVAL, "a step takes 1 ms at least");
	return r;
}

static int read_seed(struct reader *reader, struct err *err)
{
	return read_one(reader, WORD_COUNT, &reader->scenario->seed, err);
}

static int read_settle(struct reader *reader, struct err *err)
{
	return read_one(reader, WORD_TIME, &reader->scenario->settle_ms, err);
}

static int read_peers(struct reader *reader, struct err *err)
{
	return read_one(reader, WORD_TIME, &reader->scenario->peers_ms, err);
}

static int read_trace(struct reader *reader, struct err *err)
{
	return trace_read_line(reader->scenario, reader->path, reader->words + 1,
		reader->count - 1, err);
}

static int read_expect(struct reader *reader, struct err *err)
{
	return expect_read(reader->scenario, reader->words + 1, reader->count - 1,
		reader->text, err);
}

static const struct {
	const char *name;
	int (*read)(struct reader *reader, struct err *err);
} lines[] = {
	{"title", read_title},
	{"length", read_length},
	{"step", read_step},
	{"seed", read_seed},
	{"settle", read_settle},
	{"peers", read_peers},
	{"host", read_host},
	{"set", read_set},
	{"guest", read_guest},
	{"work", read_work},
	{"trace", read_trace},
	{"at", read_deed},
	{"expect", read_expect},
};

/* ---- the text ---- */

static int read_line(struct reader *reader, char *text, struct err *err)
{
	text[strcspn(text, "#")] = '\0';
	char *rest = text;
	reader->count = 0;
	for (char *word; (word = strtok_r(rest, " \t\r", &rest));) {
		if (reader->count == MOST_WORDS)
			return err_set(err, -EINVAL, "more than %d words", MOST_WORDS);
		reader->words[reader->count++] = word;
	}
	if (!reader->count)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (strcmp(lines[i].name, reader->words[0]) == 0)
			return lines[i].read(reader, err);
	return err_set(
		err, -EINVAL, "\"%s\" begins no line of a scenario", reader->words[0]);
}

static int check_whole(const struct scenario *scenario, struct err *err)
{
	if (!scenario->host.memory_kib)
		return err_set(err, -EINVAL, "there is no line host memory=SIZE");
	if (!scenario->guest_count)
		return err_set(err, -EINVAL, "there is no guest");
	if (scenario->length_ms < scenario->step_ms)
		return err_set(err, -EINVAL, "there is no line length TIME");
	return 0;
}

static void begin(struct scenario *scenario, const char *path)
{
	*scenario = (struct scenario){
		.path = mem_dup(path),
		.title = mem_dup(path),
		.step_ms = 100,
		.seed = 1,
		.host = {.swap_kib_per_s = 200 * KIB_PER_MIB,
			.fault_ms = 0.5,
			.processors = 2},
	};
	scenario_add_work(scenario); /* the idle one */
}

int scenario_parse(
	struct scenario *scenario, const char *path, const char *text, struct err *err)
{
	begin(scenario, path);
	struct reader reader = {.scenario = scenario, .path = path};
	int r = 0;
	while (r == 0 && *text) {
		size_t length = strcspn(text, "\n");
		auto_free char *line = mem_ndup(text, length);
		auto_free char *written = mem_ndup(text, length);
		reader.text = written;
		reader.line++;
		text += length + (text[length] == '\n');
		r = read_line(&reader, line, err);
	}
	if (r < 0)
		err_prefix(err, "%s:%u", path, reader.line);
	else if ((r = check_whole(scenario, err)) < 0)
		err_prefix(err, "%s", path);
	if (r < 0)
		scenario_done(scenario);
	return r;
}

int scenario_load(struct scenario *scenario, const char *path, struct err *err)
{
	auto_fclose FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(err, errno, "cannot open \"%s\"", path);
	auto_free char *text = NULL;
	size_t capacity = 0;
	errno = 0;
	ssize_t length = getdelim(&text, &capacity, '\0', file);
	if (length < 0 && errno)
		return err_errno(err, errno, "cannot read \"%s\"", path);
	return scenario_parse(scenario, path, length > 0 ? text : "", err);
}
