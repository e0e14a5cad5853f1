/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_PAIR_H
#define HOLDFAST_AUTHORITY_PAIR_H

#include <limits.h>

#include "common/base/err.h"

/*
 * A certificate and its key are two files, and belong together also when the power fails while both are replaced: the new
 * ones are first written beside the old ones, as FILE.next, the key before the certificate; then each takes its place, the
 * key first. Whoever finds a CERTIFICATE.next finishes that (pair_recover()); a KEY.next alone never got its certificate.
 * Until the certificate is in its place the old key stays as KEY.holdfast-before, and comes back if the certificate cannot take
 * it, or if whoever does this is killed: what was begun is undone before it is finished. All these names are ours: a file of a
 * name like them is taken for what we left.
 */
struct pair {
	char certificate[PATH_MAX], key[PATH_MAX];           /* in force */
	char next_certificate[PATH_MAX], next_key[PATH_MAX]; /* prepared */
	char key_before[PATH_MAX];
};

/* -ENAMETOOLONG */
int pair_paths(const char *certificate, const char *key, struct pair *ret_pair, struct err *err);
/* The key of a certificate that is about to be asked for: mode 0600. What an earlier life began is finished or dropped before, or
 * its certificate would be taken for one of this key. */
int pair_prepare_key(const struct pair *pair, const char *key_pem, struct err *err);
/* Its certificate has come: mode 0644. Not in force yet, so that the two can be looked at. */
int pair_prepare_certificate(const struct pair *pair, const char *certificate_pem, struct err *err);
/* Both in force; or, on an error, neither, and both prepared as before, so that it can be tried again. */
int pair_commit(const struct pair *pair, struct err *err);
/* What was prepared is dropped; a commit that was stopped halfway is undone before. */
void pair_drop(const struct pair *pair);
/* At a start: finish or drop what an earlier life began. On an error as pair_commit(). */
int pair_recover(const struct pair *pair, struct err *err);

#endif
