/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_HOOK_H
#define HOLDFAST_AGENT_QUICK_HOOK_H

/* What runs a hook as wg-quick does: bash's argv, whose %i is replaced already. Borrows both; ends with NULL. */
enum { QUICK_HOOK_WORDS = 12 };
void quick_hook_words(const char *interface, const char *line, const char *ret_words[QUICK_HOOK_WORDS]);

#endif
