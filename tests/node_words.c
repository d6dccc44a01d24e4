/* tests/node_words.c - the eight words. */
#include "tests/suites.h"

#include "node/words.h"
#include "store/base/hash.h"

#include <check.h>
#include <string.h>

START_TEST(no_word_stands_twice_in_the_list)
{
	for (int language = WORDS_ZH; language <= WORDS_EN; language++)
		for (int i = 0; i < WORDS_LIST; i++)
			for (int k = 0; k < i; k++)
				ck_assert_str_ne(
				        words_word((uint8_t)i, (enum words_language)language),
				        words_word((uint8_t)k, (enum words_language)language));
}
END_TEST

/* The list is part of the protocol: a moved line must fail here. */
START_TEST(the_list_is_the_one_that_was_released)
{
	static const uint8_t released[HASH_16] = { 0xfc, 0xaf, 0xe3, 0x9e, 0x6b, 0xca, 0xab, 0xc6,
		                                   0x04, 0x04, 0xe7, 0xba, 0xe1, 0xb5, 0xaa, 0x1f };
	uint8_t hash[HASH_16];
	struct hash h;

	hash_start(&h, sizeof hash);
	for (int i = 0; i < WORDS_LIST; i++) {
		hash_add(&h, words_word((uint8_t)i, WORDS_ZH),
		         strlen(words_word((uint8_t)i, WORDS_ZH)) + 1);
		hash_add(&h, words_word((uint8_t)i, WORDS_EN),
		         strlen(words_word((uint8_t)i, WORDS_EN)) + 1);
	}
	hash_end(&h, hash);
	ck_assert_mem_eq(hash, released, sizeof hash);
}
END_TEST

START_TEST(a34_each_of_hub_node_and_code_changes_the_words)
{
	static const uint8_t secret[CODE_SECRET] = { 1, 2, 3 }, other[CODE_SECRET] = { 1, 2, 4 };
	uint8_t hub[CODE_KEY] = "hub", node[CODE_KEY] = "node", foe[CODE_KEY] = "foe";
	uint8_t words[WORDS], changed[WORDS];
	struct code code, wrong;

	code_make(&code, secret, hub);
	code_make(&wrong, other, hub);
	words_of(words, hub, node, &code);
	words_of(changed, foe, node, &code);
	ck_assert_mem_ne(words, changed, WORDS);
	words_of(changed, hub, foe, &code);
	ck_assert_mem_ne(words, changed, WORDS);
	words_of(changed, node, hub, &code);
	ck_assert_mem_ne(words, changed, WORDS);
	words_of(changed, hub, node, &wrong);
	ck_assert_mem_ne(words, changed, WORDS);
	words_of(changed, hub, node, &code);
	ck_assert_mem_eq(words, changed, WORDS);
}
END_TEST

START_TEST(they_are_written_with_spaces_between)
{
	static const uint8_t words[WORDS] = { 0, 1, 2, 0, 0, 0, 0, 255 };
	struct buf out = { 0 };

	words_write(&out, words, WORDS_EN);
	ck_assert_str_eq(buf_str(&out), "apple banana melon apple apple apple apple relay");
	buf_clear(&out);
	words_write(&out, words, WORDS_ZH);
	ck_assert_str_eq(buf_str(&out), "苹果 香蕉 西瓜 苹果 苹果 苹果 苹果 驿站");
	buf_free(&out);
}
END_TEST

Suite *
suite_node_words(void)
{
	Suite *s = suite_create("node/words");
	TCase *t = tcase_create("words");

	hash_init();
	tcase_add_test(t, no_word_stands_twice_in_the_list);
	tcase_add_test(t, the_list_is_the_one_that_was_released);
	tcase_add_test(t, a34_each_of_hub_node_and_code_changes_the_words);
	tcase_add_test(t, they_are_written_with_spaces_between);
	suite_add_tcase(s, t);
	return s;
}
