/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_MANUAL_H
#define HOLDFAST_CLI_MANUAL_H

#include <stdio.h>

/*
 * `holdfast __manual`: the part of holdfast(1) that lists commands and options, in mdoc(7), from the table that --help is
 * made from. The build puts it between the page's beginning and end (deploy/man).
 */
#define MANUAL_COMMAND "__manual"
void manual_print(FILE *out);
/* `holdfast __manual fleet`: the keys of a fleet file, for holdfast-fleet(5), from the table that the reader knows them by. */
void manual_print_fleet(FILE *out);

#endif
