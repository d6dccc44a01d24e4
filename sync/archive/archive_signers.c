/*
 * sync/archive/archive_signers.c - DIR/allowed_signers, which tells ssh-keygen whose
 * signatures to accept.  An administrator may add lines of their own.
 */
#include "store/base/file.h"
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"
#include "sync/archive/sshsig.h"

#include <string.h>

enum { SIGNERS_MAX = 1 << 20 };

int
sync_archive_allow(const char *path, const struct sync_site *site,
                   const uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	struct buf text = { 0 }, public_key = { 0 };
	char node[2 * STORE_NODE_ID + 1];
	int rc;

	sync_sshsig_public(&public_key, key);
	rc = file_read(path, SIGNERS_MAX, &text, err);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc < 0 || strstr(buf_str(&text), buf_str(&public_key)) != NULL)
		goto out;
	if (text.len > 0 && text.bytes[text.len - 1] != '\n')
		buf_u8(&text, '\n');
	text_hex(node, site->node, STORE_NODE_ID);
	buf_printf(&text, "%s@yizhan namespaces=\"git\" %s\n", node, buf_str(&public_key));
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = file_replace(path, text.bytes, text.len, err);
out:
	buf_free(&text);
	buf_free(&public_key);
	return rc;
}
