/* node/web/assets.S - the documents that travel inside the program, each with a zero behind it. */
	.section .rodata

	.macro	asset name, file
	.global	\name
	.type	\name, %object
	.balign	8
\name:
	.incbin	"\file"
	.byte	0
	.size	\name, . - \name
	.endm

	asset	web_asset_openapi, "node/web/openapi.json"
	asset	web_asset_snippets, "node/web/snippets.html"
	asset	web_asset_fleet_css, "node/web/fleet.css"
