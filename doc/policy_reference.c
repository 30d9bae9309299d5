/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints the reference of the policy language out of the tables that the language itself
 * works by. doc/policy-language.md and mom-policy(5) hold what it prints;
 * tests/lint/policy.test holds them to it.
 *
 *	policy_reference markdown|man|words
 */

#include <stdio.h>
#include <string.h>

#include "mom/policy/bind.h"

struct style {
	void (*title)(const char *title);
	void (*row)(const char *word, const char *unit, const char *help);
	void (*end)(void);
};

/* ---- markdown -------------------------------------------------------------------------
 */

static void markdown_title(const char *title)
{
	printf("### %s\n\n| | | |\n|---|---|---|\n", title);
}

static void print_escaped(const char *text, const char *special)
{
	for (; *text; text++)
		printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
}

static void markdown_row(const char *word, const char *unit, const char *help)
{
	printf("| `%s` | %s | ", word, unit);
	print_escaped(help, "|*_<");
	puts(" |");
}

static void markdown_end(void)
{
	putchar('\n');
}

/* ---- mdoc -----------------------------------------------------------------------------
 */

static void man_title(const char *title)
{
	printf(".Ss %s\n.Bl -tag -width Ds\n", title);
}

/* Text in which roff finds no request and no escape; other than ASCII by its number. */
static void print_roff(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '\\')
			fputs("\\e", stdout);
		else if (*at == '-')
			fputs("\\-", stdout);
		else if (*at == '"')
			fputs("\\(dq", stdout);
		else if (at[0] == 0xe2 && at[1] == 0x80 && at[2] == 0xa6)
			fputs("...", stdout), at += 2;
		else
			putchar(*at);
	}
}

#define LINE_MOST 76

/* Word by word: each sentence begins a line, and none is long. */
static void print_sentences(const char *help)
{
	size_t column = 0;
	while (*help) {
		size_t length = strcspn(help, " ");
		char word[80];
		snprintf(word, sizeof(word), "%.*s", (int)length, help);
		if (column && column + 1 + length > LINE_MOST)
			column = 0, putchar('\n');
		else if (column)
			column++, putchar(' ');
		print_roff(word);
		column += length;
		help += length + strspn(help + length, " ");
		if (word[strlen(word) - 1] == '.' && *help)
			column = 0, putchar('\n');
	}
	putchar('\n');
}

static void man_row(const char *word, const char *unit, const char *help)
{
	fputs(".It Li \"", stdout);
	print_roff(word);
	printf("\"%s%s\n", *unit ? " Pq " : "", unit);
	print_sentences(help);
}

static void man_end(void)
{
	puts(".El");
}

/* ---- the tables -----------------------------------------------------------------------
 */

static void print_forms(const struct style *style, const char *title, bool mom)
{
	style->title(title);
	for (size_t i = 0; i < FORM_TROUBLE; i++) {
		const struct form *form = &forms[i];
		char other[40] = "";
		if (form->other)
			snprintf(other, sizeof(other), "or %s", form->other);
		if (form->mom == mom && form->id != FORM_METHOD)
			style->row(form->usage, other, form->help);
	}
	style->end();
}

static void print_methods(const struct style *style)
{
	style->title("Methods of Host and of a guest");
	for (size_t i = 0; i < METHOD_COUNT; i++)
		style->row(methods[i].usage, "", methods[i].help);
	style->end();
}

static void print_fields(
	const struct style *style, const char *title, const struct field *fields)
{
	style->title(title);
	for (; fields->name; fields++)
		style->row(fields->name, unit_name(fields->unit), fields->help);
	style->end();
}

static void print_knobs(const struct style *style, const char *title, bool guest)
{
	style->title(title);
	for (const struct knob *knob = policy_knobs; knob->name; knob++)
		if (knob->guest == guest)
			style->row(knob->name, unit_name(knob->unit), knob->help);
	style->end();
}

/* All words that have a meaning of their own, one a line. */
static int print_words(void)
{
	for (size_t i = 0; i < FORM_BLOCK; i++) {
		if (!strchr("+-*/<>=!", *forms[i].name))
			puts(forms[i].name);
		if (forms[i].other)
			puts(forms[i].other);
	}
	for (size_t i = 0; i < METHOD_COUNT; i++)
		puts(methods[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "words"))
		return print_words();
	static const struct style markdown = {markdown_title, markdown_row, markdown_end};
	static const struct style man = {man_title, man_row, man_end};
	const struct style *style =
		argc == 2 && !strcmp(argv[1], "man") ? &man : &markdown;
	print_forms(style, "Forms that MOM has", true);
	print_forms(style, "Forms that MOM lacks", false);
	print_methods(style);
	print_fields(style, "Fields of Host", host_fields);
	print_fields(style, "Fields of a guest", guest_fields);
	print_knobs(style, "Knobs of Host", false);
	print_knobs(style, "Knobs of a guest", true);
	return 0;
}
