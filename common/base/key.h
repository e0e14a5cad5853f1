/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_KEY_H
#define HOLDFAST_BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* WireGuard keys (private, public, preshared: 32 bytes) and their text, 44 characters of canonical base64 as
 * wg(8) prints it. Errors never repeat the text they refuse. Wipe secret ones. */
enum { KEY_BYTES = 32, KEY_TEXT_LENGTH = 44, KEY_TEXT_MAX = KEY_TEXT_LENGTH + 1, KEY_HEX_MAX = 65 };

struct key {
	uint8_t bytes[KEY_BYTES];
};

int key_parse(const char *text, struct key *ret_key, struct err *err);
int key_parse_hex(const char *text, struct key *ret_key);
char *key_format(const struct key *key, char buffer[KEY_TEXT_MAX]);
char *key_format_hex(const struct key *key, char buffer[KEY_HEX_MAX]);
bool key_equal(const struct key *a, const struct key *b); /* constant time */
bool key_is_zero(const struct key *key);
void key_wipe(struct key *key);
#define CLEANUP_KEY __attribute__((cleanup(key_wipe)))

#endif
