/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/question.h"

#include <stdio.h>
#include <unistd.h>

bool question_can_be_asked(void)
{
	return isatty(STDIN_FILENO);
}

bool question_is_answered_yes(const char *question)
{
	char line[16];

	fprintf(stderr, "%s [y/N] ", question);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}
