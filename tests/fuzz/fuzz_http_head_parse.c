/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/io/http_head.h"
#include "tests/fuzz/fuzz_target.h"

/* What a stranger sends before anything is known of it: no crash, and what is accepted stays within the written limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = http_head_length((const char *)data, size);
	struct http_head head;
	struct err err;
	int status = 0;

	FUZZ_CHECK(length <= size);
	if (!length)
		return 0;
	if (http_head_parse((const char *)data, length, &head, &status, &err) < 0) {
		FUZZ_CHECK(status >= 400 && status < 600);
		return 0;
	}
	FUZZ_CHECK(head.header_count <= HTTP_HEADERS_MAX && length <= HTTP_HEAD_MAX);
	FUZZ_CHECK(head.path[0] == '/' || !strcmp(head.path, "*"));
	FUZZ_CHECK(!head.chunked || !head.content_length);
	http_head_clear(&head);
	return 0;
}
