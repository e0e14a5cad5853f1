/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/report.h"
#include "tests/fuzz/fuzz_target.h"

static void try_report(const char *data, size_t size)
{
	struct report report, back;
	struct err err;
	char *text, *again;

	if (report_decode(data, size, &report, &err))
		return;
	text = report_encode(&report);
	FUZZ_CHECK(!report_decode(text, strlen(text), &back, &err));
	again = report_encode(&back);
	FUZZ_CHECK(!strcmp(text, again));
	report_clear(&report);
	report_clear(&back);
	free(text);
	free(again);
}

static void try_staged(const char *data, size_t size)
{
	struct staged staged, back;
	struct err err;
	char *text;

	if (staged_decode(data, size, &staged, &err))
		return;
	text = staged_encode(&staged);
	FUZZ_CHECK(!staged_decode(text, strlen(text), &back, &err));
	FUZZ_CHECK(!strcmp(staged.error, back.error) && staged.generation == back.generation);
	free(text);
}

/* All that an agent sends: what decodes has one text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_report((const char *)data, size);
	try_staged((const char *)data, size);
	return 0;
}
