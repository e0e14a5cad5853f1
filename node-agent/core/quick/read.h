/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_READ_H
#define HOLDFAST_QUICK_READ_H

#include "node-agent/core/quick/config.h"

/*
 * Read a wg-quick file: wg-quick's own keys and wg(8)'s, all of it checked. -EINVAL with file, line and column of the
 * first thing that wg-quick, wg or the kernel would refuse. `file` is for messages only. No message holds a key's text.
 * Clear *ret_config with quick_config_clear().
 */
int quick_read(
	const char *file, const char *text, size_t size, struct quick_config *ret_config, struct err *err);

/* Only what `down` needs: hooks, name servers, table, SaveConfig. Everything else may be wrong: a tunnel must come down
 * also after its file was spoiled. -EINVAL for what wg-quick would not take there: SaveConfig, name servers. */
int quick_read_for_down(
	const char *file, const char *text, size_t size, struct quick_config *ret_config, struct err *err);

#endif
