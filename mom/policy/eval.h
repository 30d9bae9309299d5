/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The evaluator: a walk over bound nodes. Each form of forms.def is one function here,
 * eval_DEF … eval_DEBUG, spread over eval.c (names, scopes, control flow), arith.c
 * (numbers and order), lists.c (what goes over lists) and methods.c (objects).
 */

#include "mom/policy/run.h"

struct value eval(struct run *run, const struct node *node);

/* As eval(), for what must be a list. */
const struct list *eval_list(struct run *run, const struct node *node);

#define FORM(id, ...) struct value eval_##id(struct run *run, const struct node *node);
#include "mom/policy/forms.def"
#undef FORM

struct value eval_method(struct run *run, const struct node *node);

/* The field of an object that a step leads to; nil where it is unknown. */
struct value object_field(struct run *run, const struct node *node, struct value object,
	const struct step *step);
