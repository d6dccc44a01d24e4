#include "cli/qr.h"

#include <qrencode.h>

enum { QUIET = 4 };

/* The quiet zone is light. */
static bool
is_dark(const QRcode *qr, int x, int y)
{
	return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
	       (qr->data[y * qr->width + x] & 1) != 0;
}

int
cli_qr(struct buf *out, const char *text, struct err *err)
{
	/* light is drawn, dark is left: by whether the upper and the lower module are light */
	static const char *const blocks[2][2] = { { " ", "▄" }, { "▀", "█" } };
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

	if (qr == NULL)
		return err_set(err, ERR_INVALID, "this text can't be a QR code");
	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			buf_printf(out, "%s", blocks[!is_dark(qr, x, y)][!is_dark(qr, x, y + 1)]);
		buf_u8(out, '\n');
	}
	QRcode_free(qr);
	return buf_check(out, err);
}
