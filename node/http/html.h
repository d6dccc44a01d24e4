/*
 * node/http/html.h - text into HTML.
 */
#ifndef NODE_HTML_H
#define NODE_HTML_H

#include "store/base/buf.h"

/* Append what isn't ours so that it is text, between tags and in quoted attributes alike. */
void html_text(struct buf *out, const char *text);

#endif /* NODE_HTML_H */
