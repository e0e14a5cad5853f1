/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_RULESET_H
#define HOLDFAST_FIREWALL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An nftables ruleset as plain data: tables, sets, base chains, rules made of expressions. Nothing here talks
 * to a kernel; node-agent/io/nft puts it there, fw_ruleset_print() writes it as nft(8) would list it.
 *
 * Expressions are the kernel's own (linux/netfilter/nf_tables.h). All of them work on one register: a value is
 * loaded, then compared, looked up, masked, or written somewhere.
 */

enum {
	FW_NAME_MAX =
		31, /* characters of a table's, chain's or set's name; "wg-quick-" and an interface fit */
	FW_SCOPE_MAX = 31,   /* characters of a scope, see struct fw_ruleset */
	FW_COMMENT_MAX = 31, /* characters of a set's comment */
	FW_DATA_MAX = 16,    /* bytes of a value: an IPv6 address or an interface's name */
	FW_EXPRS_MAX = 16,   /* expressions of a rule */
	FW_CHAINS_MAX = 8,   /* chains of a table */
	FW_RULES_MAX = 4096  /* rules of a chain: above what the limits of proto/limits.h can make */
};

enum fw_family { FW_IP, FW_IP6, FW_INET, FW_ARP, FW_NETDEV };
enum fw_hook { FW_PREROUTING, FW_INPUT, FW_FORWARD, FW_OUTPUT, FW_POSTROUTING, FW_INGRESS, FW_EGRESS };
enum fw_chain_type { FW_FILTER, FW_NAT };
enum fw_verdict { FW_ACCEPT, FW_DROP };
enum fw_compare { FW_EQUAL, FW_NOT_EQUAL };
enum fw_meta {
	FW_META_MARK,
	FW_META_IIFNAME,
	FW_META_OIFNAME,
	FW_META_NFPROTO,
	FW_META_L4PROTO,
	FW_META_PROTOCOL
};
enum fw_base { FW_NETWORK, FW_TRANSPORT, FW_LINK };
enum fw_key { FW_KEY_IPV4, FW_KEY_IPV6, FW_KEY_MARK, FW_KEY_ND_TARGET, FW_KEY_INDEX };

struct fw_value {
	uint8_t length; /* bytes */
	uint8_t bytes[FW_DATA_MAX];
};

struct fw_payload {
	enum fw_base base;
	uint8_t offset, length; /* bytes */
};

enum fw_op {
	FW_OP_META,         /* .meta: load */
	FW_OP_META_SET,     /* .meta: store */
	FW_OP_PAYLOAD,      /* .payload: load */
	FW_OP_PAYLOAD_SET,  /* .payload: store; header and (pseudo header) transport checksums are mended */
	FW_OP_COMPARE,      /* .compare with .value */
	FW_OP_MASK,         /* and with .value */
	FW_OP_LOOKUP,       /* .compare: EQUAL is in the set .set, NOT_EQUAL is not in it */
	FW_OP_CT_MARK,      /* load */
	FW_OP_CT_MARK_SET,  /* store */
	FW_OP_CT_STATE,     /* load the bits of the state */
	FW_OP_FIB_TYPE,     /* load the type of the source address, as the routing tables see it */
	FW_OP_LOAD,         /* .value */
	FW_OP_ROUTE_TCPMSS, /* load what fits the path, host order, 2 bytes */
	FW_OP_TO_NETWORK,   /* 2 bytes, host to network order */
	FW_OP_TCPMSS_SET,   /* store into the option of a SYN */
	FW_OP_SNAT,         /* .nat: to the address loaded */
	FW_OP_MASQUERADE,
	FW_OP_COUNTER,
	FW_OP_VERDICT, /* .verdict */
	FW_OP_LEARN,   /* .set: what was loaded is an element of it from now on, for the set's timeout */
	FW_OP_FORWARD, /* .forward: send the packet as it is to a neighbour; netdev ingress only */
};

struct fw_expr {
	enum fw_op op;
	union {
		enum fw_meta meta;
		struct fw_payload payload;
		enum fw_verdict verdict;
		enum fw_family nat; /* FW_IP or FW_IP6 */
		struct {
			enum fw_compare compare;
			struct fw_value value;     /* FW_OP_COMPARE, FW_OP_MASK, FW_OP_LOAD */
			char set[FW_NAME_MAX + 1]; /* FW_OP_LOOKUP, FW_OP_LEARN: a set of the same table */
		};
		struct {
			struct fw_value to; /* 4 or 16 bytes */
			uint32_t ifindex;
			char device[FW_DATA_MAX];
		} forward;
	};
};

struct fw_rule {
	size_t count;
	struct fw_expr exprs[FW_EXPRS_MAX];
};

struct fw_chain {
	char name[FW_NAME_MAX + 1];
	enum fw_chain_type type;
	enum fw_hook hook;
	char device[FW_DATA_MAX]; /* of FW_INGRESS and FW_EGRESS; "" of others */
	int priority;             /* policy is always accept */
	size_t count, capacity;
	struct fw_rule *rules; /* owned */
};

/* Sets of permits: elements come with a timeout, and whoever applies a ruleset never touches them. A set with a size
 * is filled by rules (FW_OP_LEARN), its elements live for timeout_ms. */
struct fw_set {
	char name[FW_NAME_MAX + 1];
	enum fw_key key;
	uint32_t size;
	uint32_t timeout_ms;
	bool interval; /* of ranges, without timeouts: who made it fills it (io/nft/groups.h) */
	char comment[FW_COMMENT_MAX + 1]; /* of a set that has just been made; kept ones keep theirs */
};

struct fw_table {
	enum fw_family family;
	char name[FW_NAME_MAX + 1];
	size_t set_count, chain_count;
	size_t set_capacity;
	struct fw_set *sets; /* owned */
	struct fw_chain chains[FW_CHAINS_MAX];
};

/*
 * Whose tables these are: "agent", or "up wg0" for one tunnel made by hand. It is written into each table's
 * comment; applying a ruleset removes the tables of the same scope that are no longer in it, and no others.
 * "": nobody's, as another program leaves them: no comment is written, and nothing else is removed.
 */
struct fw_ruleset {
	char scope[FW_SCOPE_MAX + 1];
	size_t count, capacity;
	struct fw_table *tables; /* owned */
};

void fw_ruleset_free(struct fw_ruleset *ruleset); /* NULL-safe */

const char *fw_family_name(enum fw_family family); /* "inet" */
const char *fw_hook_name(enum fw_hook hook);       /* "prerouting" */
const char *fw_type_name(enum fw_chain_type type); /* "filter" */
size_t fw_key_bytes(enum fw_key key);

/*
 * As `nft list ruleset` (1.0.6) prints it, without elements, with counters at zero; it loads with `nft -f`.
 * The caller frees the text.
 */
char *fw_ruleset_print(const struct fw_ruleset *ruleset);

#endif
