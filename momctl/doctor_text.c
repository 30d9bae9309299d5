/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/doctor.h"

#define USUAL_URI "qemu:///system"

struct filling {
	const struct doctor *all;
	const struct finding *finding;
	bool kib;
};

/* ---- blanks; NULL where there is nothing to fill one with ---- */

/* As one word of a shell, whatever is in it. */
static char *quoted(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.+:@%/,";
	if (*word && *word != '-' && !word[strspn(word, plain)])
		return mem_dup(word);
	char *text = mem_array(4 * strlen(word) + 3, 1), *end = text;
	*end++ = '\'';
	for (; *word; word++)
		end = *word == '\'' ? stpcpy(end, "'\\''") : (*end = *word, end + 1);
	stpcpy(end, "'");
	return text;
}

static char *command(const struct filling *filling, const char *program)
{
	const char *uri = filling->all->uri;
	if (!uri || !*uri || strcmp(uri, USUAL_URI) == 0)
		return mem_dup(program);
	auto_free char *word = quoted(uri);
	return mem_printf("%s -c %s", program, word);
}

static char *size_text(const struct filling *filling, struct fact size, const char *form)
{
	char text[SIZE_TEXT_MAX];
	if (!size.known)
		return NULL;
	uint64_t mib = (size.value + KIB_PER_MIB - 1) / KIB_PER_MIB;
	if (strcmp(form, ".M") == 0)
		return mem_printf("%" PRIu64 "MiB", mib);
	if (strcmp(form, ".k") == 0 || strcmp(form, ".n") == 0)
		return mem_printf("%" PRIu64, size.value);
	if (filling->kib)
		return mem_printf("%" PRIu64 " KiB", size.value);
	return mem_dup(units_format_size(text, size.value));
}

static char *span_text(double seconds)
{
	char text[DURATION_TEXT_MAX];
	if (!(seconds > 0 && seconds < 1e12))
		return NULL;
	uint64_t whole = (uint64_t)seconds;
	return mem_dup(units_format_duration(text, max_u64(whole, 1) * 1000));
}

static char *text_or_nothing(const char *text)
{
	return text && *text ? mem_dup(text) : NULL;
}

/* A blank that is one of the finding's texts. */
static char *word_blank(const struct finding *finding, const char *blank)
{
	const struct doctor_guest *guest = finding->guest;
	const struct doctor_disk *disk = finding->disk;
	const struct doctor_nic *nic = finding->nic;
	const struct doctor_rival *rival = finding->rival;
	const struct {
		const char *name, *text;
	} words[] = {
		{"guest", guest ? guest->name : NULL},
		{"word", finding->word},
		{"disk", disk ? disk->target : NULL},
		{"bus", disk ? disk->bus : NULL},
		{"cache", disk ? disk->cache : NULL},
		{"mac", nic ? nic->mac : NULL},
		{"model", nic ? nic->model : NULL},
		{"pool", finding->pool ? finding->pool->path : NULL},
		{"program", rival ? rival->program : NULL},
		{"instead", rival ? rival->instead : NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, blank) == 0)
			return text_or_nothing(words[i].text);
	return NULL;
}

static char *fill(const struct filling *filling, const char *blank)
{
	const struct finding *finding = filling->finding;
	const struct doctor_guest *guest = finding->guest;
	if (strncmp(blank, "size", 4) == 0)
		return size_text(filling, finding->size, blank + 4);
	if (strncmp(blank, "other", 5) == 0)
		return size_text(filling, finding->other, blank + 5);
	if (strcmp(blank, "span") == 0)
		return span_text(finding->seconds);
	if (strcmp(blank, "virsh") == 0 || strcmp(blank, "virt-xml") == 0)
		return command(filling, blank);
	if (strcmp(blank, "name") == 0)
		return guest ? quoted(guest->name) : NULL;
	if (strcmp(blank, "pid") == 0)
		return guest ? size_text(filling, guest->pid, ".n") : NULL;
	if (strcmp(blank, "word.q") == 0)
		return finding->word ? quoted(finding->word) : NULL;
	return word_blank(finding, blank);
}

/* ---- texts ---- */

struct builder {
	char *text;
	size_t length;
};

static void append(struct builder *builder, const char *text, size_t length)
{
	builder->text = mem_resize(builder->text, builder->length + length + 1, 1);
	memcpy(builder->text + builder->length, text, length);
	builder->length += length;
	builder->text[builder->length] = '\0';
}

/* Fill the blanks of `length` bytes; false where one of them stays empty. */
static bool fill_part(struct builder *builder, const char *text, size_t length,
	const struct filling *filling)
{
	const char *end = text + length;
	bool whole = true;
	while (text < end) {
		size_t plain = strcspn(text, "{");
		if (plain >= (size_t)(end - text))
			break;
		append(builder, text, plain);
		const char *close = strchr(text + plain, '}');
		auto_free char *blank =
			mem_ndup(text + plain + 1, (size_t)(close - text) - plain - 1);
		auto_free char *value = fill(filling, blank);
		append(builder, value ? value : "?", value ? strlen(value) : 1);
		whole = whole && value;
		text = close + 1;
	}
	if (text < end)
		append(builder, text, (size_t)(end - text));
	return whole;
}

char *doctor_text(const char *text, const struct doctor *all,
	const struct finding *finding, bool kib)
{
	const struct filling filling = {all, finding, kib};
	struct builder builder = {mem_dup(""), 0};
	const char *open;
	while ((open = strchr(text, '|'))) {
		const char *close = strchr(open + 1, '|');
		fill_part(&builder, text, (size_t)(open - text), &filling);
		size_t before = builder.length;
		if (!fill_part(
			    &builder, open + 1, (size_t)(close - open) - 1, &filling)) {
			builder.length = before;
			builder.text[before] = '\0';
		}
		text = close + 1;
	}
	fill_part(&builder, text, strlen(text), &filling);
	return builder.text;
}
