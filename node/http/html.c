#include "node/http/html.h"

#include <string.h>

void
html_text(struct buf *out, const char *text)
{
	static const struct {
		char c;
		const char *entity;
	} marks[] = { { '&', "&amp;" },
		      { '<', "&lt;" },
		      { '>', "&gt;" },
		      { '"', "&quot;" },
		      { '\'', "&#39;" } };

	while (*text != 0) {
		size_t plain = strcspn(text, "&<>\"'");

		buf_put(out, text, plain);
		text += plain;
		for (size_t i = 0; *text != 0 && i < sizeof marks / sizeof marks[0]; i++)
			if (*text == marks[i].c) {
				buf_put(out, marks[i].entity, strlen(marks[i].entity));
				text++;
				break;
			}
	}
}
