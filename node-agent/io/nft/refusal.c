/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/refusal.h"

#include <errno.h>
#include <string.h>

/* errno, not an enum */
static const char *remedy(int error)
{
	switch (error) {
	case -EPERM: /* nft_table_lookup(), net/netfilter/nf_tables_api.c */
		return "another program owns that table (nft list ruleset shows it with flags owner): end "
		       "that program";
	case -EBUSY:
	case -EEXIST:
	case -ENOENT:
		return "another program uses or changes that table (nft list ruleset shows how): end that "
		       "program, or delete what it made there";
	case -ENOMEM:
	case -ENOBUFS:
	case -EMSGSIZE:
		return "there is not enough memory for it: give this gateway more";
	case -EOPNOTSUPP:
	case -EAFNOSUPPORT:
		return "its nftables lacks what that needs: install or load the modules (nft_fib, nft_ct, "
		       "nft_nat, nft_masq)";
	default:
		return "nft list ruleset shows what is there, and the kernel's log (dmesg) may say more";
	}
}

int nft_refusal(const struct nft_batch *batch, uint32_t failed, int error, const char *what, struct err *err)
{
	char object[NFT_OBJECT_TEXT_MAX];

	/* A rule's chain and sets are there, or in the same batch: it is the expression that is not. */
	if (error == -ENOENT && nft_batch_is_rule(batch, failed))
		error = -EOPNOTSUPP;
	return err_set(err, error, "the kernel refuses %s, %s: %s: %s", what,
		nft_batch_describe(batch, failed, object, sizeof(object)), strerror(-error), remedy(error));
}
