/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_QUESTION_H
#define HOLDFAST_CLI_QUESTION_H

#include <stdbool.h>

/* Is a person there to be asked? Standard input is a terminal. */
bool question_can_be_asked(void);
/* "apply?": on standard error, with " [y/N] "; whatever does not begin with y is no. */
bool question_is_answered_yes(const char *question);

#endif
