/* node/facility/assets.S - the files that travel inside the program, each with a zero behind it. */
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

	asset	facility_asset_schema, "node/facility/schema.sql"
	asset	facility_asset_views, "node/facility/views.sql"
	asset	facility_asset_views_rows, "node/facility/views_rows.sql"
	asset	facility_asset_views_district, "node/facility/views_district.sql"
	asset	facility_asset_codes, "node/facility/seeds/codes.sql"
	asset	facility_asset_norms, "node/facility/seeds/norms.sql"
	asset	facility_asset_vaccines, "node/facility/seeds/vaccines.sql"
	asset	facility_asset_growth, "node/facility/seeds/growth.sql"
	asset	facility_asset_css, "node/facility/app.css"
