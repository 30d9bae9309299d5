/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/note.h"
#include "mom/policy/parse.h"

/*
 * The canonical layout: what fits goes on one line; else the head stays with the
 * arguments that belong to it, and each of the others has a line of its own, one step in.
 */

#define WIDTH    90
#define STEP     4
#define NO_WIDTH ((size_t)1 << 30) /* of what can't stand on one line */

struct printer {
	FILE *out;
	size_t column;
};

static void print_text(struct printer *printer, const char *text, size_t length)
{
	fwrite(text, 1, length, printer->out);
	printer->column += length;
}

/* Begin a line, behind an empty one where the source had one. */
static void new_line(struct printer *printer, size_t indent, bool blank)
{
	fprintf(printer->out, "%s\n%*s", blank ? "\n" : "", (int)indent, "");
	printer->column = indent;
}

/* ---- on one line ----------------------------------------------------------------------
 */

static bool has_comments(const struct node *node)
{
	return node->layout.before || node->layout.beside;
}

/* One thing after another: each has its line, even where there is room. */
static bool is_sequence(const struct node *node)
{
	return node->kind == NODE_BLOCK && node->count > 1 &&
	       node->items[0]->kind != NODE_NAME && node->items[0]->kind != NODE_VALUE;
}

/* Columns it takes on one line, without the comments around it. */
static size_t flat_width(const struct node *node)
{
	if (node->kind == NODE_NAME || node->kind == NODE_VALUE) {
		const struct layout *layout = &node->layout;
		bool broken = memchr(layout->start, '\n', layout->length) != NULL;
		return broken ? NO_WIDTH : layout->length;
	}
	size_t width = 2 + (node->count ? node->count - 1 : 0);
	if (node->layout.within || is_sequence(node))
		return NO_WIDTH;
	for (size_t i = 0; i < node->count && width < NO_WIDTH; i++)
		width += has_comments(node->items[i]) ? NO_WIDTH
						      : flat_width(node->items[i]);
	return width < NO_WIDTH ? width : NO_WIDTH;
}

static const char *opening(const struct node *node)
{
	return node->kind == NODE_BLOCK ? "{" : "(";
}

static const char *closing(const struct node *node)
{
	return node->kind == NODE_BLOCK ? "}" : ")";
}

static void print_flat(struct printer *printer, const struct node *node)
{
	if (node->kind == NODE_NAME || node->kind == NODE_VALUE) {
		print_text(printer, node->layout.start, node->layout.length);
		return;
	}
	print_text(printer, opening(node), 1);
	for (size_t i = 0; i < node->count; i++) {
		if (i)
			print_text(printer, " ", 1);
		print_flat(printer, node->items[i]);
	}
	print_text(printer, closing(node), 1);
}

/* ---- on several lines -----------------------------------------------------------------
 */

static void print_node(
	struct printer *printer, const struct node *node, size_t indent, size_t tail);

/* Comments, each on a line of its own. `first`: they stand first in their list. */
static void print_comments(
	struct printer *printer, const struct comment *comment, size_t indent, bool first)
{
	for (; comment; comment = comment->next) {
		new_line(printer, indent, comment->blank_before && !first);
		print_text(printer, comment->text, comment->length);
		first = false;
	}
}

static void print_beside(struct printer *printer, const struct node *node)
{
	const struct comment *beside = node->layout.beside;
	if (!beside)
		return;
	print_text(printer, "  ", 2);
	print_text(printer, beside->text, beside->length);
}

/* An element on a line of its own, with its comments. */
static void print_element(struct printer *printer, const struct node *node, size_t indent,
	size_t tail, bool first)
{
	print_comments(printer, node->layout.before, indent, first);
	bool blank = node->layout.blank_before && (!first || node->layout.before);
	new_line(printer, indent, blank);
	print_node(printer, node, indent, tail);
	print_beside(printer, node);
}

/* How many arguments stay on the head's line, and whether the others fill their lines. */
struct habit {
	const char *head;
	size_t kept;
	bool fills;
};

static struct habit habit_of(const struct node *list)
{
	static const struct habit table[] = {{"def", 2, false}, {"defun", 2, false},
		{"with", 2, false}, {"sum", 2, false}, {"count", 2, false},
		{"filter", 2, false}, {"sort-by", 2, false}, {"share-out", 3, true},
		{"param", 2, true}, {"cond", 0, false}};
	const struct node *head = list->items[0];
	if (list->kind == NODE_BLOCK || head->kind != NODE_NAME)
		return (struct habit){0};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].head, head->name))
			return table[i];
	return (struct habit){.kept = 1};
}

/* The head and what stays with it; the number of items printed. */
static size_t print_head(struct printer *printer, const struct node *list, size_t indent)
{
	if (!list->count || list->kind == NODE_BLOCK || list->items[0]->layout.before)
		return 0;
	size_t kept = 1 + habit_of(list).kept, done = 0;
	for (; done < list->count && done < kept; done++) {
		const struct node *item = list->items[done];
		bool broken = done && (item->layout.before ||
					      list->items[done - 1]->layout.beside);
		if (broken)
			break;
		if (done && is_sequence(item))
			break;
		size_t tail = done + 1 == list->count;
		if (done > 1 && printer->column + 1 + flat_width(item) + tail > WIDTH)
			break;
		if (done)
			print_text(printer, " ", 1);
		print_node(printer, item, indent, tail);
		print_beside(printer, item);
	}
	return done;
}

/* Put an element behind the one before it, if it fits there. */
static bool follows(
	struct printer *printer, const struct node *list, size_t index, size_t tail)
{
	const struct node *item = list->items[index], *before = list->items[index - 1];
	if (item->layout.before || before->layout.beside ||
		printer->column + 1 + flat_width(item) + tail > WIDTH)
		return false;
	print_text(printer, " ", 1);
	print_flat(printer, item);
	return true;
}

static void print_broken(
	struct printer *printer, const struct node *list, size_t indent, size_t tail)
{
	print_text(printer, opening(list), 1);
	size_t done = print_head(printer, list, indent + STEP);
	bool fills = list->count && habit_of(list).fills;
	for (size_t i = done; i < list->count; i++) {
		size_t behind = i + 1 == list->count ? tail + 1 : 0;
		if (fills && i > done && follows(printer, list, i, behind))
			print_beside(printer, list->items[i]);
		else
			print_element(
				printer, list->items[i], indent + STEP, behind, i == 0);
	}
	print_comments(printer, list->layout.within, indent + STEP, list->count == 0);
	const struct node *last = list->count ? list->items[list->count - 1] : NULL;
	bool own_line = list->kind == NODE_BLOCK || list->layout.within ||
			(last && last->layout.beside);
	if (own_line)
		new_line(printer, indent, false);
	print_text(printer, closing(list), 1);
}

/* `tail` closing brackets will stand right behind it. */
static void print_node(
	struct printer *printer, const struct node *node, size_t indent, size_t tail)
{
	bool atom = node->kind == NODE_NAME || node->kind == NODE_VALUE;
	if (atom || printer->column + flat_width(node) + tail <= WIDTH)
		print_flat(printer, node);
	else
		print_broken(printer, node, indent, tail);
}

static void print_tree(struct printer *printer, const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		print_element(printer, tree->forms[i], 0, 0, i == 0);
	print_comments(printer, tree->within, 0, tree->count == 0);
	fputc('\n', printer->out);
}

char *policy_format(const struct policy_source *source, struct policy_notes *notes)
{
	struct arena arena = {0};
	struct policy_notes own = {0};
	struct tree tree;
	char *text = NULL;
	size_t size = 0;
	if (parse(&tree, &arena, source->text, source->length, notes ? notes : &own)) {
		struct printer printer = {.out = open_memstream(&text, &size)};
		if (!printer.out)
			abort(); /* no memory */
		print_tree(&printer, &tree);
		fclose(printer.out);
		memmove(text, text + (size > 0), size); /* the first line's newline */
	}
	policy_notes_done(&own);
	arena_done(&arena);
	return text;
}
