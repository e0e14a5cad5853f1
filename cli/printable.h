/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_PRINTABLE_H
#define HOLDFAST_CLI_PRINTABLE_H

#include <jansson.h>

/*
 * Texts in answers are in part what gateways, programs and certificates said, and they are printed on people's terminals, which
 * obey control characters. Each of them becomes '?', in all texts of *json (keys are ours): C0 but for tab and the ends of
 * lines, which files have, DEL, and C1 (but for NEL, likewise) as UTF-8 has it.
 */
void printable_make(json_t *json);

#endif
