/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "momctl/follow.h"
#include "momctl/momctl.h"
#include "momctl/top/draw.h"
#include "momctl/top/feed.h"
#include "momctl/top/keys.h"

#define REPAINT ('L' & 0x1f) /* Control-L: something else wrote on the terminal */

struct top {
	struct top_view view;
	struct top_feed feed;
	struct top_screen screen;
	size_t page_rows;
	int input; /* readable when a key was pressed or a signal asks for the end … */
	int signals; /* … the latter from here */
};

/* Signals are read like keys, so the terminal is given back in good order. */
static void open_input(struct top *top)
{
	struct epoll_event key = {.events = EPOLLIN};
	struct epoll_event signal = {.events = EPOLLIN};
	top->signals = follow_end_fd(SFD_NONBLOCK);
	top->input = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(top->input, EPOLL_CTL_ADD, STDIN_FILENO, &key);
	epoll_ctl(top->input, EPOLL_CTL_ADD, top->signals, &signal);
}

/* A signal came, or the terminal has gone. */
static bool is_over(const struct top *top)
{
	struct signalfd_siginfo signal;
	struct epoll_event events[2];
	if (read(top->signals, &signal, sizeof(signal)) > 0)
		return true;
	int count = epoll_wait(top->input, events, 2, 0);
	for (int i = 0; i < count; i++)
		if (events[i].events & (EPOLLHUP | EPOLLERR))
			return true;
	return false;
}

static void take_keys(struct top *top)
{
	int key;
	while ((key = top_screen_key(&top->screen)) != TOP_KEY_NONE) {
		if (key == REPAINT)
			top_screen_repaint(&top->screen);
		else if (key == TOP_KEY_RESIZE)
			top->view.stale = true;
		else
			top_keys_press(&top->view, key, top->page_rows);
	}
}

static void run(struct top *top)
{
	struct top_view *view = &top->view;
	while (!view->ended && !is_over(top)) {
		if (view->page == TOP_EXPLAIN && view->stale && view->chosen)
			top_feed_explain(&top->feed, view, top->screen.columns);
		top->page_rows = top_draw(&top->screen, view, top->feed.trouble);
		top_feed_wait(&top->feed, view, top->input);
		take_keys(top);
	}
}

int cmd_top(const struct momctl *ctl, int argc, char **argv)
{
	struct top top = {0};
	struct err err;
	if (ctl->json)
		return cmd_watch(ctl, argc, argv);
	int code = top_feed_open(&top.feed, ctl, &top.view);
	if (code)
		return code;
	if (top_screen_open(&top.screen, &ctl->out, &err)) {
		code = momctl_fail(MOMCTL_FAILED, "%s", err.text);
	} else {
		open_input(&top);
		run(&top);
		top_screen_close(&top.screen);
	}
	top_feed_close(&top.feed);
	top_view_done(&top.view);
	return code;
}
