/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_NFT_SUITE_H
#define HOLDFAST_NFT_SUITE_H

#include <check.h>

/* Runs it to its end and frees it; the exit status of the program. */
int suite_run(Suite *suite);

#endif
