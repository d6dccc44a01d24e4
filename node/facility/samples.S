/* node/facility/samples.S - rosters of made-up people for the demo, each with a zero behind it. */
	.section .rodata

	.macro	sample name, file
	.global	\name
	.type	\name, %object
	.balign	8
\name:
	.incbin	"\file"
	.byte	0
	.size	\name, . - \name
	.endm

	sample	samples_centre_1, "packaging/rosters/centre-1.csv"
	sample	samples_centre_2, "packaging/rosters/centre-2.csv"
	sample	samples_station_1, "packaging/rosters/station-1.csv"

	.section .note.GNU-stack, "", %progbits
