/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/metrics_write.h"

#include <string.h>

#include "mom/control/utf8.h"
#include "mom/daemon.h"
#include "mom/mem.h"
#include "mom/units.h"

#define ESCAPED_MOST 2 /* bytes for one */

char *metrics_escape(const char *text)
{
	auto_free char *repaired = utf8_repair(text);
	char *escaped = mem_alloc(strlen(repaired) * ESCAPED_MOST + 1);
	char *to = escaped;
	for (const char *from = repaired; *from; from++) {
		if (*from == '\n' || *from == '"' || *from == '\\')
			*to++ = '\\';
		*to++ = *from == '\n' ? 'n' : *from;
	}
	return escaped;
}

static int by_name(const void *a, const void *b)
{
	const struct metrics_guest *left = a, *right = b;
	int order = strverscmp(left->name, right->name);
	return order ? order : strcmp(left->guest->facts.uuid, right->guest->facts.uuid);
}

/* libvirt's names have no slash, so one with a slash could pass for one made here. */
static bool is_ambiguous(const struct metrics *metrics, size_t index)
{
	const struct metrics_guest *guest = &metrics->guests[index];
	const char *name = guest->name;
	return strchr(name, '/') || (index && !strcmp(name, guest[-1].name)) ||
	       (index + 1 < metrics->guest_count && !strcmp(name, guest[1].name));
}

static char *write_labels(const struct metrics *metrics, size_t index)
{
	const struct metrics_guest *guest = &metrics->guests[index];
	auto_free char *escaped = metrics_escape(guest->name);
	if (!is_ambiguous(metrics, index))
		return mem_printf("guest=\"%s\"", escaped);
	return mem_printf("guest=\"%s/%s\"", escaped, guest->guest->facts.uuid);
}

void metrics_name_guests(struct metrics *metrics)
{
	const struct roster *roster = &metrics->daemon->engine.roster;
	metrics->guests = mem_array(roster->count, sizeof(*metrics->guests));
	metrics->guest_count = roster->count;
	for (size_t i = 0; i < roster->count; i++)
		metrics->guests[i] = (struct metrics_guest){
			.guest = roster->guests[i],
			.name = utf8_repair(roster->guests[i]->facts.name),
		};
	qsort(metrics->guests, roster->count, sizeof(*metrics->guests), by_name);
	for (size_t i = 0; i < roster->count; i++)
		metrics->guests[i].labels = write_labels(metrics, i);
	metrics->guests_omitted = sub_u64(roster->count, METRICS_GUESTS_MAX);
}

void metrics_names_done(struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->guest_count; i++) {
		free(metrics->guests[i].name);
		free(metrics->guests[i].labels);
	}
	free(metrics->guests);
	metrics->guests = NULL;
}
