#include "node/hub/openapi.h"

/* node/web/assets.S */
extern const char web_asset_openapi[];
extern const char web_asset_snippets[];

const char *
openapi_text(void)
{
	return web_asset_openapi;
}

const char *
openapi_snippets(void)
{
	return web_asset_snippets;
}
