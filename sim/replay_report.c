/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/replay_report.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "mom/units.h"

#define NAME_SHOWN 24

/* ---- for people ---- */

static const char *size_text(char text[SIZE_TEXT_MAX], uint64_t kib)
{
	return units_format_size(text, kib);
}

/* What comes from a file works as no command to a terminal. */
static void put_clean(FILE *out, const char *text, int width)
{
	int columns = 0;
	for (const char *c = text; *c; c++) {
		bool plain = (unsigned char)*c >= ' ' && *c != 0x7f;
		fputc(plain ? *c : '?', out);
		columns += ((unsigned char)*c & 0xc0) != 0x80;
	}
	fprintf(out, "%*s", columns < width ? width - columns : 0, "");
}

static void put_summary(FILE *out, const struct replay_result *result)
{
	char time[DURATION_TEXT_MAX], recorded[SIZE_TEXT_MAX], now[SIZE_TEXT_MAX];
	int64_t span_ms = result->ended_ms - result->began_ms;
	fprintf(out, "%s: %" PRIu64 " ticks over %s, %zu guests, by momd ", result->path,
		result->ticks,
		units_format_duration(time, span_ms > 0 ? (uint64_t)span_ms : 0),
		result->guest_count);
	put_clean(out, *result->version ? result->version : "of an unknown version", 0);
	fputs("\npolicies   ", out);
	put_clean(out, result->policies ? result->policies : "", 0);
	fputs("; recorded with ", out);
	put_clean(out, result->recorded_policies ? result->recorded_policies : "", 0);
	fprintf(out,
		"\ndecisions  %" PRIu64 " alike (%" PRIu64
		" of them for another reason), %" PRIu64 " otherwise\n",
		result->alike, result->other_words, result->other);
	fprintf(out, "moved      %s by the recorded orders, %s by those decided now\n",
		size_text(recorded, result->recorded_kib),
		size_text(now, result->now_kib));
	if (result->knobs_other)
		fprintf(out, "host       a knob is set otherwise in %" PRIu64 " ticks\n",
			result->knobs_other);
}

static void put_notes(FILE *out, const struct replay_result *result)
{
	if (result->gaps)
		fprintf(out,
			"note: %" PRIu64 " gaps in the recording, with %" PRIu64
			" ticks missed\n",
			result->gaps, result->missed);
	if (result->undecided)
		fprintf(out,
			"note: %" PRIu64
			" ticks aren't decided again: the recording has no state before "
			"them\n",
			result->undecided);
	if (result->cut)
		fputs("note: the last line is cut off and left out\n", out);
	if (result->other || result->knobs_other)
		fputs("note: the recorded guests don't react to what is decided now: "
		      "each tick is decided from what was recorded, with the recorded "
		      "orders under way; to see what becomes of guests, play them: "
		      "momsim compare --recording FILE\n",
			out);
}

static void put_guests(FILE *out, const struct replay_result *result)
{
	fprintf(out, "\n%-*s %9s %9s %10s %10s %12s\n", NAME_SHOWN, "guest", "alike",
		"otherwise", "moved", "now moved", "most apart");
	for (size_t i = 0; i < result->guest_count; i++) {
		const struct replay_guest *guest = &result->guests[i];
		char then[SIZE_TEXT_MAX], now[SIZE_TEXT_MAX], apart[SIZE_TEXT_MAX];
		put_clean(out, guest->name, NAME_SHOWN);
		fprintf(out, " %9" PRIu64 " %9" PRIu64 " %10s %10s %12s\n", guest->alike,
			guest->other, size_text(then, guest->recorded_kib),
			size_text(now, guest->now_kib),
			guest->other ? size_text(apart, guest->biggest_kib) : "-");
	}
}

static void put_side(
	FILE *out, const char *label, const struct replay_side *side, bool knob)
{
	char size[SIZE_TEXT_MAX];
	fprintf(out, "    %-9s", label);
	if (knob && !side->ordered)
		fputs("left alone", out);
	else if (knob)
		fprintf(out, "%" PRId64, (int64_t)side->target_kib);
	else
		fprintf(out, "%s %s", side->ordered ? "order to" : "stays at",
			size_text(size, side->target_kib));
	fputs(side->reason[0] ? ": " : "", out);
	put_clean(out, side->reason, 0);
	fputc('\n', out);
}

static void put_episode(FILE *out, const struct replay_episode *episode)
{
	char when[32], after[DURATION_TEXT_MAX];
	time_t seconds = (time_t)(episode->clock_ms / 1000);
	struct tm local;
	localtime_r(&seconds, &local);
	strftime(when, sizeof(when), "%F %T", &local);
	fprintf(out, "%s (+%s) ", when,
		units_format_duration(
			after, episode->at_ms > 0 ? (uint64_t)episode->at_ms : 0));
	fputs(episode->knob ? "host " : "guest ", out);
	put_clean(out, episode->name, 0);
	fprintf(out, ", for %" PRIu64 " tick%s\n", episode->ticks,
		episode->ticks == 1 ? "" : "s");
	put_side(out, "recorded", &episode->recorded, episode->knob);
	put_side(out, "now", &episode->now, episode->knob);
}

void replay_report(FILE *out, const struct replay_result *result, size_t first)
{
	put_summary(out, result);
	put_notes(out, result);
	put_guests(out, result);
	size_t shown = min_u64(result->episode_count, first);
	if (shown)
		fputs("\nwhere decisions differ first:\n", out);
	for (size_t i = 0; i < shown; i++)
		put_episode(out, &result->episodes[i]);
	if (result->episode_count > shown || result->episodes_dropped)
		fprintf(out, "and %" PRIu64 " more\n",
			result->episode_count - shown + result->episodes_dropped);
}

/* ---- for programs ---- */

static void add_count(struct json_object *object, const char *key, uint64_t count)
{
	json_object_object_add(object, key, json_object_new_uint64(count));
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, control_json_text(text));
}

static void add_seconds(struct json_object *object, const char *key, int64_t ms)
{
	char text[32];
	snprintf(text, sizeof(text), "%.3f", (double)ms / 1000);
	json_object_object_add(
		object, key, json_object_new_double_s((double)ms / 1000, text));
}

static struct json_object *side_json(const struct replay_side *side, bool knob)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "ordered", json_object_new_boolean(side->ordered));
	if (knob)
		json_object_object_add(object, "value",
			side->ordered ? json_object_new_int64((int64_t)side->target_kib)
				      : NULL);
	else
		add_count(object, "target_kib", side->target_kib);
	add_text(object, "policy", side->policy[0] ? side->policy : NULL);
	add_text(object, "reason", side->reason[0] ? side->reason : NULL);
	return object;
}

static struct json_object *episode_json(const struct replay_episode *episode)
{
	struct json_object *object = json_object_new_object();
	add_seconds(object, "at", episode->clock_ms);
	add_seconds(object, "after_s", episode->at_ms);
	add_text(object, episode->knob ? "knob" : "guest", episode->name);
	add_count(object, "ticks", episode->ticks);
	json_object_object_add(
		object, "recorded", side_json(&episode->recorded, episode->knob));
	json_object_object_add(object, "now", side_json(&episode->now, episode->knob));
	return object;
}

static struct json_object *guest_json(const struct replay_guest *guest)
{
	struct json_object *object = json_object_new_object();
	add_text(object, "name", guest->name);
	add_text(object, "uuid", guest->uuid);
	add_count(object, "alike", guest->alike);
	add_count(object, "other_reason", guest->other_words);
	add_count(object, "other_figures", guest->other_facts);
	add_count(object, "other", guest->other);
	add_count(object, "moved_recorded_kib", guest->recorded_kib);
	add_count(object, "moved_now_kib", guest->now_kib);
	if (guest->other)
		json_object_object_add(object, "biggest", episode_json(&guest->biggest));
	return object;
}

static struct json_object *result_json(const struct replay_result *result)
{
	struct json_object *object = json_object_new_object();
	add_text(object, "file", result->path);
	add_text(object, "momd", result->version);
	add_text(object, "policies", result->policies);
	add_text(object, "recorded_policies", result->recorded_policies);
	add_seconds(object, "began", result->began_ms);
	add_seconds(object, "seconds", result->ended_ms - result->began_ms);
	add_count(object, "ticks", result->ticks);
	add_count(object, "undecided", result->undecided);
	add_count(object, "gaps", result->gaps);
	add_count(object, "missed", result->missed);
	json_object_object_add(object, "cut", json_object_new_boolean(result->cut));
	add_count(object, "alike", result->alike);
	add_count(object, "other_reason", result->other_words);
	add_count(object, "other_figures", result->other_facts);
	add_count(object, "other", result->other);
	add_count(object, "knobs_other", result->knobs_other);
	add_count(object, "moved_recorded_kib", result->recorded_kib);
	add_count(object, "moved_now_kib", result->now_kib);
	return object;
}

void replay_report_json(FILE *out, const struct replay_result *result)
{
	struct json_object *object = result_json(result);
	struct json_object *guests = json_object_new_array();
	struct json_object *episodes = json_object_new_array();
	for (size_t i = 0; i < result->guest_count; i++)
		json_object_array_add(guests, guest_json(&result->guests[i]));
	for (size_t i = 0; i < result->episode_count; i++)
		json_object_array_add(episodes, episode_json(&result->episodes[i]));
	json_object_object_add(object, "guests", guests);
	json_object_object_add(object, "differences", episodes);
	add_count(object, "differences_left_out", result->episodes_dropped);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
