/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mom/mem.h"
#include "momctl/text.h"
#include "momctl/top/keys.h"

#define ESCAPE_MS                                                                        \
	50           /* what follows within is a function key, else Escape was pressed   \
		      */
#define DEFAULT (-1) /* the terminal's own colour */

/* What an ink is on a terminal of many colours, of few, and of none. */
struct look {
	short many[2], few[2]; /* foreground, background */
	attr_t few_attributes, attributes;
	/* of cells: with colours, without, and without UTF-8 */
	const char *glyph, *mono, *ascii;
};

#define PART(name) [TOP_INK_PART + TOP_PART_##name]

static const struct look looks[TOP_INK_PART + TOP_PART_COUNT] = {
	[TOP_INK_PLAIN] = {{DEFAULT, DEFAULT}, {DEFAULT, DEFAULT}, 0, 0, NULL, NULL,
		NULL},
	[TOP_INK_DIM] = {{245, DEFAULT}, {DEFAULT, DEFAULT}, 0, 0, NULL, NULL, NULL},
	[TOP_INK_HEAD] = {{DEFAULT, DEFAULT}, {DEFAULT, DEFAULT}, A_BOLD, A_BOLD, NULL,
		NULL, NULL},
	[TOP_INK_GOOD] = {{78, DEFAULT}, {COLOR_GREEN, DEFAULT}, 0, 0, NULL, NULL, NULL},
	[TOP_INK_CARE] = {{221, DEFAULT}, {COLOR_YELLOW, DEFAULT}, 0, A_UNDERLINE, NULL,
		NULL, NULL},
	[TOP_INK_BAD] = {{203, DEFAULT}, {COLOR_RED, DEFAULT}, A_BOLD, A_BOLD, NULL, NULL,
		NULL},
	[TOP_INK_TITLE] = {{255, 238}, {COLOR_BLACK, COLOR_CYAN}, 0, A_REVERSE, NULL,
		NULL, NULL},
	[TOP_INK_CHOSEN] = {{16, 117}, {COLOR_BLACK, COLOR_CYAN}, 0, A_REVERSE, NULL,
		NULL, NULL},
	[TOP_INK_OVER] = {{71, 68}, {COLOR_GREEN, COLOR_BLUE}, 0, 0, NULL, NULL, NULL},
	[TOP_INK_LINE] = {{255, DEFAULT}, {COLOR_WHITE, DEFAULT}, A_BOLD, A_BOLD, NULL,
		NULL, NULL},
	[TOP_INK_LINE_USED] = {{255, 71}, {COLOR_WHITE, COLOR_GREEN}, A_BOLD, A_BOLD,
		NULL, NULL, NULL},
	[TOP_INK_LINE_CACHE] = {{255, 68}, {COLOR_WHITE, COLOR_BLUE}, A_BOLD, A_BOLD,
		NULL, NULL, NULL},
	PART(USED) = {{71, DEFAULT}, {COLOR_GREEN, DEFAULT}, 0, 0, "▇", "█", "#"},
	PART(CACHE) = {{68, DEFAULT}, {COLOR_BLUE, DEFAULT}, 0, 0, "▇", "▒", "="},
	PART(UNUSED) = {{248, DEFAULT}, {COLOR_WHITE, DEFAULT}, 0, 0, "▇", "░", "-"},
	PART(UNKNOWN) = {{245, DEFAULT}, {COLOR_WHITE, DEFAULT}, 0, 0, "▒", "▒", "?"},
	PART(BALLOON) = {{240, DEFAULT}, {DEFAULT, DEFAULT}, 0, 0, "·", "·", "."},
	PART(GUEST) = {{255, 25}, {COLOR_WHITE, COLOR_BLUE}, A_BOLD, 0, " ", "█", "="},
	PART(GUEST_NEXT) = {{255, 31}, {COLOR_BLACK, COLOR_CYAN}, 0, 0, " ", "▓", "="},
	PART(KSM) = {{255, 97}, {COLOR_WHITE, COLOR_MAGENTA}, 0, 0, " ", "%", "%"},
	PART(PROMISED) = {{31, DEFAULT}, {COLOR_CYAN, DEFAULT}, 0, 0, "░", "░", "~"},
	PART(OTHER) = {{255, 241}, {COLOR_BLACK, COLOR_WHITE}, 0, 0, " ", "▒", "#"},
	PART(CACHED) = {{16, 178}, {COLOR_BLACK, COLOR_YELLOW}, 0, 0, " ", "c", "c"},
	PART(FREE) = {{240, DEFAULT}, {DEFAULT, DEFAULT}, 0, 0, "·", "·", "."},
	PART(RESERVE) = {{255, 124}, {COLOR_WHITE, COLOR_RED}, 0, 0, " ", "R", "R"},
};

/* ---- the terminal ---- */

/* Names are UTF-8 in any case; for bars there is a choice. */
static bool speaks_utf8(void)
{
	setlocale(LC_CTYPE, "");
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	text_init();
	return utf8;
}

static void mix_colours(void)
{

	start_color();
	use_default_colors();
	bool many = COLORS >= 256;
	for (size_t ink = 0; ink < ARRAY_SIZE(looks); ink++) {
		const short *pair = many ? looks[ink].many : looks[ink].few;
		init_pair((short)(ink + 1), pair[0], pair[1]);
	}
}

static void measure(struct top_screen *screen)
{
	int rows, columns;
	getmaxyx(stdscr, rows, columns);
	screen->rows = (size_t)rows;
	screen->columns = (size_t)columns;
}

int top_screen_open(
	struct top_screen *screen, const struct output *output, struct err *err)
{
	const char *terminal = getenv("TERM");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, -ENOTTY,
			"top wants a terminal; \"momctl watch\" is for scripts");
	*screen = (struct top_screen){.output = output, .utf8 = speaks_utf8()};
	if (!terminal || strcmp(terminal, "dumb") == 0 || !newterm(NULL, stdout, stdin))
		return err_set(err, -EINVAL,
			"nothing is known of a terminal \"%s\"; set TERM to what it is",
			terminal ? terminal : "");
	screen->colour = output->colour && has_colors();
	if (screen->colour)
		mix_colours();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	set_escdelay(ESCAPE_MS);
	keypad(stdscr, true);
	nodelay(stdscr, true);
	leaveok(stdscr, true);
	measure(screen);
	return 0;
}

void top_screen_close(struct top_screen *screen)
{
	if (screen->output)
		endwin();
	*screen = (struct top_screen){0};
}

void top_screen_begin(struct top_screen *screen)
{
	measure(screen);
	erase();
}

void top_screen_end(struct top_screen *screen)
{
	(void)screen;
	refresh();
}

void top_screen_repaint(struct top_screen *screen)
{
	(void)screen;
	clearok(curscr, true);
}

int top_screen_key(struct top_screen *screen)
{
	static const struct {
		wint_t curses;
		int key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},
		{KEY_DOWN, TOP_KEY_DOWN},
		{KEY_PPAGE, TOP_KEY_PAGE_UP},
		{KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},
		{KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},
		{KEY_BACKSPACE, TOP_KEY_ERASE},
		{KEY_RESIZE, TOP_KEY_RESIZE},
	};
	wint_t c;
	(void)screen;
	int kind = get_wch(&c);
	for (size_t i = 0; kind == KEY_CODE_YES && i < ARRAY_SIZE(keys); i++)
		if (keys[i].curses == c)
			return keys[i].key;
	if (kind != OK)
		return kind == ERR ? TOP_KEY_NONE : TOP_KEY_OTHER;
	return c == '\r' ? TOP_KEY_ENTER : c == 0x7f ? TOP_KEY_ERASE : (int)c;
}

/* ---- what is put on it ---- */

static void dip(const struct top_screen *screen, enum top_ink ink)
{
	const struct look *look = &looks[ink];
	attr_t few = COLORS >= 256 ? 0 : look->few_attributes;
	if (ink == TOP_INK_HEAD || ink == TOP_INK_BAD)
		few |= A_BOLD;
	if (screen->colour)
		attr_set(few, (short)(ink + 1), NULL);
	else
		attr_set(look->attributes, 0, NULL);
}

size_t top_screen_put(const struct top_screen *screen, size_t row, size_t column,
	size_t width, enum top_ink ink, const char *text)
{
	if (row >= screen->rows || column >= screen->columns)
		return column;
	size_t room = screen->columns - column;
	auto_free char *cut = text_cut(text, width < room ? width : room);
	dip(screen, ink);
	mvaddstr((int)row, (int)column, cut);
	return column + text_width(cut);
}

size_t top_screen_print(const struct top_screen *screen, size_t row, size_t column,
	int width, enum top_ink ink, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	auto_free char *text = mem_vprintf(format, args);
	va_end(args);
	size_t room = (size_t)abs(width), needed = text_width(text);
	size_t from = width < 0 && needed < room ? column + room - needed : column;
	return top_screen_put(screen, row, from, room, ink, text);
}

static const char *glyph(const struct top_screen *screen, const struct look *look)
{
	if (!screen->utf8)
		return screen->colour && look->glyph[0] == ' ' ? " " : look->ascii;
	return screen->colour ? look->glyph : look->mono;
}

void top_screen_cells(const struct top_screen *screen, size_t row, size_t column,
	size_t count, enum top_part part)
{
	enum top_ink ink = TOP_INK_PART + part;
	const char *one = glyph(screen, &looks[ink]);
	size_t bytes = strlen(one);
	auto_free char *all = mem_array(count + 1, bytes);
	for (size_t i = 0; i < count; i++)
		memcpy(all + i * bytes, one, bytes);
	all[count * bytes] = '\0';
	top_screen_put(screen, row, column, count, ink, all);
}

void top_screen_fill(const struct top_screen *screen, size_t row, enum top_ink ink)
{
	dip(screen, ink);
	mvhline((int)row, 0, ' ', (int)screen->columns);
}

const char *top_screen_size(
	const struct top_screen *screen, char text[SIZE_TEXT_MAX], struct top_kib figure)
{
	if (!figure.known)
		return strcpy(text, "-");
	return output_short_size(screen->output, text, figure.kib);
}
