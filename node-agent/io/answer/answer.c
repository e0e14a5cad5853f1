/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/answer/answer.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/io/signature.h"

static bool is_fresh(const struct asker *asker, const struct claim *claim, int64_t now_us)
{
	return claim->nonce.boot == asker->boot && claim->nonce.time_us <= (uint64_t)now_us &&
	       (uint64_t)now_us - claim->nonce.time_us < (uint64_t)asker->lease_ms * 1000;
}

static bool is_signed(const struct asker *asker, const struct grant *grant)
{
	uint8_t text[GRANT_TEXT_MAX];
	int size = grant_text(asker->store, &grant->claim, text);

	return size > 0 && signature_check(&asker->grant_key, text, (size_t)size, grant->signature);
}

enum answer_fault answer_check_promise(const struct asker *asker, const struct claim *claim, int64_t now_us)
{
	if (claim->terms != asker->terms)
		return ANSWER_OTHER_TERMS;
	return is_fresh(asker, claim, now_us) ? ANSWER_GOOD : ANSWER_STALE;
}

/* The signature last: it costs a hundred times as much as all the rest. */
enum answer_fault answer_check_grant(const struct asker *asker, const struct grant *grant, int64_t now_us)
{
	enum answer_fault fault = answer_check_promise(asker, &grant->claim, now_us);

	if (fault != ANSWER_GOOD)
		return fault;
	return is_signed(asker, grant) ? ANSWER_GOOD : ANSWER_FORGED;
}

const char *answer_fault_name(enum answer_fault fault)
{
	switch (fault) {
	case ANSWER_GOOD:
		return "good";
	case ANSWER_OTHER_TERMS:
		return "other-terms";
	case ANSWER_STALE:
		return "stale";
	case ANSWER_FORGED:
		return "forged";
	}
	return "good";
}
