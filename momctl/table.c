/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/table.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/text.h"

#define GAP      2  /* columns of the screen between two of the table */
#define LAST_MIN 24 /* the last column is worth more than those that can be left out */
#define TEXT_MAX 40 /* the widest that another column gets on a terminal */
#define LEAST    8  /* the last column is cut no further */

struct layout {
	size_t *widths; /* of each column; 0 left out */
	size_t count;
};

void table_init(struct table *table, const struct column *columns, size_t count)
{
	*table = (struct table){.columns = columns, .column_count = count};
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct table){0};
}

void table_add(struct table *table, enum style style, const char *text)
{
	table->cells = mem_grow(table->cells, table->cell_count, &table->cell_capacity,
		sizeof(*table->cells));
	table->cells[table->cell_count++] =
		(struct table_cell){.text = text_clean(text), .style = style};
}

/* The widest of a column's title and cells. */
static size_t natural_width(const struct table *table, size_t column)
{
	size_t widest = text_width(table->columns[column].title);
	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		size_t width = text_width(table->cells[i].text);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static size_t total_width(const struct layout *layout)
{
	size_t sum = 0;
	for (size_t i = 0; i < layout->count; i++)
		sum += layout->widths[i] ? layout->widths[i] + GAP : 0;
	return sum ? sum - GAP : 0;
}

/* The column that is missed least, or −1. */
static int next_to_drop(const struct table *table, const struct layout *layout)
{
	int found = -1;
	for (size_t i = 0; i < layout->count; i++) {
		unsigned drop = table->columns[i].drop;
		if (drop && layout->widths[i] &&
			(found < 0 || drop < table->columns[found].drop))
			found = (int)i;
	}
	return found;
}

static void cut_last(struct layout *layout, size_t excess, size_t least)
{
	size_t *last = &layout->widths[layout->count - 1];
	if (*last > least)
		*last = *last - least > excess ? *last - excess : least;
}

/* Fit into `width`: cut the last to what it needs at least, leave out, cut the rest. */
static void fit(const struct table *table, struct layout *layout, size_t width)
{
	for (size_t i = 0; i + 1 < layout->count; i++)
		if (layout->widths[i] > TEXT_MAX)
			layout->widths[i] = TEXT_MAX;
	size_t wanted = layout->widths[layout->count - 1];
	for (;;) {
		layout->widths[layout->count - 1] = wanted;
		if (total_width(layout) > width)
			cut_last(layout, total_width(layout) - width, LAST_MIN);
		int drop = total_width(layout) > width ? next_to_drop(table, layout) : -1;
		if (drop < 0)
			break;
		layout->widths[drop] = 0;
	}
	if (total_width(layout) > width)
		cut_last(layout, total_width(layout) - width, LEAST);
}

static struct layout lay_out(const struct table *table, size_t width)
{
	struct layout layout = {
		.widths = mem_array(table->column_count, sizeof(*layout.widths)),
		.count = table->column_count,
	};
	for (size_t i = 0; i < layout.count; i++)
		layout.widths[i] = natural_width(table, i);
	if (width && total_width(&layout) > width)
		fit(table, &layout, width);
	return layout;
}

static void print_blanks(const struct output *output, size_t count)
{
	fprintf(output->file, "%*s", (int)count, "");
}

static void print_cell(const struct output *output, const struct table_cell *cell,
	const struct column *column, size_t width)
{
	auto_free char *text = text_cut(cell->text, width);
	size_t blanks = width - text_width(text);
	if (column->right)
		print_blanks(output, blanks);
	output_styled(output, cell->style, text);
	if (!column->right)
		print_blanks(output, blanks);
}

/* The last cell of a row, with nothing behind it. */
static void print_last(const struct table *table, const struct output *output,
	const struct table_cell *cell, size_t margin, size_t width)
{
	const char *text = cell->text;
	print_blanks(output, *text ? GAP : 0);
	while (table->wrap && text_width(text) > width) {
		size_t bytes = text_break(text, width);
		fprintf(output->file, "%.*s\n", (int)bytes, text);
		print_blanks(output, margin);
		text += bytes + strspn(text + bytes, " ");
	}
	auto_free char *rest = text_cut(text, width);
	output_styled(output, cell->style, rest);
	fputc('\n', output->file);
}

/* One row of cells; `cells` NULL prints the titles. */
static void print_row(const struct table *table, const struct layout *layout,
	const struct table_cell *cells, const struct output *output)
{
	size_t margin = 0, last = layout->count - 1;
	for (size_t i = 0; i < layout->count; i++) {
		const struct column *column = &table->columns[i];
		struct table_cell title = {(char *)column->title, STYLE_HEAD};
		const struct table_cell *cell = cells ? &cells[i] : &title;
		size_t width = layout->widths[i];
		if (i == last) {
			print_last(table, output, cell, margin + GAP, width);
		} else if (width) {
			print_blanks(output, margin ? GAP : 0);
			print_cell(output, cell, column, width);
			margin += margin ? width + GAP : width;
		}
	}
}

void table_print(const struct table *table, const struct output *output)
{
	struct layout layout = lay_out(table, output->width);
	print_row(table, &layout, NULL, output);
	for (size_t i = 0; i + table->column_count <= table->cell_count;
		i += table->column_count)
		print_row(table, &layout, &table->cells[i], output);
	free(layout.widths);
}
