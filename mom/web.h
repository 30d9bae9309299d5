/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The page for a browser and what it asks of momd, as doc/http.md describes it: files of
 * the folder web/, which are built into momd, and answers of the control socket's methods
 * that change nothing. The context of the handlers is a struct daemon.
 */

struct http_request;

/* web/page.html and its like; each ends with a NUL. */
extern const char web_page_html[], web_mom_css[], web_mom_js[], web_mom_svg[];

void web_answer_page(void *context, struct http_request *request);
void web_answer_style(void *context, struct http_request *request);
void web_answer_script(void *context, struct http_request *request);
void web_answer_icon(void *context, struct http_request *request);

/* What a method answers as JSON, its parameters taken from the query. */
void web_answer_status(void *context, struct http_request *request);
void web_answer_explain(void *context, struct http_request *request);
void web_answer_events(void *context, struct http_request *request);
void web_answer_history(void *context, struct http_request *request);
