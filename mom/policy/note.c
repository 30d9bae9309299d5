/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/note.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"

#define NOTES_MOST 100 /* a reader has had enough by then */
#define SHOWN_MOST 160 /* bytes of a source line that are shown */

void note_add(struct policy_notes *notes, enum policy_level level, unsigned line,
	unsigned column, const char *format, ...)
{
	if (!notes)
		return;
	notes->errors += level == POLICY_ERROR;
	if (notes->count >= NOTES_MOST)
		return;
	notes->items = mem_grow(
		notes->items, notes->count, &notes->capacity, sizeof(*notes->items));
	struct policy_note *note = &notes->items[notes->count++];
	*note = (struct policy_note){.level = level, .line = line, .column = column};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(note->text, sizeof(note->text), format, arguments);
	va_end(arguments);
}

bool note_wanted(const struct policy_notes *notes)
{
	return notes && notes->count < NOTES_MOST;
}

void policy_notes_done(struct policy_notes *notes)
{
	free(notes->items);
	*notes = (struct policy_notes){0};
}

static int by_place(const void *left, const void *right)
{
	const struct policy_note *a = left, *b = right;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return strcmp(a->text, b->text);
}

void note_sort(struct policy_notes *notes)
{
	if (notes->count > 1)
		qsort(notes->items, notes->count, sizeof(*notes->items), by_place);
	size_t kept = 0;
	for (size_t i = 0; i < notes->count; i++) {
		bool again = kept && !by_place(&notes->items[kept - 1], &notes->items[i]);
		if (again)
			notes->errors -= notes->items[i].level == POLICY_ERROR;
		else
			notes->items[kept++] = notes->items[i];
	}
	notes->count = kept;
}

static const char *source_file(const struct policy_source *source)
{
	return source->file ? source->file : source->name;
}

int note_fail(const struct policy_notes *notes, const struct policy_source *source,
	struct err *err)
{
	for (size_t i = 0; i < notes->count; i++) {
		const struct policy_note *note = &notes->items[i];
		if (note->level == POLICY_ERROR)
			return err_set(err, -EINVAL, "%s:%u:%u: %s", source_file(source),
				note->line, note->column, note->text);
	}
	return err_set(err, -EINVAL, "%s: refused", source_file(source));
}

static const char *find_line(const struct policy_source *source, unsigned line)
{
	const char *at = source->text, *end = source->text + source->length;
	for (; line > 1 && at < end; line--) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		at = newline ? newline + 1 : end;
	}
	return at;
}

static bool continues_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Blanks up to the column, with the line's own tabs, so that the caret stands right. */
static void print_caret(FILE *out, const char *line, size_t length, unsigned column)
{
	for (size_t i = 0; i < length && column > 1; i++) {
		if (continues_character(line[i]))
			continue;
		fputc(line[i] == '\t' ? '\t' : ' ', out);
		column--;
	}
	fputs("^\n", out);
}

/* What can't be shown on a terminal as it is becomes a question mark. */
static void print_line(FILE *out, const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)line[i];
		bool control = (byte < ' ' && byte != '\t') || byte == 0x7f;
		fputc(control ? '?' : byte, out);
	}
	fputc('\n', out);
}

/* Of a line too long to show, the part around the column. */
static void print_part(FILE *out, const char *line, size_t length, unsigned column)
{
	size_t start = 0, shown;
	for (unsigned left = column; left > SHOWN_MOST / 2 && start < length; start++)
		left -= !continues_character(line[start]);
	while (start < length && continues_character(line[start]))
		start++;
	shown = length - start < SHOWN_MOST ? length - start : SHOWN_MOST;
	while (start + shown < length && continues_character(line[start + shown]))
		shown--;
	print_line(out, line + start, shown);
	unsigned within = start ? SHOWN_MOST / 2 : column;
	print_caret(out, line + start, shown, within);
}

char *policy_note_format(
	const struct policy_note *note, const struct policy_source *source)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		abort(); /* no memory */
	fprintf(out, "%s:%u:%u: %s%s\n", source_file(source), note->line, note->column,
		note->level == POLICY_WARNING ? "warning: " : "", note->text);
	const char *line = find_line(source, note->line);
	size_t rest = (size_t)(source->text + source->length - line);
	const char *newline = rest ? memchr(line, '\n', rest) : NULL;
	size_t length = newline ? (size_t)(newline - line) : rest;
	if (length <= SHOWN_MOST) {
		print_line(out, line, length);
		print_caret(out, line, length, note->column);
	} else {
		print_part(out, line, length, note->column);
	}
	fclose(out);
	return text;
}
