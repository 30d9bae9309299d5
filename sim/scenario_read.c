/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/scenario_read.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "sim/expect.h"
#include "sim/recorded.h"
#include "sim/trace.h"
#include "sim/words.h"

#define WHERE_MAX 512

/* ---- the host ---- */

static const struct word_key host_keys[] = {
	{"memory", WORD_SIZE, offsetof(struct host_make, memory_kib)},
	{"base", WORD_SIZE, offsetof(struct host_make, base_kib)},
	{"cache", WORD_SIZE, offsetof(struct host_make, cache_kib)},
	{"swap", WORD_SIZE, offsetof(struct host_make, swap_kib)},
	{"swap-pace", WORD_RATE, offsetof(struct host_make, swap_kib_per_s)},
	{"fault", WORD_MS, offsetof(struct host_make, fault_ms)},
	{"processors", WORD_COUNT, offsetof(struct host_make, processors)},
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

/* ---- what happens ---- */

struct deed {
	const char *name;
	enum world_deed deed;
	bool guest, value;
};

static const struct deed deeds[] = {
	{"start", DEED_START, true, false},
	{"stop", DEED_STOP, true, false},
	{"reboot", DEED_REBOOT, true, false},
	{"pause", DEED_PAUSE, true, false},
	{"resume", DEED_RESUME, true, false},
	{"silence", DEED_SILENCE, true, false},
	{"setmem", DEED_SET_BALLOON, true, true},
	{"host-use", DEED_HOST_USE, false, true},
};

static const struct deed *find_deed(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		if (strcmp(deeds[i].name, name) == 0)
			return &deeds[i];
	return NULL;
}

static int read_deed(struct reader *reader, struct err *err)
{
	struct scenario *scenario = reader->scenario;
	struct world_event event = {0};
	if (reader->count < 3)
		return err_set(err, -EINVAL, "expected at TIME DEED …");
	const struct deed *deed = find_deed(reader->words[2]);
	if (!deed)
		return err_set(err, -EINVAL, "nothing called \"%s\" can happen",
			reader->words[2]);
	if (reader->count != 3u + deed->guest + deed->value)
		return err_set(err, -EINVAL, "expected at TIME %s%s%s", deed->name,
			deed->guest ? " GUEST" : "", deed->value ? " SIZE" : "");
	event.deed = deed->deed;
	int r = word_set(WORD_TIME, reader->words[1], &event.at_ms, err);
	if (r == 0 && deed->value)
		r = word_set(WORD_SIZE, reader->words[reader->count - 1],
			&event.value_kib, err);
	if (r < 0)
		return r;
	scenario->deeds = mem_grow(scenario->deeds, scenario->deed_count,
		&scenario->deed_capacity, sizeof(*scenario->deeds));
	scenario->deeds[scenario->deed_count++] = (struct scenario_deed){
		.match = deed->guest ? mem_dup(reader->words[3]) : NULL,
		.line = reader->line,
		.event = event,
	};
	return 0;
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
	if (reader->count != 3)
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

static int read_recording(struct reader *reader, struct err *err)
{
	return recorded_read_line(reader->scenario, reader->path, reader->words + 1,
		reader->count - 1, err);
}

static int read_expect(struct reader *reader, struct err *err)
{
	struct scenario *scenario = reader->scenario;
	int r = expect_read(
		scenario, reader->words + 1, reader->count - 1, reader->text, err);
	if (r == 0)
		scenario->expectations[scenario->expectation_count - 1].line =
			reader->line;
	return r;
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
	{"guest", scenario_read_guest},
	{"work", scenario_read_work},
	{"trace", read_trace},
	{"recording", read_recording},
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

/* What a line is about may stand below it: that is seen at the end. */
static int check_deed(const struct scenario *scenario, const struct scenario_deed *deed,
	struct err *err)
{
	bool found = !deed->match;
	for (size_t i = 0; !found && i < scenario->guest_count; i++)
		found = fnmatch(deed->match, scenario->guests[i].name, 0) == 0;
	if (!found)
		return err_set(err, -EINVAL, "there is no guest \"%s\"", deed->match);
	if (deed->event.at_ms > scenario->length_ms)
		return err_set(err, -EINVAL, "it happens after the end");
	return 0;
}

static int check_expectation(const struct scenario *scenario,
	const struct expectation *expectation, struct err *err)
{
	bool found = !expectation->guest;
	for (size_t i = 0; !found && i < scenario->guest_count; i++)
		found = strcmp(expectation->guest, scenario->guests[i].name) == 0;
	if (!found)
		return err_set(
			err, -EINVAL, "there is no guest \"%s\"", expectation->guest);
	if (expectation->at_ms > scenario->length_ms)
		return err_set(err, -EINVAL, "it is expected after the end");
	return 0;
}

static int check_lines(const struct scenario *scenario, struct err *err)
{
	for (size_t i = 0; i < scenario->deed_count; i++)
		if (check_deed(scenario, &scenario->deeds[i], err) < 0)
			return err_prefix(
				err, "%s:%u", scenario->path, scenario->deeds[i].line);
	for (size_t i = 0; i < scenario->expectation_count; i++)
		if (check_expectation(scenario, &scenario->expectations[i], err) < 0)
			return err_prefix(err, "%s:%u", scenario->path,
				scenario->expectations[i].line);
	return 0;
}

static int check_whole(const struct scenario *scenario, struct err *err)
{
	const char *wrong = NULL;
	if (!scenario->host.memory_kib)
		wrong = "there is no line host memory=SIZE";
	else if (scenario->host.base_kib >= scenario->host.memory_kib)
		wrong = "the host's base takes all its memory";
	else if (!scenario->guest_count)
		wrong = "there is no guest";
	else if (!scenario->length_ms)
		wrong = "there is no line length TIME";
	else if (scenario->length_ms < scenario->step_ms)
		wrong = "a step is longer than the whole";
	else if (scenario->length_ms <= scenario->settle_ms)
		wrong = "it ends before it has settled";
	if (!wrong)
		return check_lines(scenario, err);
	err_set(err, -EINVAL, "%s", wrong);
	return err_prefix(err, "%s", scenario->path);
}

static void begin(struct scenario *scenario, const char *path)
{
	*scenario = (struct scenario){
		.path = mem_dup(path),
		.title = mem_dup(path),
		.step_ms = 100,
		.seed = 1,
		.host = {.swap_kib_per_s = 200 * KIB_PER_MIB, .fault_ms = 0.5},
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
	else
		r = check_whole(scenario, err);
	if (r < 0)
		scenario_done(scenario);
	return r;
}

int scenario_recorded(struct scenario *scenario, const char *path, struct err *err)
{
	auto_free char *file = mem_dup(path);
	begin(scenario, path);
	int r = recorded_read_line(scenario, path, &file, 1, err);
	if (r == 0)
		r = check_whole(scenario, err);
	if (r < 0)
		scenario_done(scenario);
	return r;
}

int scenario_traced(
	struct scenario *scenario, const struct scenario_trace *terms, struct err *err)
{
	static const char *const periods[] = {
		"sampling.period", "sampling.tight_period", "hypervisor.stats_period"};
	auto_free char *tick = mem_printf("%lldms", (long long)terms->tick_ms);
	begin(scenario, terms->file);
	scenario->length_ms = terms->length_ms;
	scenario->step_ms = terms->tick_ms;
	scenario->host.memory_kib = terms->host_kib;
	for (size_t i = 0; i < ARRAY_SIZE(periods); i++)
		scenario_add_setting(scenario, NULL, periods[i], tick, "--tick");
	int r = trace_read(scenario, terms->file, terms->vms, terms->pick, err);
	auto_free char *title = mem_printf("%zu machines of a trace, picked by %llu",
		scenario->guest_count, (unsigned long long)terms->pick);
	mem_replace(&scenario->title, title);
	if (r == 0)
		r = check_whole(scenario, err);
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
