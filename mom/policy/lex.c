/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/policy/note.h"

#define NUMBER_MOST 64 /* characters of a number */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool in_name(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.';
}

static char peek(const struct lexer *lexer, size_t ahead)
{
	return (size_t)(lexer->end - lexer->at) > ahead ? lexer->at[ahead] : '\0';
}

/* Step over bytes, keeping count of lines and of characters (not UTF-8's later bytes). */
static void advance(struct lexer *lexer, size_t bytes)
{
	for (; bytes > 0; bytes--, lexer->at++) {
		if (*lexer->at == '\n') {
			lexer->line++;
			lexer->newlines++;
			lexer->column = 1;
		} else if (((unsigned char)*lexer->at & 0xc0) != 0x80) {
			lexer->column++;
		}
	}
}

static void skip_blanks(struct lexer *lexer)
{
	while (lexer->at < lexer->end && memchr(" \t\r\n\f\v", *lexer->at, 6))
		advance(lexer, 1);
}

static size_t count_digits(const char *at, const char *end, int base)
{
	const char *start = at;
	for (; at < end; at++) {
		int digit = is_digit(*at)                  ? *at - '0'
			    : is_letter(*at) && *at != '_' ? (*at | 0x20) - 'a' + 10
							   : 99;
		if (digit >= base)
			break;
	}
	return (size_t)(at - start);
}

/* Length of ".5", "1.5", "10e3", "100e-2"; 0 where there is no fraction or exponent. */
static size_t float_length(const char *start, const char *end)
{
	const char *at = start + count_digits(start, end, 10);
	bool real = false;
	if (at < end && *at == '.') {
		size_t fraction = count_digits(at + 1, end, 10);
		if (!fraction)
			return 0;
		real = true;
		at += 1 + fraction;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		const char *power = at + 1;
		power += power < end && (*power == '-' || *power == '+');
		size_t digits = count_digits(power, end, 10);
		real = real || digits > 0;
		at = digits ? power + digits : at;
	}
	return real ? (size_t)(at - start) : 0;
}

static int number_base(const char *start, const char *end)
{
	if (end - start < 2 || *start != '0')
		return 10;
	return start[1] == 'x' || start[1] == 'X'   ? 16
	       : start[1] == 'o' || start[1] == 'O' ? 8
						    : 10;
}

/* The longest number that `start` begins with; its length, 0 where there is none. */
static size_t scan_number(
	const char *start, const char *end, enum token_kind *kind, int *base)
{
	const char *at = start + (start < end && *start == '-');
	size_t real = float_length(at, end);
	*kind = real ? TOKEN_FLOAT : TOKEN_INT;
	*base = number_base(at, end);
	if (real)
		return (size_t)(at - start) + real;
	at += *base != 10 ? 2 : 0;
	size_t digits = count_digits(at, end, *base);
	return digits ? (size_t)(at - start) + digits : 0;
}

/* Digits to an integer; the text is known to be made of them. */
static bool read_integer(const char *text, int base, int64_t *integer)
{
	bool negative = *text == '-';
	text += negative + (base != 10 ? 2 : 0);
	char digits[NUMBER_MOST + 2];
	snprintf(digits, sizeof(digits), "%s%s", negative ? "-" : "", text);
	errno = 0;
	*integer = strtoll(digits, NULL, base);
	return errno == 0;
}

bool lex_number(const char *text, size_t length, struct value *number)
{
	enum token_kind kind;
	int base;
	if (!length || length > NUMBER_MOST ||
		scan_number(text, text + length, &kind, &base) != length)
		return false;
	char copy[NUMBER_MOST + 1] = {0};
	memcpy(copy, text, length);
	if (kind == TOKEN_FLOAT) {
		*number = value_float(strtod(copy, NULL));
		return true;
	}
	int64_t integer;
	if (!read_integer(copy, base, &integer))
		return false;
	*number = value_int(integer);
	return true;
}

static void lex_one_number(struct lexer *lexer, struct token *token)
{
	int base;
	size_t length = scan_number(lexer->at, lexer->end, &token->kind, &base);
	size_t whole = length ? length : 1;
	while (in_name(peek(lexer, whole)))
		whole++;
	int shown = whole > 40 ? 40 : (int)whole;
	struct value number = value_int(0);
	if (whole != length)
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			"'%.*s' isn't a number", shown, lexer->at);
	else if (!lex_number(lexer->at, length, &number))
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			length > NUMBER_MOST ? "'%.*s…' is too long for a number"
					     : "%.*s is beyond 64 bits",
			shown, lexer->at);
	if (number.kind == VALUE_FLOAT)
		token->real = number.real;
	else
		token->integer = number.integer;
	token->length = whole;
}

/* A backslash keeps the next character from ending the string; both stay in it. */
static void lex_string(struct lexer *lexer, struct token *token)
{
	const char quote = *lexer->at;
	const char *at = lexer->at + 1;
	while (at < lexer->end && *at != quote && *at != '\0')
		at += *at == '\\' && at + 1 < lexer->end && at[1] != '\0' ? 2 : 1;
	token->kind = TOKEN_STRING;
	token->length = (size_t)(at - lexer->at) + 1;
	if (at < lexer->end && *at == quote)
		return;
	note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
		at < lexer->end ? "a NUL byte in this string"
				: "this string is never closed");
	token->length = (size_t)(lexer->end - lexer->at);
}

static void lex_name(struct lexer *lexer, struct token *token)
{
	size_t length = 1;
	while (in_name(peek(lexer, length)))
		length++;
	token->kind = TOKEN_NAME;
	token->length = length;
	bool gap = lexer->at[length - 1] == '.';
	for (size_t i = 1; i + 1 < length; i++)
		gap = gap || (lexer->at[i] == '.' && lexer->at[i + 1] == '.');
	if (gap)
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			"a dot in '%.*s' has no name behind it",
			length > 40 ? 40 : (int)length, lexer->at);
}

static size_t operator_length(const struct lexer *lexer)
{
	static const char *const operators[] = {
		"<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*", "/", "<", ">"};
	size_t rest = (size_t)(lexer->end - lexer->at);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t length = strlen(operators[i]);
		if (rest >= length && !memcmp(lexer->at, operators[i], length))
			return length;
	}
	return 0;
}

static void refuse_character(struct lexer *lexer, const struct token *token)
{
	size_t bytes = 1;
	while (((unsigned char)peek(lexer, bytes) & 0xc0) == 0x80 && bytes < 4)
		bytes++;
	unsigned char c = (unsigned char)*lexer->at;
	if (c == '=' || c == '!')
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			"'%c' means nothing alone; did you mean '%c='?", c, c);
	else if (c < ' ' || (c >= 0x7f && bytes == 1))
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			"byte 0x%02x has no meaning here", c);
	else
		note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
			"'%.*s' has no meaning here", (int)bytes, lexer->at);
	advance(lexer, bytes);
}

/* One token at the lexer's place; false where none begins there. */
static bool lex_token(struct lexer *lexer, struct token *token)
{
	char c = *lexer->at, next = peek(lexer, 1);
	char sign = c == '-' ? next : c, after = c == '-' ? peek(lexer, 2) : next;
	if (c == '#') {
		const char *newline =
			memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));
		token->kind = TOKEN_COMMENT;
		token->length = (size_t)((newline ? newline : lexer->end) - lexer->at);
		if (memchr(lexer->at, '\0', token->length))
			note_add(lexer->notes, POLICY_ERROR, token->line, token->column,
				"a NUL byte in this comment");
	} else if (c && strchr("([{", c)) {
		token->kind = TOKEN_OPEN;
	} else if (c && strchr(")]}", c)) {
		token->kind = TOKEN_CLOSE;
	} else if (c == '"' || c == '\'') {
		lex_string(lexer, token);
	} else if (is_digit(sign) || (sign == '.' && is_digit(after))) {
		lex_one_number(lexer, token);
	} else if (is_letter(c)) {
		lex_name(lexer, token);
	} else {
		token->kind = TOKEN_NAME;
		token->length = operator_length(lexer);
	}
	return token->length > 0;
}

void lexer_init(
	struct lexer *lexer, const char *text, size_t length, struct policy_notes *notes)
{
	*lexer = (struct lexer){.at = text,
		.end = text + length,
		.line = 1,
		.column = 1,
		.newlines = 1,
		.notes = notes};
}

struct token lexer_next(struct lexer *lexer)
{
	for (;;) {
		skip_blanks(lexer);
		struct token token = {.kind = TOKEN_END,
			.start = lexer->at,
			.length = 1,
			.line = lexer->line,
			.column = lexer->column,
			.first = lexer->newlines > 0,
			.blank_before = lexer->newlines > 1};
		if (lexer->at == lexer->end)
			return token;
		if (lex_token(lexer, &token)) {
			advance(lexer, token.length);
			lexer->newlines = 0;
			return token;
		}
		refuse_character(lexer, &token);
	}
}
