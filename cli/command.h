/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_COMMAND_H
#define HOLDFAST_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/err.h"

/* What a command is given, and how it ends. */
enum command_exit { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_MISUSED = 2 };

struct invocation {
	const char *controller; /* --controller: https://..., unix:PATH; NULL: not given */
	const char *config;     /* --config: a client.yaml; NULL: the usual places */
	int argc;               /* the command's own, argv[0] is its name */
	char **argv;
};

/*
 * An option of a command. One table serves getopt (command_next_option()), --help, the completion of shells, and the test
 * that holds the manual pages against it.
 */
struct command_option {
	char letter;       /* what command_next_option() returns for it; of this command alone */
	const char *name;  /* "follow" for --follow; the list ends with NULL */
	const char *value; /* "DURATION"; NULL: takes none */
	const char *help;  /* one line */
	const char *words; /* what a shell completes the value with, as in struct command; NULL: nothing */
	bool is_short;     /* -f, too */
};

struct command {
	const char *name;
	const char *arguments; /* for usage: "ENDPOINT GATEWAY"; "": none */
	const char *summary;
	int (*run)(const struct invocation
			*invocation);         /* an enum command_exit; up, down, save, strip: as wg-quick */
	const struct command_option *options; /* NULL: none */
	/* What a shell completes the operands with, one word for each: @gateway, @endpoint (asked of the controller), @file,
	 * @interface, @nothing, or words to choose from, as "new|install". "@file..." stands for all that follow. NULL: nothing. */
	const char *operands;
};

enum { COMMAND_OPTIONS_MAX = 16 };

/* Those before the command. */
extern const struct command_option command_global_options[];

/* The table, in the order that help prints. */
extern const struct command commands[];
extern const size_t command_count;

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

/* One line on stderr, "holdfast: where: text". Returns COMMAND_FAILED, so that a command can end with it. */
int command_fail(const struct err *err);

/* "holdfast NAME ARGUMENTS" on stderr, after a line that says what was wrong (NULL: none). Returns COMMAND_MISUSED. */
int command_misused(const struct invocation *invocation, const char *problem);

/* What `holdfast NAME --help` prints. */
void command_help(const struct command *command, FILE *out);

/* Is --help among the arguments, before a "--"? */
bool command_asks_for_help(const struct invocation *invocation);

/* The next option by the command's table, as getopt_long(3): its letter, with optarg; -1 when there are no more; '?' for
 * one that is not there or lacks its value: getopt has said so. */
int command_next_option(const struct invocation *invocation);

/* For a command whose only option is --json: reads it; operands begin at optind. COMMAND_OK, or COMMAND_MISUSED. */
int command_read_json(const struct invocation *invocation, bool *ret_as_json);
/* An answer, indented, to stdout. */
void command_print_json(const json_t *json);

/* One per file. */
int command_init(const struct invocation *invocation);
int command_cert(const struct invocation *invocation);
int command_invite(const struct invocation *invocation);
int command_revoke(const struct invocation *invocation);
int command_key(const struct invocation *invocation);
int command_join(const struct invocation *invocation);
int command_up(const struct invocation *invocation);
int command_down(const struct invocation *invocation);
int command_save(const struct invocation *invocation);
int command_strip(const struct invocation *invocation);
int command_adopt(const struct invocation *invocation);
int command_release(const struct invocation *invocation);
int command_validate(const struct invocation *invocation);
int command_plan(const struct invocation *invocation);
int command_apply(const struct invocation *invocation);
int command_confirm(const struct invocation *invocation);
int command_history(const struct invocation *invocation);
int command_rollback(const struct invocation *invocation);
int command_status(const struct invocation *invocation);
int command_sessions(const struct invocation *invocation);
int command_import(const struct invocation *invocation);
int command_export(const struct invocation *invocation);
int command_peer(const struct invocation *invocation);
int command_move(const struct invocation *invocation);
int command_drain(const struct invocation *invocation);
int command_drill(const struct invocation *invocation);
int command_resume(const struct invocation *invocation);
int command_freeze(const struct invocation *invocation);
int command_thaw(const struct invocation *invocation);
int command_events(const struct invocation *invocation);
int command_report(const struct invocation *invocation);
int command_explain(const struct invocation *invocation);

#endif
