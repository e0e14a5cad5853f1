/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_COMPLETE_H
#define HOLDFAST_CLI_COMPLETE_H

#include "cli/command.h"

/*
 * `holdfast __complete WORD...`: what the last word may become, one to a line, by the table of commands. The shells' scripts
 * call it (deploy/completion), with words as the program would get them: without quotes. Of "--option=value" the value is
 * completed. A line "@file" stands for names of files, which shells know better, "@another-file" for those that are not on the
 * line yet. Names of gateways and endpoints are asked of the controller, if it answers soon. Never an error: nothing to offer
 * is an empty answer.
 */
#define COMPLETE_COMMAND "__complete"
int complete_run(int argc, char **argv); /* argv[0] is "__complete" */

#endif
