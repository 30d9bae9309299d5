/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mom/mem.h"
#include "momctl/text.h"

#define NARROWEST 20 /* columns; below that nothing fits, so nothing is fitted */

static size_t terminal_width(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROWEST)
		return size.ws_col;
	return 80;
}

void output_init(struct output *output, FILE *file)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	bool tty = isatty(fileno(file)) == 1;
	bool dumb = !terminal || strcmp(terminal, "dumb") == 0;
	*output = (struct output){
		.file = file,
		.width = tty ? terminal_width(fileno(file)) : 0,
		.colour = tty && !dumb && !(no_colour && *no_colour),
	};
}

void output_styled(const struct output *output, enum style style, const char *text)
{
	static const char *const codes[STYLE_COUNT] = {
		[STYLE_HEAD] = "1",
		[STYLE_GOOD] = "32",
		[STYLE_CARE] = "33",
		[STYLE_BAD] = "1;31",
	};
	if (output->colour && codes[style] && *text)
		fprintf(output->file, "\033[%sm%s\033[0m", codes[style], text);
	else
		fputs(text, output->file);
}

/* Print a clean text in lines that fit beside a label. */
static void print_wrapped(
	const struct output *output, const char *label, const char *text)
{
	size_t margin = text_width(label);
	size_t room = output->width > margin + NARROWEST ? output->width - margin
							 : SIZE_MAX / 4;
	output_styled(output, STYLE_HEAD, label);
	for (;;) {
		size_t bytes = text_break(text, room);
		fprintf(output->file, "%.*s\n", (int)bytes, text);
		text += bytes + strspn(text + bytes, " ");
		if (!*text)
			break;
		fprintf(output->file, "%*s", (int)margin, "");
	}
}

void output_line(const struct output *output, const char *label, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	auto_free char *raw = mem_vprintf(format, args);
	va_end(args);
	auto_free char *text = text_clean(raw);
	print_wrapped(output, label, text);
}

void output_text(const struct output *output, const char *text)
{
	static const char kept[] = "\n\t";
	while (*text) {
		size_t length = strcspn(text, kept);
		auto_free char *raw = mem_ndup(text, length);
		auto_free char *clean = text_clean(raw);
		fputs(clean, output->file);
		text += length;
		if (*text)
			fputc(*text++, output->file);
	}
}

const char *output_size(
	const struct output *output, char text[SIZE_TEXT_MAX], uint64_t kib)
{
	if (!output->kib)
		return units_format_size(text, kib);
	snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 " KiB", kib);
	return text;
}

const char *output_short_size(
	const struct output *output, char text[SIZE_TEXT_MAX], uint64_t kib)
{
	output_size(output, text, kib);
	char *blank = strchr(text, ' ');
	if (blank)
		blank[0] = output->kib ? '\0' : blank[1];
	if (blank && !output->kib)
		blank[1] = '\0';
	return text;
}
