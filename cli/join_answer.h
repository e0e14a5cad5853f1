/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_JOIN_ANSWER_H
#define HOLDFAST_CLI_JOIN_ANSWER_H

#include <jansson.h>

#include "proto/token.h"

/*
 * What a controller answers to a token, which it takes once. It is on the disk before anything is done with it, with the key that
 * it was asked for with and the hash of the token, all in one file: whoever is killed, or finds no room, goes on with the same
 * token where it stopped.
 */
struct join_answer {
	char *certificate_pem, *ca_pem; /* owned */
	char *key_pem;                  /* owned, secret; NULL as it comes from the controller */
};

/* As the controller sends it. */
int join_answer_read(
	const json_t *json, const struct token *token, struct join_answer *ret_answer, struct err *err);
/* Mode 0600, whole or not at all. */
int join_answer_keep(
	const char *path, const struct join_answer *answer, const struct token *token, struct err *err);
/* -ENOENT: there is none, or it is of another token. */
int join_answer_find(const char *path, const struct token *token, struct join_answer *ret_answer);
void join_answer_clear(struct join_answer *answer);

#endif
