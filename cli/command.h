/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_COMMAND_H
#define HOLDFAST_CLI_COMMAND_H

#include <stddef.h>

#include "common/base/err.h"

/* What a command is given, and how it ends. */
enum command_exit { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_MISUSED = 2 };

struct invocation {
	const char *controller; /* --controller: https://..., unix:PATH; NULL: not given */
	const char *config;     /* --config: a client.yaml; NULL: the usual places */
	int argc;               /* the command's own, argv[0] is its name */
	char **argv;
};

struct command {
	const char *name;
	const char *arguments; /* for usage: "ENDPOINT GATEWAY"; "": none */
	const char *summary;
	int (*run)(const struct invocation
			*invocation); /* an enum command_exit; up, down, save, strip: as wg-quick */
};

/* The table, in the order that help prints. */
extern const struct command commands[];
extern const size_t command_count;

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

/* One line on stderr, "holdfast: where: text". Returns COMMAND_FAILED, so that a command can end with it. */
int command_fail(const struct err *err);

/* "holdfast NAME ARGUMENTS" on stderr, after a line that says what was wrong (NULL: none). Returns COMMAND_MISUSED. */
int command_misused(const struct invocation *invocation, const char *problem);

/* One per file. */
int command_init(const struct invocation *invocation);
int command_cert(const struct invocation *invocation);
int command_up(const struct invocation *invocation);
int command_down(const struct invocation *invocation);
int command_save(const struct invocation *invocation);
int command_strip(const struct invocation *invocation);
int command_adopt(const struct invocation *invocation);
int command_release(const struct invocation *invocation);
int command_validate(const struct invocation *invocation);
int command_apply(const struct invocation *invocation);
int command_status(const struct invocation *invocation);
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
