/*
 * node/hub/openapi.h - GET /openapi.json: what is served, in OpenAPI 3.1; and GET
 * /snippets: programs that take it, to be copied.
 *
 * The document is written by hand (node/web/openapi.json); a test compares it
 * with the table of routes in both directions, another one what is answered.  Each
 * snippet of the page (node/web/snippets.html) is run by a test as the page shows it.
 */
#ifndef NODE_OPENAPI_H
#define NODE_OPENAPI_H

/* The document; lives for ever. */
const char *openapi_text(void);

/* The page of snippets, HTML; lives for ever. */
const char *openapi_snippets(void);

#endif /* NODE_OPENAPI_H */
