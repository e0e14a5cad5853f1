/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_YAML_PLAIN_H
#define HOLDFAST_YAML_PLAIN_H

#include "common/base/text.h"

/*
 * Writing a text as a YAML scalar, key or value, that every reader gives back as that text: as it is if it is a word that no
 * schema of YAML 1.1 and 1.2 takes for something else (null, yes, off, 1, 0x10, 1e3, 2027-03-31, ...), else in double quotes.
 */
void yaml_put_text(struct text *out, const char *text);

#endif
