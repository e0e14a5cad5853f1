/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "cli/status_agent.h"
#include "common/base/mem.h"

enum { FINDINGS_SHOWN_MAX = 8 }; /* of each kind; the rest is counted: it is one line */

struct finding {
	struct text text;
	size_t count;
};

struct findings {
	struct finding critical, warning;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

const char *status_level_name(enum status_level level)
{
	static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

	return names[level];
}

/* '|' begins the figures, and a line's end would end the answer. */
static void add_plain(struct text *line, const char *text)
{
	for (; *text; text++) {
		char plain = *text == '|' ? '/' : (unsigned char)*text < ' ' ? ' ' : *text;

		text_add_bytes(line, &plain, 1);
	}
}

static void find(struct finding *finding, const char *subject, const char *text, const char *more)
{
	if (++finding->count > FINDINGS_SHOWN_MAX)
		return;
	if (finding->count > 1)
		text_add(&finding->text, "; ");
	add_plain(&finding->text, subject);
	add_plain(&finding->text, text);
	add_plain(&finding->text, more);
}

static const json_t *gateway_of(const json_t *status, const char *name)
{
	size_t i;
	json_t *gateway;

	json_array_foreach(json_object_get(status, "gateways"), i,
		gateway) if (!strcmp(text_of(gateway, "name"), name)) return gateway;
	return NULL;
}

static void look_at_endpoint(const json_t *status, const json_t *endpoint, struct findings *findings)
{
	const char *owner = text_of(endpoint, "owner"), *why = text_of(endpoint, "why");
	const char *verdict = text_of(gateway_of(status, owner), "verdict");
	CLEANUP_FREE char *more = NULL;
	struct text built = {0};

	if (!*owner) {
		text_add(&built, "%s%s", *why ? ": " : "", why);
		more = text_take(&built);
		find(&findings->critical, text_of(endpoint, "name"), " has no owner", more);
	} else if (!strcmp(verdict, "dead") || !strcmp(verdict, "agent-down")) {
		text_add(&built, "%s is %s", owner, verdict);
		more = text_take(&built);
		find(&findings->critical, text_of(endpoint, "name"), ": its owner ", more);
	}
}

/* The controller warns of an endpoint without an owner, too: that has been said. */
static bool is_said(const json_t *status, const char *warning)
{
	size_t i;
	json_t *endpoint;

	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		const char *name = text_of(endpoint, "name");

		if (!*text_of(endpoint, "owner") && !strncmp(warning, name, strlen(name)) &&
			!strncmp(warning + strlen(name), " has no owner", strlen(" has no owner")))
			return true;
	}
	return false;
}

static void look_at_warnings(const json_t *status, const char *list, struct findings *findings)
{
	size_t i;
	json_t *warning;

	json_array_foreach(json_object_get(status, list), i, warning)
	{
		const char *text = json_string_value(warning);

		if (text && !is_said(status, text))
			find(&findings->warning, "", text, "");
	}
}

static void look_at_controllers(const json_t *status, struct findings *findings, struct text *figures)
{
	size_t i, endpoints = 0, unowned = 0, gateways = 0, alive = 0;
	json_int_t sessions = 0;
	json_t *item;

	json_array_foreach(json_object_get(status, "endpoints"), i, item)
	{
		look_at_endpoint(status, item, findings);
		endpoints++;
		unowned += !*text_of(item, "owner");
		sessions += json_integer_value(json_object_get(item, "sessions"));
	}
	json_array_foreach(json_object_get(status, "gateways"), i, item)
	{
		gateways++;
		alive += !strcmp(text_of(item, "verdict"), "alive");
	}
	look_at_warnings(status, "warnings", findings);
	text_add(figures, "endpoints=%zu unowned=%zu gateways=%zu alive=%zu sessions=%" JSON_INTEGER_FORMAT,
		endpoints, unowned, gateways, alive, sessions);
}

static void look_at_agents(const json_t *status, struct findings *findings, struct text *figures)
{
	size_t i, endpoints = 0;
	json_t *endpoint;

	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		endpoints++;
		if (!strcmp(text_of(endpoint, "role"), "fenced"))
			find(&findings->critical, text_of(endpoint, "name"),
				": fenced here: ", text_of(endpoint, "why"));
	}
	if (!json_is_true(json_object_get(status, "connected")))
		find(&findings->warning, "", "no controller answers this gateway", "");
	look_at_warnings(status, "reasons", findings);
	look_at_warnings(status, "warnings", findings);
	text_add(figures, "endpoints=%zu sessions=%" JSON_INTEGER_FORMAT, endpoints,
		json_integer_value(json_object_get(status, "sessions")));
}

static void add_findings(struct text *line, const struct finding *finding, const char *before)
{
	if (!finding->count)
		return;
	text_add(line, "%s%s", before, finding->text.data);
	if (finding->count > FINDINGS_SHOWN_MAX)
		text_add(line, "; and %zu more", finding->count - FINDINGS_SHOWN_MAX);
}

static void add_line(struct text *line, enum status_level level, const json_t *status,
	const struct findings *findings, const char *figures)
{
	text_add(line, "%s: ", status_level_name(level));
	if (level == STATUS_OK)
		text_add(line, "fleet %s, generation %" JSON_INTEGER_FORMAT, text_of(status, "fleet"),
			json_integer_value(json_object_get(status, "generation")));
	add_findings(line, &findings->critical, "");
	add_findings(line, &findings->warning, findings->critical.count ? "; " : "");
	text_add(line, " | %s", figures);
}

enum status_level status_check(const json_t *status, struct text *line)
{
	struct findings findings = {0};
	struct text figures = {0};
	enum status_level level;

	if (!*text_of(status, "fleet")) {
		status_check_unknown("there is no fleet yet: 'holdfast apply FILE' makes one", line);
		return STATUS_UNKNOWN;
	}
	if (status_is_agents(status))
		look_at_agents(status, &findings, &figures);
	else
		look_at_controllers(status, &findings, &figures);
	level = findings.critical.count  ? STATUS_CRITICAL
		: findings.warning.count ? STATUS_WARNING
					 : STATUS_OK;
	add_line(line, level, status, &findings, figures.data);
	text_clear(&findings.critical.text);
	text_clear(&findings.warning.text);
	text_clear(&figures);
	return level;
}

void status_check_unknown(const char *why, struct text *line)
{
	text_add(line, "%s: ", status_level_name(STATUS_UNKNOWN));
	add_plain(line, why);
}
