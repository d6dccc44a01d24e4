/* tests/sync_sshsig.c - the same bytes as ssh-keygen, and nothing else verifies. */
#include "tests/suites.h"

#include "sync/archive/sshsig.h"

#include <check.h>
#include <string.h>

/* `ssh-keygen -Y sign -n git` (OpenSSH 9.2) by the key of seed 00 01 02 ... 1f. */
static const char message[] = "one round\n";
static const char golden[] =
        "-----BEGIN SSH SIGNATURE-----\n"
        "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgA6EHv/POEL4dcN0Y50vAmWfk1j\n"
        "CbpQ1fHdyGZBJVMbgAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5\n"
        "AAAAQHDWzoDqRFUoTEus5ENux2aLD6sKTrEXybjbgBtXSHE8fSu84wr/7HBBiuLg48vIOU\n"
        "eo5Ju333Z6xj6nnWdJvAk=\n"
        "-----END SSH SIGNATURE-----\n";
static const char golden_public[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

static struct sync_key
test_key(void)
{
	uint8_t seed[SYNC_SEED_KEY];
	struct sync_key key;

	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)i;
	sync_key_from_seed(&key, seed);
	return key;
}

START_TEST(same_bytes_as_ssh_keygen)
{
	struct sync_key key = test_key();
	uint8_t signature[STORE_SIGNATURE];
	struct buf out = { 0 };

	sync_sshsig_sign(&key, message, strlen(message), signature);
	sync_sshsig_armor(&out, key.public_key, signature);
	ck_assert_str_eq(buf_str(&out), golden);
	buf_clear(&out);
	sync_sshsig_public(&out, key.public_key);
	ck_assert_str_eq(buf_str(&out), golden_public);
	buf_free(&out);
}
END_TEST

START_TEST(only_the_signed_message_verifies)
{
	struct sync_key key = test_key();
	uint8_t signature[STORE_SIGNATURE];
	char other[sizeof message];

	sync_sshsig_sign(&key, message, strlen(message), signature);
	ck_assert(sync_sshsig_verify(key.public_key, message, strlen(message), signature));
	for (size_t i = 0; i < strlen(message); i++) {
		memcpy(other, message, sizeof other);
		other[i] ^= 1;
		ck_assert(!sync_sshsig_verify(key.public_key, other, strlen(message), signature));
	}
	ck_assert(!sync_sshsig_verify(key.public_key, message, strlen(message) - 1, signature));
	signature[0] ^= 1;
	ck_assert(!sync_sshsig_verify(key.public_key, message, strlen(message), signature));
}
END_TEST

/* A signature of the bare message is a signature for another purpose. */
START_TEST(a_bare_signature_is_refused)
{
	struct sync_key key = test_key();
	uint8_t signature[STORE_SIGNATURE];

	sync_sign(&key, message, strlen(message), signature);
	ck_assert(!sync_sshsig_verify(key.public_key, message, strlen(message), signature));
}
END_TEST

Suite *
suite_sync_sshsig(void)
{
	Suite *suite = suite_create("sync/sshsig");
	TCase *tcase = tcase_create("sshsig");

	tcase_add_test(tcase, same_bytes_as_ssh_keygen);
	tcase_add_test(tcase, only_the_signed_message_verifies);
	tcase_add_test(tcase, a_bare_signature_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
