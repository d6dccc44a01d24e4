/*
 * cli/qr.h - a text as a QR code for the terminal; the one home of libqrencode.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include "store/base/buf.h"

/*
 * Append it in half-block characters, two rows of modules a line, light on dark turned round so
 * that it reads on either kind of terminal, with the quiet zone that readers want.  ERR_INVALID if
 * the text is too long for one.
 */
MUST_CHECK int cli_qr(struct buf *out, const char *text, struct err *err);

#endif /* CLI_QR_H */
