/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/forwarding/proof.h"

static int64_t wait_after_loss(const struct proof *proof)
{
	if (!proof->proven_ms)
		return PROOF_EVERY_MS;
	return proof_is_broken(proof) ? PROOF_BROKEN_MS : PROOF_RETRY_MS;
}

void proof_take(struct proof *proof, enum proof_result result, int64_t now_ms)
{
	proof->next_ms = now_ms + PROOF_EVERY_MS;
	switch (result) {
	case PROOF_THROUGH:
		proof->proven_ms = now_ms;
		proof->lost = 0;
		return;
	case PROOF_LOST:
		if (proof->proven_ms && proof->lost < PROOF_LOST_MAX)
			proof->lost++;
		proof->next_ms = now_ms + wait_after_loss(proof);
		return;
	case PROOF_UNSENT:
		return;
	case PROOF_NO_WAY:
		proof->proven_ms = 0;
		proof->lost = 0;
		return;
	}
}

bool proof_is_broken(const struct proof *proof)
{
	return proof->lost == PROOF_LOST_MAX;
}
