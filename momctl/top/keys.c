/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/keys.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

/* Bytes of the last character of a text. */
static size_t last_length(const char *text)
{
	size_t length = strlen(text), from = length;
	while (from > 0 && ((unsigned char)text[--from] & 0xc0) == 0x80)
		;
	return length - from;
}

/* As UTF-8; one that has no place any more is left out. */
static void append(char *text, size_t size, uint32_t c)
{
	size_t length = strlen(text);
	char more[5] = {0};
	if (c < 0x80) {
		more[0] = (char)c;
	} else if (c < 0x800) {
		more[0] = (char)(0xc0 | c >> 6);
		more[1] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		more[0] = (char)(0xe0 | c >> 12);
		more[1] = (char)(0x80 | (c >> 6 & 0x3f));
		more[2] = (char)(0x80 | (c & 0x3f));
	} else {
		more[0] = (char)(0xf0 | c >> 18);
		more[1] = (char)(0x80 | (c >> 12 & 0x3f));
		more[2] = (char)(0x80 | (c >> 6 & 0x3f));
		more[3] = (char)(0x80 | (c & 0x3f));
	}
	if (length + strlen(more) < size)
		strcpy(text + length, more);
}

static void type(struct top_view *view, int key)
{
	char *filter = view->filter;
	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
		view->typing = false;
	if (key == TOP_KEY_ESCAPE)
		filter[0] = '\0';
	else if (key == TOP_KEY_ERASE)
		filter[strlen(filter) - last_length(filter)] = '\0';
	else if (key >= ' ' && key != 0x7f && key < TOP_KEY_UP)
		append(filter, sizeof(view->filter), (uint32_t)key);
	top_view_arrange(view);
}

static void sort_by(struct top_view *view, enum top_sort sort)
{
	view->sort = (sort + TOP_SORT_COUNT) % TOP_SORT_COUNT;
	top_view_arrange(view);
}

static void open_text(struct top_view *view, enum top_page page)
{
	if (view->page == page)
		return;
	if (view->page == TOP_LIST || view->page == TOP_GUEST)
		view->behind = view->page;
	view->page = page;
	view->scroll = 0;
	view->stale = true;
}

static void go_back(struct top_view *view)
{
	bool text = view->page == TOP_EXPLAIN || view->page == TOP_HELP;
	if (view->page == TOP_LIST)
		view->filter[0] = '\0';
	view->page = text ? view->behind : TOP_LIST;
	top_view_arrange(view);
}

/* How far a key moves; a text ends where it is drawn. */
static size_t moved(size_t from, int key, size_t page_rows, size_t last)
{
	switch (key) {
	case TOP_KEY_UP:
		return from ? from - 1 : 0;
	case TOP_KEY_PAGE_UP:
		return from > page_rows ? from - page_rows : 0;
	case TOP_KEY_HOME:
		return 0;
	case TOP_KEY_DOWN:
		return from + 1 < last ? from + 1 : last;
	case TOP_KEY_PAGE_DOWN:
		return from + page_rows < last ? from + page_rows : last;
	default:
		return last;
	}
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;
	for (; text && (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

/* A text stops when its last line is on the screen. */
static void scroll(struct top_view *view, int key, size_t page_rows)
{
	auto_free char *help = view->page == TOP_HELP ? top_keys_help() : NULL;
	size_t lines = count_lines(help ? help : view->explanation);
	view->scroll = moved(view->scroll, key, page_rows, sub_u64(lines, page_rows));
}

static void move(struct top_view *view, int key, size_t page_rows)
{
	if (view->page == TOP_EXPLAIN || view->page == TOP_HELP)
		scroll(view, key, page_rows);
	else
		top_view_choose(
			view, moved(view->row, key, page_rows, view->shown_count));
}

static void command(struct top_view *view, int key)
{
	switch (key) {
	case 'q':
		view->ended = true;
		break;
	case TOP_KEY_ESCAPE:
	case TOP_KEY_ERASE:
		go_back(view);
		break;
	case TOP_KEY_ENTER:
		if (view->page == TOP_LIST && view->chosen)
			view->page = TOP_GUEST;
		else if (view->page == TOP_GUEST)
			view->page = TOP_LIST;
		break;
	case 'e':
		if (view->chosen)
			open_text(view, TOP_EXPLAIN);
		break;
	case '?':
	case 'h':
		open_text(view, TOP_HELP);
		break;
	case 's':
	case '>':
		sort_by(view, view->sort + 1);
		break;
	case '<':
		sort_by(view, view->sort + TOP_SORT_COUNT - 1);
		break;
	case 'r':
		view->reverse = !view->reverse;
		top_view_arrange(view);
		break;
	case '/':
		view->page = TOP_LIST;
		view->typing = true;
		break;
	case ' ':
		view->frozen = !view->frozen;
		break;
	}
}

void top_keys_press(struct top_view *view, int key, size_t page_rows)
{
	if (key == 'k' && !view->typing)
		key = TOP_KEY_UP;
	if (key == 'j' && !view->typing)
		key = TOP_KEY_DOWN;
	if (key >= TOP_KEY_UP && key <= TOP_KEY_END)
		move(view, key, page_rows);
	else if (view->typing)
		type(view, key);
	else
		command(view, key);
}

static const struct top_key_help list_keys[] = {
	{"q", "Quit", "end, also with ^C"},
	{"Enter", "Detail", "one guest: all its figures, and its last minutes"},
	{"e", "Explain", "why it has what it has: settings and decisions"},
	{"s", "Sort", "by the next column; < and > go either way"},
	{"r", "Reverse", "turn the order round"},
	{"/", "Filter", "show the guests whose name or state has this in it"},
	{"Space", "Hold", "hold the picture; Space again goes on"},
	{"?", "Help", "this page"},
	{0},
};

const struct top_key_help *top_keys_of(const struct top_view *view)
{
	static const struct top_key_help guest[] = {
		{"q", "Quit", ""},
		{"Esc", "Back", ""},
		{"Up Down", "Another guest", ""},
		{"e", "Explain", ""},
		{"Space", "Hold", ""},
		{"?", "Help", ""},
		{0},
	};
	static const struct top_key_help text[] = {
		{"q", "Quit", ""},
		{"Esc", "Back", ""},
		{"Up Down PgUp PgDn", "Scroll", ""},
		{0},
	};
	static const struct top_key_help typing[] = {
		{"Enter", "Keep", ""},
		{"Esc", "Show all", ""},
		{0},
	};
	if (view->typing)
		return typing;
	return view->page == TOP_LIST    ? list_keys
	       : view->page == TOP_GUEST ? guest
					 : text;
}

char *top_keys_help(void)
{
	char *text = mem_dup("");
	for (const struct top_key_help *key = list_keys; key->name; key++) {
		char *longer = mem_printf("%s%-6s %s\n", text, key->key, key->help);
		free(text);
		text = longer;
	}
	char *all = mem_printf(
		"%sUp Down PgUp PgDn Home End, j k: choose a guest\n\n"
		"The bar of the host: what each guest holds, what KSM saves, what the\n"
		"guests may take without asking, what others hold, what the host "
		"caches,\n"
		"what is free, and what is kept in reserve.\n\n"
		"The bar of a guest, up to its maximum: what it uses, caches and has\n"
		"free, and what its balloon took; an arrow stands where it is to go.\n\n"
		"SWAP/s is the guest's own swapping, FLT/s its page faults that waited\n"
		"for a disk. \"momctl explain GUEST\" tells more, momctl(1) "
		"everything.\n",
		text);
	free(text);
	return all;
}
