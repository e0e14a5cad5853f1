/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RENEWAL_ASK_H
#define HOLDFAST_AGENT_RENEWAL_ASK_H

#include "common/authority/pair.h"
#include "common/base/err.h"
#include "common/io/tls.h"

/* Inside of renewal/: one attempt, which blocks, from the new key to both files in their places. */
struct renewal_attempt {
	const char *ca, *gateway;
	char controller[512]; /* https://HOST:PORT */
	struct pair pair;
	int result; /* -EOPNOTSUPP: the controller has no authority to sign with */
	struct err err;
};

void renewal_ask(void *attempt); /* struct renewal_attempt */

#endif
