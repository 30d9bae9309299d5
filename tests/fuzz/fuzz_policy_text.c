/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A policy's text: any bytes are refused with a reason or accepted, every note can be
 * shown, and the canonical layout says the same as the text and is its own.
 */
#include <stdint.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_notes(const struct policy_source *source)
{
	struct policy_notes notes = {0};
	struct err err = {0};
	int result = policy_set_check(NULL, source, &notes, &err);
	if ((result < 0) != (notes.errors > 0) || (result < 0 && !err.text[0]))
		abort();
	for (size_t i = 0; i < notes.count; i++)
		free(policy_note_format(&notes.items[i], source));
	policy_notes_done(&notes);
}

static struct token next_word(struct lexer *lexer)
{
	for (;;) {
		struct token token = lexer_next(lexer);
		if (token.kind != TOKEN_COMMENT)
			return token;
	}
}

/* The same words in the same order: [ ] are ( ) in another dress. */
static bool same_word(const struct token *a, const struct token *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == TOKEN_END)
		return true;
	if (a->kind == TOKEN_OPEN || a->kind == TOKEN_CLOSE)
		return (*a->start == '{' || *a->start == '}') ==
		       (*b->start == '{' || *b->start == '}');
	return a->length == b->length && !memcmp(a->start, b->start, a->length);
}

static void compare(const struct policy_source *a, const struct policy_source *b)
{
	struct lexer left, right;
	struct token from_left, from_right;
	lexer_init(&left, a->text, a->length, NULL);
	lexer_init(&right, b->text, b->length, NULL);
	do {
		from_left = next_word(&left);
		from_right = next_word(&right);
		if (!same_word(&from_left, &from_right))
			abort();
	} while (from_left.kind != TOKEN_END);
}

static void check_layout(const struct policy_source *source)
{
	auto_free char *once = policy_format(source, NULL);
	if (!once)
		return;
	struct policy_source formatted = {
		.name = "formatted", .text = once, .length = strlen(once)};
	auto_free char *twice = policy_format(&formatted, NULL);
	compare(source, &formatted);
	if (!twice || strcmp(once, twice) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_source source = {
		.name = "fuzz", .text = (const char *)data, .length = size};
	check_notes(&source);
	check_layout(&source);
	return 0;
}
