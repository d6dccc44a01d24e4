/*
 * node/hub/openapi.h - GET /openapi.json: what is served, in OpenAPI 3.1.
 *
 * The document is written by hand (node/web/openapi.json); a test compares it
 * with the table of routes in both directions, another one what is answered.
 */
#ifndef NODE_OPENAPI_H
#define NODE_OPENAPI_H

/* The document; lives for ever. */
const char *openapi_text(void);

#endif /* NODE_OPENAPI_H */
