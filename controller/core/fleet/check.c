/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "controller/core/fleet/note.h"

static void note(const struct checker *checker, const struct fleet_place *place, bool warning, char *text)
{
	struct diagnostic diagnostic = {.file = checker->fleet->sources[place->source],
		.source = place->source,
		.line = place->line,
		.column = place->column,
		.warning = warning,
		.text = text};

	diagnostics_add(checker->diagnostics, &diagnostic);
}

void check_fail(const struct checker *checker, const struct fleet_place *place, const char *format, ...)
{
	char text[DIAGNOSTIC_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(checker, place, false, text);
}

void check_warn(const struct checker *checker, const struct fleet_place *place, const char *format, ...)
{
	char text[DIAGNOSTIC_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(checker, place, true, text);
}

char *check_place(const struct checker *checker, const struct fleet_place *place, char buffer[PLACE_TEXT_MAX])
{
	(void)snprintf(buffer, PLACE_TEXT_MAX, "%s:%u:%u", checker->fleet->sources[place->source],
		place->line, place->column);
	return buffer;
}

void check_fleet(struct fleet *fleet, struct diagnostics *diagnostics)
{
	struct checker checker = {.fleet = fleet, .diagnostics = diagnostics};

	check_references(&checker);
	check_tunnels(&checker);
	check_addresses(&checker);
	check_endpoints(&checker);
	check_peers(&checker);
}
