/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "controller/core/fleet/read.h"
#include "controller/io/fleet/bundle.h"
#include "tests/fuzz/fuzz_target.h"

/* What PUT /v1/fleet brings: files as JSON, which are then read as a fleet. What was taken goes on as it came. */

static void check_again(const struct bundle *bundle)
{
	struct bundle again = {0};
	char *text = bundle_encode(bundle), *second;

	FUZZ_CHECK(!bundle_decode(text, strlen(text), &again, NULL));
	second = bundle_encode(&again);
	FUZZ_CHECK(!strcmp(text, second));
	free(text);
	free(second);
	bundle_clear(&again);
}

static void check_read(const struct bundle *bundle)
{
	struct fleet_source *sources = calloc(bundle->count, sizeof(*sources));
	struct diagnostics diagnostics = {0};
	struct fleet *fleet = NULL;
	int r;

	FUZZ_CHECK(sources);
	for (size_t i = 0; i < bundle->count; i++)
		sources[i] = (struct fleet_source){
			bundle->files[i].name, bundle->files[i].text, bundle->files[i].size};
	r = fleet_read(sources, bundle->count, &fleet, &diagnostics);
	FUZZ_CHECK((r == 0) == (fleet != NULL) && (r == 0) == (diagnostics.errors == 0));
	diagnostics_clear(&diagnostics);
	fleet_free(fleet);
	free(sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle bundle = {0};
	struct err err = {0};

	if (bundle_decode((const char *)data, size, &bundle, &err)) {
		FUZZ_CHECK(err.text[0]);
		return 0;
	}
	FUZZ_CHECK(bundle.count && bundle.count <= BUNDLE_FILES_MAX && bundle.bytes <= BUNDLE_BYTES_MAX);
	check_again(&bundle);
	check_read(&bundle);
	bundle_clear(&bundle);
	return 0;
}
