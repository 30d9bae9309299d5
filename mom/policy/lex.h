/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A policy's text as tokens. Every byte belongs to a token or is a blank; what can't be
 * one is told and skipped, so that one look finds all that is wrong.
 */

#include "mom/policy/policy.h"

enum token_kind {
	TOKEN_END,
	TOKEN_OPEN,  /* ( [ { */
	TOKEN_CLOSE, /* ) ] } */
	TOKEN_NAME,  /* a symbol or an operator */
	TOKEN_INT,
	TOKEN_FLOAT,
	TOKEN_STRING,  /* with its quotes */
	TOKEN_COMMENT, /* from # to the end of the line */
};

struct token {
	enum token_kind kind;
	const char *start;
	size_t length;
	unsigned line, column;    /* from 1; columns count characters */
	bool first, blank_before; /* first of its line; an empty line stands before it */
	union {
		int64_t integer;
		double real;
	};
};

struct lexer {
	const char *at, *end;
	unsigned line, column;
	unsigned newlines; /* since the last token */
	struct policy_notes *notes;
};

void lexer_init(
	struct lexer *lexer, const char *text, size_t length, struct policy_notes *notes);

struct token lexer_next(struct lexer *lexer);

/*
 * Read all of `text` as one number, as the language writes it.
 *
 * Errors: false where it is none, or an integer beyond 64 bits.
 */
bool lex_number(const char *text, size_t length, struct value *number);
