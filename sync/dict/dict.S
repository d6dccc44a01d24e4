/* sync/dict/dict.S - the dictionaries of sync/pack that travel inside the program. */
	.section .rodata

	.global	sync_dict_1
	.global	sync_dict_1_len
	.type	sync_dict_1, %object
	.balign	8
sync_dict_1:
	.incbin	"sync/dict/1.zdict"
1:
	.size	sync_dict_1, . - sync_dict_1

	.type	sync_dict_1_len, %object
	.balign	8
sync_dict_1_len:
	.8byte	1b - sync_dict_1
	.size	sync_dict_1_len, 8
