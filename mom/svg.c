/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/svg.h"

#include <math.h>

#define TITLE_Y   18
#define FIRST_TOP 30
#define MARGIN    30

static const char style[] =
	"<style>text{font:11px sans-serif}polyline{fill:none;stroke-width:1.2}"
	".frame{fill:none;stroke:#bbb}.used,.actual{stroke:#1f5fa8}"
	".now{stroke:#c02020;stroke-dasharray:4 2}"
	".cache,.limit{stroke:#bbb}.need{stroke:#2a8a2a}.rss{stroke:#c9a227}"
	".swapped{stroke:#c02020}.roomy{fill:#cfe8cf}.snug{fill:#f2e6b0}"
	".tight{fill:#f0b070}.critical{fill:#d05050}.exhausted{fill:#702020}"
	"</style>\n";

/* What XML can't hold is shown as a question mark. */
static void put_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
	for (; *text; text++) {
		if (*text == '<' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
	}
	fprintf(out, "</text>\n");
}

void svg_begin(struct svg *svg, double height, const char *title)
{
	fprintf(svg->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\">\n%s"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		SVG_LEFT + SVG_WIDTH + MARGIN, height, style);
	put_text(svg->out, SVG_LEFT, TITLE_Y, "start", title);
	svg->top = FIRST_TOP;
}

void svg_end(struct svg *svg)
{
	fprintf(svg->out, "</svg>\n");
}

void svg_panel(struct svg *svg, double height, double most, const char *most_text,
	const char *name)
{
	svg->height = height;
	svg->most = most > 0 ? most : 1;
	fprintf(svg->out,
		"<rect class=\"frame\" x=\"%d\" y=\"%.0f\" width=\"%d\" "
		"height=\"%.0f\"/>\n",
		SVG_LEFT, svg->top, SVG_WIDTH, height);
	put_text(svg->out, SVG_LEFT - 6, svg->top + 12, "end", most_text);
	put_text(svg->out, SVG_LEFT - 6, svg->top + height / 2 + 6, "end", name);
	put_text(svg->out, SVG_LEFT - 6, svg->top + height, "end", "0");
}

void svg_next(struct svg *svg, double gap)
{
	svg->top += svg->height + gap;
}

static double x_of(const struct svg *svg, double at)
{
	double length = svg->to - svg->from;
	return SVG_LEFT + SVG_WIDTH * (at - svg->from) / (length > 0 ? length : 1);
}

void svg_line(struct svg *svg, const char *class, size_t count, svg_point_fn point,
	const void *context)
{
	bool open = false;
	for (size_t i = 0; i < count; i++) {
		double at, value;
		bool known = point(context, i, &at, &value);
		if (known && !open)
			fprintf(svg->out, "<polyline class=\"%s\" points=\"", class);
		if (known)
			fprintf(svg->out, "%.1f,%.1f ", x_of(svg, at),
				svg->top +
					svg->height * (1 - fmin(value / svg->most, 1)));
		if (!known && open)
			fprintf(svg->out, "\"/>\n");
		open = known;
	}
	if (open)
		fprintf(svg->out, "\"/>\n");
}

void svg_state(struct svg *svg, double from, double to, const char *state)
{
	double x = x_of(svg, from);
	fprintf(svg->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.0f\" width=\"%.2f\" "
		"height=\"6\"/>\n",
		state, x, svg->top + svg->height + 2, x_of(svg, to) - x + 0.2);
}

void svg_time(struct svg *svg, double part, double y, const char *text)
{
	put_text(svg->out, SVG_LEFT + SVG_WIDTH * part, y, "middle", text);
}
