/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/write.h"

#define OPTIONS(...)                               \
	.options = (const struct command_option[]) \
	{                                          \
		__VA_ARGS__,                       \
		{                                  \
			0                          \
		}                                  \
	}
#define JSON_OPTION                                          \
	{                                                    \
		'j', "json", NULL, "print JSON", NULL, false \
	}
#define QUICK_OPTIONS                                                                              \
	OPTIONS({'n', "dry-run", NULL, "print what would be done, and do nothing", NULL, false},   \
		{'r', "run", "DIR", "where journals are; default: /run/holdfast", "@file", false}, \
		JSON_OPTION)

const struct command_option command_global_options[] = {
	{'c', "controller", "URL", "whom to ask: https://HOST:7443, or unix:PATH", "@nothing", false},
	{'f', "config", "FILE", "a client.yaml other than the usual ones", "@file", false},
	{'h', "help", NULL, "this text; behind a command: its options", NULL, true},
	{'v', "version", NULL, "the version", NULL, false},
	{0},
};

const struct command commands[] = {
	{"init", "[--dir DIR] [--json]", "make an authority that signs certificates", command_init,
		OPTIONS({'d', "dir", "DIR", "where ca.pem and ca.key go; default: /etc/holdfast", "@file",
				false},
			JSON_OPTION)},
	{"cert", "gateway|controller|operator NAME [--dir DIR] [--out DIR] [--days N] [--fresh] [--json]",
		"make a certificate and its key", command_cert,
		OPTIONS({'d', "dir", "DIR", "where ca.pem and ca.key are; default: /etc/holdfast", "@file",
				false},
			{'o', "out", "DIR", "where NAME.pem and NAME.key go; default: the same", "@file",
				false},
			{'n', "days", "N", "how long it is valid; default: 825", NULL, false},
			{'f', "fresh", NULL, "dated now, not an hour back: for a name that was revoked", NULL,
				false},
			JSON_OPTION),
		.operands = "gateway|controller|operator @gateway"},
	{"invite", "GATEWAY [--address https://HOST:PORT] [--valid DURATION] [--json]",
		"print a token that lets a new gateway in, once", command_invite,
		OPTIONS({'a', "address", "URL",
				"where the gateway reaches the controller; default: where it was "
				"reached, or listens",
				NULL, false},
			{'v', "valid", "DURATION", "how long it may take; default: 1h, at most 24h", NULL,
				false},
			JSON_OPTION),
		.operands = "@gateway"},
	{"join", "TOKEN|- [--directory DIR] [--force] [--json]",
		"make this host the gateway that a token names", command_join,
		OPTIONS({'d', "directory", "DIR",
				"where agent.yaml and the certificate go; default: /etc/holdfast", "@file",
				false},
			{'f', "force", NULL, "replace what is there", NULL, false}, JSON_OPTION),
		.operands = "@nothing"},
	{"revoke", "gateway|operator NAME [--json]", "let certificates of that name count no more",
		command_revoke, OPTIONS(JSON_OPTION), .operands = "gateway|operator @gateway"},
	{"up", "[--dry-run] [--run DIR] [--json] INTERFACE|FILE.conf", "bring a tunnel up, as wg-quick does",
		command_up, QUICK_OPTIONS, .operands = "@interface"},
	{"down", "[--dry-run] [--run DIR] [--json] INTERFACE|FILE.conf", "take it down again", command_down,
		QUICK_OPTIONS, .operands = "@interface"},
	{"save", "[--dry-run] [--run DIR] [--json] INTERFACE|FILE.conf",
		"write what the tunnel has become into its file", command_save, QUICK_OPTIONS,
		.operands = "@interface"},
	{"strip", "[--json] INTERFACE|FILE.conf", "what of its file is wg's", command_strip,
		OPTIONS(JSON_OPTION), .operands = "@interface"},
	{"adopt", "[--dry-run] [--run DIR] [--json] INTERFACE|FILE.conf",
		"take over a tunnel that wg-quick brought up", command_adopt, QUICK_OPTIONS,
		.operands = "@interface"},
	{"release", "[--dry-run] [--run DIR] [--json] INTERFACE|FILE.conf", "hand a tunnel back to wg-quick",
		command_release, QUICK_OPTIONS, .operands = "@interface"},
	{"validate", "FILE [--json]", "check a fleet file, naming every error", command_validate,
		OPTIONS(JSON_OPTION), .operands = "@file"},
	{"plan", "FILE [--against OLD] [--all] [--exit-code] [--json]",
		"what apply would change, and whose sessions that costs", command_plan,
		OPTIONS({'a', "against", "OLD",
				"another fleet file instead of what is in force: needs no controller",
				"@file", false},
			{'l', "all", NULL, "every line, however many", NULL, false},
			{'x', "exit-code", NULL, "exit 3 if there are changes", NULL, false}, JSON_OPTION),
		.operands = "@file"},
	{"apply", "FILE [--yes] [--all] [--expect GENERATION] [--confirm DURATION] [--json]",
		"make the gateways what a fleet file says, saying first what that changes", command_apply,
		OPTIONS({'y', "yes", NULL, "do not ask on a terminal", NULL, false},
			{'l', "all", NULL, "every line of the plan, however many", NULL, false},
			{'e', "expect", "GENERATION", "only if that one is in force, as plan said", NULL,
				false},
			{'c', "confirm", "DURATION", "roll it back unless 'holdfast confirm' comes in time",
				NULL, false},
			JSON_OPTION),
		.operands = "@file"},
	{"confirm", "[--json]", "keep what was applied with --confirm", command_confirm,
		OPTIONS(JSON_OPTION)},
	{"history", "[GENERATION [--out DIR]] [--audit] [--json]",
		"the generations: when, who, and how much changed; of one, its fleet files", command_history,
		OPTIONS({'a', "audit", NULL, "instead, who asked for what, and what became of it", NULL,
				false},
			{'o', "out", "DIR", "write the files of that generation there", "@file", false},
			JSON_OPTION)},
	{"rollback", "GENERATION [--yes] [--dry-run] [--all] [--json]",
		"apply the files of an old generation again, saying first whom that lets in",
		command_rollback,
		OPTIONS({'y', "yes", NULL, "do not ask, whomever it lets in", NULL, false},
			{'n', "dry-run", NULL, "only say what it would do", NULL, false},
			{'l', "all", NULL, "every line, however many", NULL, false}, JSON_OPTION)},
	{"status", "[--json|--watch|--check]", "who owns what, and who could take over", command_status,
		OPTIONS(JSON_OPTION,
			{'w', "watch", NULL, "on the whole terminal, again every second", NULL, false},
			{'k', "check", NULL,
				"one line for a monitoring system; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 "
				"UNKNOWN",
				NULL, false})},
	{"sessions", "[--peer NAME] [--gateway GATEWAY] [--tunnel TUNNEL] [--endpoint ENDPOINT] [--json]",
		"who is connected where", command_sessions,
		OPTIONS({'p', "peer", "NAME", "only that peer's", "@nothing", false},
			{'g', "gateway", "GATEWAY", "only those that it has", "@gateway", false},
			{'t', "tunnel", "TUNNEL", "only through that tunnel", "@nothing", false},
			{'e', "endpoint", "ENDPOINT", "only of that virtual endpoint", "@endpoint", false},
			JSON_OPTION)},
	{"import", "[GATEWAY=]FILE.conf... [--out FILE] [--name LABEL] [--json]",
		"one fleet file from the wg-quick files of several gateways", command_import,
		OPTIONS({'o', "out", "FILE",
				"the fleet file to write, with keys beside it; default: fleet.yaml", "@file",
				false},
			{'n', "name", "LABEL", "the fleet's name; default: imported", "@nothing", false},
			JSON_OPTION),
		.operands = "@file..."},
	{"export", "GATEWAY TUNNEL [--fleet FILE] [--out FILE] [--keys DIR] [--json]",
		"a tunnel of the fleet as a gateway's wg-quick file", command_export,
		OPTIONS({'f', "fleet", "FILE", "default: fleet.yaml here, else /etc/holdfast/fleet.yaml",
				"@file", false},
			{'o', "out", "FILE", "write it, mode 0600; default: print it", "@file", false},
			{'k', "keys", "DIR",
				"put the keys in, which are beside an agent.yaml of DIR; default: wg reads "
				"them",
				"@file", false},
			JSON_OPTION),
		.operands = "@gateway @nothing"},
	{"peer",
		"new NAME [--fleet FILE] [--tunnel TUNNEL] [--group GROUP] [--address ADDRESS] [--endpoint "
		"HOST:PORT] "
		"[--preshared-key] [--into DIR] [--out FILE] [--png FILE] [--json]",
		"make a client: its keys, its wg-quick file, a QR code", command_peer,
		OPTIONS({'f', "fleet", "FILE", "default: fleet.yaml here, else /etc/holdfast/fleet.yaml",
				"@file", false},
			{'t', "tunnel", "TUNNEL", "needed if the fleet has more than one", "@nothing", false},
			{'g', "group", "GROUP", "what it belongs to; again for more", "@nothing", false},
			{'a', "address", "ADDRESS",
				"instead of the next free ones; again for the other family", "@nothing",
				false},
			{'e', "endpoint", "HOST:PORT", "what it dials; default: what the fleet file says",
				"@nothing", false},
			{'p', "preshared-key", NULL,
				"with a preshared key, in psk/NAME beside the fleet file", NULL, false},
			{'i', "into", "DIR", "write DIR/NAME.yaml for the fleet; default: print it", "@file",
				false},
			{'o', "out", "FILE", "write the client's file, mode 0600; default: print it", "@file",
				false},
			{'n', "png", "FILE", "write the QR code as a picture, mode 0600", "@file", false},
			{'j', "json", NULL, "print JSON; no private key in it: needs --out or --png", NULL,
				false}),
		.operands = "new @nothing"},
	{"key",
		"new TUNNEL [--out FILE] [--json] | install TUNNEL FILE|- [--out FILE] [--public-key KEY] "
		"[--force] [--json]",
		"make a tunnel's WireGuard key; put it on the gateway that this is", command_key,
		OPTIONS({'o', "out", "FILE",
				"where it goes; default: TUNNEL.key here, or, install, "
				"/etc/holdfast/TUNNEL.key",
				"@file", false},
			{'p', "public-key", "KEY", "install: refuse a key that does not belong to it",
				"@nothing", false},
			{'f', "force", NULL, "replace the file that is there", NULL, false}, JSON_OPTION),
		.operands = "new|install @nothing @file"},
	{"move", "ENDPOINT GATEWAY [--json]", "move a virtual endpoint", command_move, OPTIONS(JSON_OPTION),
		.operands = "@endpoint @gateway"},
	{"drain", "GATEWAY [--json]", "empty a gateway, and keep it empty", command_drain,
		OPTIONS(JSON_OPTION), .operands = "@gateway"},
	{"resume", "GATEWAY [--json]", "let a drained gateway own endpoints again", command_resume,
		OPTIONS(JSON_OPTION), .operands = "@gateway"},
	{"drill", "[ENDPOINT] [--to GATEWAY] [--json]",
		"move there and back, and tell what was lost; 1 if anything was", command_drill,
		OPTIONS(JSON_OPTION,
			{'t', "to", "GATEWAY", "where to; default: whoever is ready", "@gateway", false}),
		.operands = "@endpoint"},
	{"freeze", "[--json]", "no moves but those that people ask for", command_freeze,
		OPTIONS(JSON_OPTION)},
	{"thaw", "[--json]", "let endpoints move by themselves again", command_thaw, OPTIONS(JSON_OPTION)},
	{"events", "[--follow] [--json] [--since DURATION]", "what happened, when and why", command_events,
		OPTIONS({'f', "follow", NULL, "go on as things happen", NULL, true}, JSON_OPTION,
			{'s', "since", "DURATION", "only what is younger, such as 10m or 2h", NULL, false})},
	{"report", "[EVENT] [--json]",
		"the timeline of a takeover or move, such as vpn@60000001.2, or the last", command_report,
		OPTIONS(JSON_OPTION), .operands = "@endpoint"},
	{"explain", "PEER ADDRESS [--in INTERFACE [--from ADDRESS]] [--tcp PORT|--udp PORT] [--json]",
		"the way of a packet to a peer, and the first thing that says no", command_explain,
		OPTIONS({'i', "in", "INTERFACE", "it came in there; default: this host sends it",
				"@interface", false},
			{'f', "from", "ADDRESS", "its source", NULL, false},
			{'t', "tcp", "PORT", "to that port", NULL, false},
			{'u', "udp", "PORT", "to that port", NULL, false}, JSON_OPTION)},
};
const size_t command_count = ARRAY_COUNT(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int command_fail(const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	fprintf(stderr, "holdfast: %s\n", err_format(err, line, sizeof(line)));
	return COMMAND_FAILED;
}

int command_misused(const struct invocation *invocation, const char *problem)
{
	const struct command *command = command_find(invocation->argv[0]);

	if (problem)
		fprintf(stderr, "holdfast %s: %s\n", invocation->argv[0], problem);
	fprintf(stderr, "usage: holdfast %s%s%s\n", command->name, *command->arguments ? " " : "",
		command->arguments);
	return COMMAND_MISUSED;
}

static void print_option(const struct command_option *option, FILE *out)
{
	char shown[64], letter[] = {'-', option->letter, ',', ' ', '\0'};

	snprintf(shown, sizeof(shown), "%s--%s%s%s", option->is_short ? letter : "", option->name,
		option->value ? " " : "", option->value ? option->value : "");
	fprintf(out, "  %-20s %s\n", shown, option->help);
}

void command_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: holdfast %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "",
		command->arguments, command->summary);
	if (command->options)
		fputc('\n', out);
	for (const struct command_option *option = command->options; option && option->name; option++)
		print_option(option, out);
}

bool command_asks_for_help(const struct invocation *invocation)
{
	for (int i = 1; i < invocation->argc && strcmp(invocation->argv[i], "--"); i++)
		if (!strcmp(invocation->argv[i], "--help"))
			return true;
	return false;
}

int command_next_option(const struct invocation *invocation)
{
	const struct command *command = command_find(invocation->argv[0]);
	struct option options[COMMAND_OPTIONS_MAX + 1] = {0};
	char letters[COMMAND_OPTIONS_MAX * 2 + 1] = "";
	size_t length = 0, count = 0;

	for (const struct command_option *option = command->options; option && option->name; option++) {
		options[count++] = (struct option){
			option->name, option->value ? required_argument : no_argument, NULL, option->letter};
		if (!option->is_short)
			continue;
		letters[length++] = option->letter;
		if (option->value)
			letters[length++] = ':';
	}
	return getopt_long(invocation->argc, invocation->argv, letters, options, NULL);
}

int command_read_json(const struct invocation *invocation, bool *ret_as_json)
{
	int option;

	*ret_as_json = false;
	while ((option = command_next_option(invocation)) != -1) {
		if (option != 'j')
			return command_misused(invocation, NULL);
		*ret_as_json = true;
	}
	return COMMAND_OK;
}

void command_print_json(const json_t *json)
{
	CLEANUP_FREE char *text = json_pretty(json, NULL);

	puts(text);
}
