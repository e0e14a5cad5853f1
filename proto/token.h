/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_TOKEN_H
#define HOLDFAST_PROTO_TOKEN_H

#include "common/base/err.h"
#include "common/base/key.h"
#include "proto/limits.h"

/*
 * What `holdfast invite` prints and `holdfast join` takes: whom the newcomer shall be, where the controller is, by which
 * authority it is known, and the secret that lets one newcomer in, once. One word that survives a chat or a terminal:
 *
 *	hf1_ base64url( authority 32 | secret 32 | length 1, gateway | length 1, controller | CRC-32 of all that, 4 )
 *
 * without padding (RFC 4648 section 5). The checksum tells a damaged token from a refused one.
 */
enum { TOKEN_URL_MAX = 255, TOKEN_TEXT_MAX = 544 }; /* the longest has 4 + 518; with the NUL */

struct token {
	struct key authority; /* SHA-256 of its certificate */
	struct key secret;    /* wipe */
	char gateway[PROTO_NAME_MAX + 1];
	char controller[TOKEN_URL_MAX + 1]; /* https://HOST:PORT */
};

/* gateway and controller must be what token_decode() takes. Secret: wipe the buffer. Returns it. */
char *token_encode(const struct token *token, char buffer[TOKEN_TEXT_MAX]);
/* White space around it is passed over. -EINVAL says what is wrong, and never repeats the token. */
int token_decode(const char *text, struct token *ret_token, struct err *err);

#endif
