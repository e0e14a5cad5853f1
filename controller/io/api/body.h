/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_API_BODY_H
#define HOLDFAST_CONTROLLER_IO_API_BODY_H

#include <openssl/evp.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/key.h"
#include "common/io/tls.h"
#include "common/json/read.h"
#include "proto/limits.h"

struct http_request;

/*
 * What requests bring, but for fleets (fleet/bundle.h) and what agents say (proto/). Each returns 0, or -EINVAL with an err that names the member;
 * nothing of a secret is in it. Within json_limits_message; members that nobody knows are refused by nobody.
 */
enum {
	BODY_VALID_DEFAULT_MS = 60 * 60 * 1000,
	BODY_VALID_MIN_MS = 1000,
	BODY_VALID_MAX_MS = 24 * 60 * 60 * 1000,
};

/* {"to": NAME}: of a move and a drill; optional and absent: *to stays as it is. */
int body_read_target(
	struct http_request *request, enum json_need need, char to[PROTO_NAME_MAX + 1], struct err *err);
/* {"generation": 3}: of a rollback and a confirmation. Optional: the whole body is, too. */
int body_read_generation(
	struct http_request *request, enum json_need need, uint64_t *ret_number, struct err *err);
/* {"gateway": NAME, "valid_ms": 3600000} */
int body_read_invitation(struct http_request *request, char gateway[PROTO_NAME_MAX + 1],
	uint64_t *ret_valid_ms, struct err *err);
/* {"secret": HEX, "request": PEM}: the caller wipes the secret and frees the request, whatever is returned. */
int body_read_join(struct http_request *request, struct key *ret_secret, char **ret_request, struct err *err);
/* {"kind": "gateway", "name": NAME}: of a revocation. */
int body_read_whose(struct http_request *request, struct tls_identity *ret_whose, struct err *err);
/* {"request": PEM}: the key that it proves to have. EVP_PKEY_free(). */
int body_read_key(struct http_request *request, EVP_PKEY **ret_key, struct err *err);

#endif
