/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What each key does to the view.
 */

#include "momctl/top/view.h"

/* What a key stands for; others are Unicode characters. */
enum top_key {
	TOP_KEY_NONE = -1,
	TOP_KEY_ESCAPE = 0x1b,
	TOP_KEY_ENTER = '\n',
	TOP_KEY_ERASE = '\b',
	TOP_KEY_UP = 0x110000, /* behind Unicode's last */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_RESIZE,
	TOP_KEY_OTHER, /* a function key without a meaning here */
};

/* Do what a key says; `page_rows` is how far a page goes. */
void top_keys_press(struct top_view *view, int key, size_t page_rows);

/* The keys of a page, the most needed first; ends with a NULL name. */
struct top_key_help {
	const char *key, *name, *help;
};

const struct top_key_help *top_keys_of(const struct top_view *view);

/* The page about them, in lines; freed by the caller. */
char *top_keys_help(void);
