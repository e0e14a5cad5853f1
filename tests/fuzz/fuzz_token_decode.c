/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/token.h"
#include "tests/fuzz/fuzz_target.h"

/* The checksum keeps a mutation from getting far: the payload is made into a token as well. */
static void try_text(const char *text)
{
	struct token token, again;
	char encoded[TOKEN_TEXT_MAX];
	struct err err;

	if (token_decode(text, &token, &err) < 0)
		return;
	token_encode(&token, encoded);
	FUZZ_CHECK(!strncmp(text + strspn(text, " \t\r\n"), encoded, strlen(encoded)));
	FUZZ_CHECK(!token_decode(encoded, &again, &err));
	FUZZ_CHECK(!strcmp(token.gateway, again.gateway) && !strcmp(token.controller, again.controller));
}

/* Names as they come: a token of them is refused, or says the same. */
static void try_names(const uint8_t *data, size_t size)
{
	struct token token = {0};
	size_t half = size / 2;
	char encoded[TOKEN_TEXT_MAX];

	if (half > PROTO_NAME_MAX)
		half = PROTO_NAME_MAX;
	memcpy(token.gateway, data, half);
	memcpy(token.controller, data + half, size - half < TOKEN_URL_MAX ? size - half : TOKEN_URL_MAX);
	try_text(token_encode(&token, encoded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	try_text(text);
	try_names(data, size);
	free(text);
	return 0;
}
