/* sync/dict/dict.S - the dictionaries of sync/pack that travel inside the program. */
	.section .rodata

	.global	sync_dict_1
	.global	sync_dict_1_end
	.type	sync_dict_1, %object
	.balign	8
sync_dict_1:
	.incbin	"sync/dict/1.zdict"
sync_dict_1_end:
	.size	sync_dict_1, . - sync_dict_1
