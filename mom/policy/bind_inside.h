/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The binder, inside: what its files tell each other. bind.c has names and programs,
 * bind_forms.c the forms that aren't bound like a call, bind_methods.c what objects are
 * asked.
 */

#include <stdio.h>

#include "mom/policy/bind.h"
#include "mom/policy/note.h"

struct binder {
	struct program *program;
	struct policy *policy;
	struct policy_notes *notes;
};

/* The node can't be evaluated: said now by the checker, and again if it is reached. */
void bind_trouble(struct binder *binder, struct node *node, const struct node *at,
	enum policy_level level, const char *text);

#define BIND_TROUBLE(binder, node, at, ...)                                              \
	do {                                                                             \
		char text_[200];                                                         \
		snprintf(text_, sizeof(text_), __VA_ARGS__);                             \
		bind_trouble(binder, node, at, POLICY_ERROR, text_);                     \
	} while (0)

/* ---- bind.c ---- */

void bind_node(struct binder *binder, struct node *node);
void bind_rest(struct binder *binder, struct node *node, size_t first);

/* A name that the form binds; `node` is the form. False where it can't be. */
bool bind_target(struct binder *binder, struct node *node, struct node *name);

/* "guest.balloon_cur": a variable, and the fields behind its dots. */
void bind_path(struct binder *binder, struct node *node, const char *name);

/* The field behind a dot, of the host and of a guest. */
struct step bind_step(struct binder *binder, const char *name, size_t length);

/* Are there as many arguments as it takes? */
bool bind_count_fits(struct binder *binder, struct node *node, const char *name,
	unsigned least, unsigned most, const char *usage);

bool bind_is_plain(const struct node *node);
bool bind_is_text(const struct node *node);

/* ---- bind_forms.c ---- */

void bind_form(struct binder *binder, struct node *node);

/* ---- bind_methods.c ---- */

void bind_method(struct binder *binder, struct node *node);
