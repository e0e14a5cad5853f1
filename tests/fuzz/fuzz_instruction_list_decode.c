/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/instruction.h"
#include "tests/fuzz/fuzz_target.h"

/* What decodes has one text: encoded, decoded and encoded again it is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct instruction_list list, back;
	struct err err;
	char *text, *again;

	if (instruction_list_decode((const char *)data, size, &list, &err))
		return 0;
	text = instruction_list_encode(&list);
	FUZZ_CHECK(!instruction_list_decode(text, strlen(text), &back, &err));
	again = instruction_list_encode(&back);
	FUZZ_CHECK(!strcmp(text, again));
	instruction_list_clear(&list);
	instruction_list_clear(&back);
	free(text);
	free(again);
	return 0;
}
