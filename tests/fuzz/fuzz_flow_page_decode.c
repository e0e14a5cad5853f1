/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "proto/flow.h"
#include "tests/fuzz/fuzz_target.h"

/* What decodes is canonical: it encodes to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_page page;
	uint8_t *again;
	size_t again_size;

	if (flow_page_decode(data, size, &page))
		return 0;
	again = flow_page_encode(&page, &again_size);
	FUZZ_CHECK(again_size == size && !memcmp(again, data, size));
	free(again);
	flow_page_clear(&page);
	return 0;
}
