/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "controller/core/fleet/compile.h"
#include "controller/core/fleet/read.h"
#include "tests/fuzz/fuzz_target.h"

/* What a fleet compiles to must be taken by the agent it is sent to. */
static void check_compiled(const struct fleet *fleet)
{
	struct fleet_issue issue = {.generation = 1, .store = 42, .controller = "ctl"};

	for (size_t i = 0; i < fleet->gateway_count; i++) {
		struct desired *desired = fleet_compile(fleet, i, &issue), *back;
		char *text = desired_encode(desired);
		struct err err;

		FUZZ_CHECK(!desired_decode(text, strlen(text), &back, &err));
		desired_free(desired);
		desired_free(back);
		free(text);
	}
}

static void check_told(const struct diagnostics *diagnostics)
{
	char line[DIAGNOSTIC_TEXT_MAX];

	for (size_t i = 0; i < diagnostics->count; i++) {
		diagnostic_format(&diagnostics->items[i], line, sizeof(line));
		FUZZ_CHECK(diagnostics->items[i].text[0]);
		FUZZ_CHECK(!strchr(line, '\n'));
	}
}

/* The fleet file, and after a line "%%" a file that it includes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char gap[] = "\n%%\n";
	const uint8_t *cut = size ? memmem(data, size, gap, strlen(gap)) : NULL;
	struct fleet_source sources[2] = {{.name = "fleet.yaml",
		.text = (const char *)data,
		.size = cut ? (size_t)(cut - data) : size}};
	struct diagnostics diagnostics = {0};
	struct fleet *fleet = NULL;
	size_t count = 1;
	int r;

	if (cut)
		sources[count++] = (struct fleet_source){.name = "peers.yaml",
			.text = (const char *)cut + strlen(gap),
			.size = size - (size_t)(cut - data) - strlen(gap)};
	r = fleet_read(sources, count, &fleet, &diagnostics);
	FUZZ_CHECK((r == 0) == (fleet != NULL) && (r == 0) == (diagnostics.errors == 0));
	if (fleet)
		check_compiled(fleet);
	check_told(&diagnostics);
	diagnostics_clear(&diagnostics);
	fleet_free(fleet);
	return 0;
}
