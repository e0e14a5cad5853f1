/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_REQUEST_H
#define HOLDFAST_AUTHORITY_REQUEST_H

#include <openssl/types.h>
#include <stddef.h>

#include "common/base/err.h"

/*
 * A request for a certificate (PKCS #10, RFC 2986) as PEM. All that is taken from one is a public key, and the proof that
 * whoever asks has the private one; whom the certificate names is the authority's to know.
 */
enum { REQUEST_PEM_MAX = 8 * 1024 };

/* A new key (EC P-256) and a request with it. The caller frees: *ret_key_pem with pem_wipe(). */
int request_new(char **ret_key_pem, char **ret_request_pem, struct err *err);

/* pem has a NUL after its size bytes. The public key of exactly one request, without anything before or after it but white space: EC on P-256, P-384 or
 * P-521, Ed25519, or RSA of 2048 to 8192 bits. -EINVAL: not that; -E2BIG: longer than REQUEST_PEM_MAX. Free with
 * EVP_PKEY_free(). */
int request_read(const char *pem, size_t size, EVP_PKEY **ret_key, struct err *err);

#endif
