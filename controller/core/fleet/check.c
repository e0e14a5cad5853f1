/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/note.h"

static void note(
	const struct checker *checker, const struct fleet_place *place, enum diagnostic_kind kind, char *text)
{
	struct diagnostic diagnostic = {.kind = kind,
		.file = checker->fleet->sources[place->source],
		.source = place->source,
		.line = place->line,
		.column = place->column,
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
	note(checker, place, DIAGNOSTIC_ERROR, text);
}

void check_refuse(const struct checker *checker, const struct fleet_place *place, const char *format, ...)
{
	char text[DIAGNOSTIC_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(checker, place, checker->stored ? WARNING_STORED : DIAGNOSTIC_ERROR, text);
}

void check_warn(const struct checker *checker, enum diagnostic_kind kind, const struct fleet_place *place,
	const char *format, ...)
{
	char text[DIAGNOSTIC_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(checker, place, kind, text);
}

char *check_place(const struct checker *checker, const struct fleet_place *place, char buffer[PLACE_TEXT_MAX])
{
	(void)snprintf(buffer, PLACE_TEXT_MAX, "%s:%u:%u", checker->fleet->sources[place->source],
		place->line, place->column);
	return buffer;
}

/* "wan, lan". The caller frees. */
static char *list_roles(const struct fleet_gateway *gateway)
{
	struct text text = {0};

	for (size_t i = 0; i < gateway->interface_count; i++)
		text_add(&text, "%s%s", i ? ", " : "", gateway->interfaces[i].role);
	if (!gateway->interface_count)
		text_add(&text, "none");
	return text_take(&text);
}

void check_role(
	const struct checker *checker, const char *whose, size_t gateway, const struct fleet_reference *role)
{
	const struct fleet_gateway *here;
	char *roles CLEANUP_FREE = NULL;

	if (gateway == SIZE_MAX)
		return;
	here = &checker->fleet->gateways[gateway];
	if (fleet_gateway_interface(here, role->name))
		return;
	roles = list_roles(here);
	check_fail(checker, &role->place, "%s needs interface \"%s\" on gateway %s, which has: %s", whose,
		role->name, here->name, roles);
}

void check_fleet(struct fleet *fleet, bool stored, struct diagnostics *diagnostics)
{
	struct checker checker = {.fleet = fleet, .stored = stored, .diagnostics = diagnostics};

	check_references(&checker);
	check_tunnels(&checker);
	check_addresses(&checker);
	check_endpoints(&checker);
	check_forwards(&checker);
	check_peers(&checker);
	check_probes(&checker);
	check_default_routes(&checker);
	check_overlaps(&checker);
	check_networks(&checker);
}
