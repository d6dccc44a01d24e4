/* node/web/assets.S - the documents that travel inside the program, each with a zero behind it. */
	.section .rodata
	.global	web_asset_openapi
	.type	web_asset_openapi, %object
	.balign	8
web_asset_openapi:
	.incbin	"node/web/openapi.json"
	.byte	0
	.size	web_asset_openapi, . - web_asset_openapi
