/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/parse.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/policy/lex.h"
#include "mom/policy/note.h"

#define NESTING_MOST 200
#define TEXT_MOST    ((size_t)1024 * 1024)

struct parser {
	struct lexer lexer;
	struct token token;                       /* the next one that isn't a comment */
	struct comment *comments, **comments_end; /* met on the way to it */
	struct node *last; /* finished last: a comment beside it is its */
	struct arena *arena;
	struct policy_notes *notes;
	unsigned nesting;
	bool gave_up;
};

static void keep_comment(struct parser *parser, const struct token *token)
{
	struct comment *comment = arena_alloc(parser->arena, sizeof(*comment));
	size_t length = token->length;
	while (length && strchr(" \t\r", token->start[length - 1]))
		length--;
	comment->text = arena_copy(parser->arena, token->start, length);
	comment->length = length;
	comment->blank_before = token->blank_before;
	if (!token->first && parser->last && !parser->last->layout.beside) {
		parser->last->layout.beside = comment;
		return;
	}
	*parser->comments_end = comment;
	parser->comments_end = &comment->next;
}

static void next_token(struct parser *parser)
{
	for (;;) {
		parser->token = lexer_next(&parser->lexer);
		if (parser->token.kind != TOKEN_COMMENT)
			return;
		keep_comment(parser, &parser->token);
	}
}

static struct comment *take_comments(struct parser *parser)
{
	struct comment *comments = parser->comments;
	parser->comments = NULL;
	parser->comments_end = &parser->comments;
	return comments;
}

static struct node *new_node(struct parser *parser, enum node_kind kind)
{
	const struct token *token = &parser->token;
	struct node *node = arena_alloc(parser->arena, sizeof(*node));
	node->kind = kind;
	node->line = token->line;
	node->column = token->column;
	node->layout.blank_before = token->blank_before;
	node->layout.before = take_comments(parser);
	return node;
}

static struct value token_value(struct parser *parser)
{
	const struct token *token = &parser->token;
	if (token->kind == TOKEN_INT)
		return value_int(token->integer);
	if (token->kind == TOKEN_FLOAT)
		return value_float(token->real);
	size_t length = token->length > 2 ? token->length - 2 : 0;
	struct text *text = arena_alloc(parser->arena, sizeof(*text) + length + 1);
	text->length = length;
	memcpy(text->bytes, token->start + 1, length);
	return (struct value){.kind = VALUE_STRING, .text = text};
}

static struct node *parse_atom(struct parser *parser)
{
	const struct token *token = &parser->token;
	bool name = token->kind == TOKEN_NAME;
	struct node *node = new_node(parser, name ? NODE_NAME : NODE_VALUE);
	const char *written = arena_copy(parser->arena, token->start, token->length);
	if (name)
		node->name = written;
	else
		node->value = token_value(parser);
	node->layout.start = written;
	node->layout.length = token->length;
	parser->last = node;
	next_token(parser);
	return node;
}

static char closing(char open)
{
	return open == '(' ? ')' : open == '[' ? ']' : '}';
}

/* The bracket that ends `list`, or a word on what stands in its place. */
static void parse_close(struct parser *parser, const struct node *list)
{
	const struct token *token = &parser->token;
	if (parser->gave_up)
		return;
	if (token->kind == TOKEN_END) {
		note_add(parser->notes, POLICY_ERROR, list->line, list->column,
			"this '%c' is never closed", list->open);
		return;
	}
	if (*token->start != closing(list->open))
		note_add(parser->notes, POLICY_ERROR, token->line, token->column,
			"'%c' can't close the '%c' of line %u, column %u", *token->start,
			list->open, list->line, list->column);
	next_token(parser);
}

static struct node *parse_list(struct parser *parser);

/* One expression, or NULL at a closing bracket or the end. */
static struct node *parse_one(struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_END:
	case TOKEN_CLOSE:
		return NULL;
	case TOKEN_OPEN:
		return parse_list(parser);
	default:
		return parse_atom(parser);
	}
}

/* All expressions up to a closing bracket, as an array in the arena. */
static struct node **parse_many(struct parser *parser, size_t *count)
{
	auto_free struct node **nodes = NULL;
	size_t capacity = 0;
	*count = 0;
	for (struct node *node; (node = parse_one(parser));) {
		nodes = mem_grow(nodes, *count, &capacity, sizeof(struct node *));
		nodes[(*count)++] = node;
	}
	size_t size = *count * sizeof(struct node *);
	struct node **kept = arena_alloc(parser->arena, size);
	return size ? memcpy(kept, nodes, size) : kept;
}

/* Too deep: say so once and step over the rest, for the stack's sake. */
static void skip_deep_list(struct parser *parser, const struct node *list)
{
	note_add(parser->notes, POLICY_ERROR, list->line, list->column,
		"lists nest deeper than %d", NESTING_MOST);
	parser->gave_up = true;
	while (parser->token.kind != TOKEN_END)
		next_token(parser);
}

static struct node *parse_list(struct parser *parser)
{
	char open = *parser->token.start;
	struct node *list = new_node(parser, open == '{' ? NODE_BLOCK : NODE_LIST);
	list->open = open;
	parser->last = NULL;
	next_token(parser);
	if (++parser->nesting > NESTING_MOST)
		skip_deep_list(parser, list);
	list->items = parse_many(parser, &list->count);
	parser->nesting--;
	list->layout.within = take_comments(parser);
	parser->last = list;
	parse_close(parser, list);
	return list;
}

bool parse(struct tree *tree, struct arena *arena, const char *text, size_t length,
	struct policy_notes *notes)
{
	size_t errors = notes->errors;
	if (length > TEXT_MOST) {
		note_add(notes, POLICY_ERROR, 1, 1, "a policy of %zu KiB; at most %zu",
			length / 1024, TEXT_MOST / 1024);
		return false;
	}
	struct parser parser = {.arena = arena, .notes = notes};
	parser.comments_end = &parser.comments;
	lexer_init(&parser.lexer, text, length, notes);
	next_token(&parser);
	tree->forms = parse_many(&parser, &tree->count);
	if (parser.token.kind == TOKEN_CLOSE)
		note_add(notes, POLICY_ERROR, parser.token.line, parser.token.column,
			"this '%c' closes nothing", *parser.token.start);
	tree->within = take_comments(&parser);
	return notes->errors == errors;
}
