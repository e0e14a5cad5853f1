/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_GENERATION_FILES_H
#define HOLDFAST_CLI_GENERATION_FILES_H

#include <jansson.h>

#include "common/base/err.h"

/* The files of a generation, as GET /v1/history/N has them: the fleet file first, then what it included. */

/* Their names and sizes, on standard output. */
void generation_files_print(const json_t *answer);
/*
 * All of them into a directory, which is made, at the places that they had beside the fleet file: all, or none. None replaces one
 * that is there (-EEXIST), and none comes to lie outside, whatever a controller says (-EPERM). *ret_paths (the caller drops the
 * reference): where they are.
 */
int generation_files_write(const json_t *answer, const char *directory, json_t **ret_paths, struct err *err);

#endif
