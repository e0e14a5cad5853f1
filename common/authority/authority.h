/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_AUTHORITY_H
#define HOLDFAST_AUTHORITY_AUTHORITY_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/key.h"

/*
 * A certificate authority of one's own, so that nobody needs to know openssl: EC P-256, X.509 v3 (RFC 5280). A holder
 * is named by one URI in its subject alternative name, holdfast:KIND:NAME; the common name is for people only.
 */
enum authority_kind { AUTHORITY_GATEWAY, AUTHORITY_CONTROLLER, AUTHORITY_OPERATOR };

enum { AUTHORITY_DAYS_MAX = 36500 };

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
};

/* "gateway", "controller" or "operator"; -EINVAL says which there are. */
int authority_kind_parse(const char *text, enum authority_kind *ret_kind, struct err *err);
const char *authority_kind_text(enum authority_kind kind);

/* Make ca.pem (0644) and ca.key (0600) in the directory, which must exist. -EEXIST if either is there: nothing is overwritten. */
int authority_create(const char *directory, unsigned days, struct err *err);

/* Load two files, which must belong together. The caller clears. */
int authority_load(
	const char *certificate, const char *key, struct authority *ret_authority, struct err *err);
/* The same of ca.pem and ca.key in the directory. */
int authority_open(const char *directory, struct authority *ret_authority, struct err *err);
void authority_clear(struct authority *authority);

/* The SHA-256 of its certificate (DER): what an invitation knows it by. */
int authority_hash(const struct authority *authority, struct key *ret_hash, struct err *err);

/* Make NAME.pem (0644, the certificate) and NAME.key (0600) in the directory. -EEXIST as above. It is dated an hour back,
 * since the clocks of those who look at it may be behind; fresh: dated now, after what of that name was revoked. */
int authority_issue(const struct authority *authority, enum authority_kind kind, const char *name,
	const char *directory, unsigned days, bool fresh, struct err *err);

/* A certificate for somebody else's key, of which the public half is enough. It is dated an hour back, but after after_ms
 * (wall clock; 0: whatever). *ret_pem: the caller frees. */
int authority_certify(const struct authority *authority, enum authority_kind kind, const char *name,
	EVP_PKEY *key, int64_t after_ms, unsigned days, char **ret_pem, struct err *err);

#endif
