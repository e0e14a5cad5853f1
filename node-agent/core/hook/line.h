/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_HOOK_LINE_H
#define HOLDFAST_HOOK_LINE_H

#include <stdbool.h>

#include "common/base/texts.h"

/*
 * A command line of a fleet's tunnel (pre_up and its like). One that is an absolute path and plain words, nothing that means
 * anything to a shell, is started as it stands; every other one is bash's. Pure.
 */

/* Only letters, digits, blanks and @%+=:,./_- in it, and the first word an absolute path. */
bool hook_line_is_plain(const char *line);
/* The words of a plain one; the first is the program. */
void hook_line_words(const char *line, struct texts *ret_words);

#endif
