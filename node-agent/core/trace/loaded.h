/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TRACE_LOADED_H
#define HOLDFAST_TRACE_LOADED_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The nftables ruleset that a kernel has loaded, whoever wrote it, as plain data. Numbers (families, hooks, verdicts,
 * keys of meta and ct ...) are the kernel's: linux/netfilter.h, linux/netfilter/nf_tables.h.
 */
enum {
	LOADED_RULES_MAX = 65536,    /* rules of a ruleset; further ones are not kept, and it says so */
	LOADED_ELEMENTS_MAX = 65536, /* elements of a set; likewise */
	LOADED_EXPRS_MAX = 512,      /* of a rule: of NFT_RULE_MAXEXPRS (128) each makes 4 at most */
	LOADED_FIELDS_MAX = 16,      /* fields of a key: NFT_REG32_COUNT */
	LOADED_VALUE_MAX = 64,       /* bytes of a value: NFT_DATA_VALUE_MAXLEN */
	LOADED_WHAT_MAX = 48,        /* with its NUL: "limit", "xt match addrtype" */
};

struct loaded_value {
	uint8_t length; /* bytes */
	uint8_t bytes[LOADED_VALUE_MAX];
};

struct loaded_verdict {
	int code; /* NF_ACCEPT, NF_DROP, NF_QUEUE, NFT_CONTINUE, NFT_BREAK, NFT_JUMP, NFT_GOTO, NFT_RETURN */
	char *chain; /* of jump and goto; owned; NULL */
};

enum loaded_op {
	LOADED_META,     /* .load: key into target */
	LOADED_CT,       /* .load */
	LOADED_FIB,      /* .load: key is the result (NFT_FIB_RESULT_*), flags NFTA_FIB_F_* */
	LOADED_PAYLOAD,  /* .payload */
	LOADED_META_SET, /* .load: key from source */
	LOADED_CT_SET,   /* .load */
	LOADED_PAYLOAD_SET,
	LOADED_IMMEDIATE, /* .value into target */
	LOADED_VERDICT,   /* .verdict */
	LOADED_COMPARE,   /* .compare: NFT_CMP_* of source with value */
	LOADED_RANGE,     /* .range: NFT_RANGE_* of source with from, to */
	LOADED_BITWISE,   /* .bitwise: (source & mask) ^ exclusive into target */
	LOADED_BYTEORDER, /* .byteorder: units of `size` bytes turned round */
	LOADED_LOOKUP,    /* .lookup */
	LOADED_UNKNOWN,   /* .what: whatever it loads into target (has_target) nobody knows */
	LOADED_PASS,      /* counts, logs: goes on */
	LOADED_NOTRACK,
	LOADED_PERHAPS, /* .what: may match or not: limits, quotas, what this does not know */
	LOADED_REJECT,
	LOADED_SOURCE_NAT, /* snat, masquerade: the packet is accepted with another source */
	LOADED_AWAY,       /* .what: where it goes then nobody knows: dnat, queue, fwd, synproxy ... */
};

struct loaded_expr {
	enum loaded_op op;
	uint8_t source, target; /* where in the registers: offset in bytes, see loaded_register() */
	bool has_target;        /* LOADED_LOOKUP of a map, LOADED_UNKNOWN */
	union {
		struct {
			uint32_t key, flags;
			uint8_t direction; /* of ct; IP_CT_DIR_*; 255: none given */
		} load;
		struct {
			uint32_t base, offset, length; /* NFT_PAYLOAD_*, bytes */
		} payload;
		struct loaded_value value;
		struct loaded_verdict verdict;
		struct {
			uint32_t how;
			struct loaded_value value;
		} compare;
		struct {
			uint32_t how;
			struct loaded_value from, to;
		} range;
		struct {
			struct loaded_value mask, exclusive;
		} bitwise;
		struct {
			uint8_t length, size; /* bytes */
		} byteorder;
		struct {
			char *set;              /* of the same table; owned */
			bool inverted, verdict; /* verdict: the map's data is one */
		} lookup;
		char what[LOADED_WHAT_MAX];
	};
};

struct loaded_rule {
	uint64_t handle;
	char *comment;             /* owned; NULL: none */
	struct loaded_expr *exprs; /* owned */
	size_t count, capacity;
};

struct loaded_chain {
	char *name; /* owned */
	bool base;  /* hooked in */
	bool nat;   /* base, type nat: asked for the first packet of a connection only */
	bool route; /* base, type route: a mark that it changes means another look-up */
	uint32_t hook;
	int32_t priority;
	uint32_t policy;           /* NF_ACCEPT, NF_DROP */
	char (*devices)[IFNAMSIZ]; /* of netdev and of ingress; owned */
	size_t device_count, device_capacity;
	struct loaded_rule *rules; /* owned */
	size_t count, capacity;
};

struct loaded_element {
	struct loaded_value key, key_end; /* key_end: of length 0 if there is none */
	struct loaded_value data;
	struct loaded_verdict verdict; /* of verdict maps */
	bool interval_end, catch_all;
	bool perhaps; /* it has a limit or the like of its own */
};

struct loaded_set {
	char *name;         /* owned */
	uint8_t key_length; /* bytes */
	bool interval, verdict_map;
	bool incomplete;                   /* more elements than LOADED_ELEMENTS_MAX, or an object map */
	uint8_t fields[LOADED_FIELDS_MAX]; /* bytes of each field of a concatenation */
	size_t field_count;                /* 0: the key is one */
	struct loaded_element *elements;   /* owned */
	size_t count, capacity;
};

struct loaded_table {
	uint32_t family;             /* NFPROTO_* */
	bool dormant;                /* NFT_TABLE_F_DORMANT: its chains are not hooked in */
	char *name;                  /* owned */
	struct loaded_chain *chains; /* owned */
	size_t chain_count, chain_capacity;
	struct loaded_set *sets; /* owned */
	size_t set_count, set_capacity;
};

struct loaded_ruleset {
	struct loaded_table *tables; /* owned; in the order in which they were made */
	size_t count, capacity;
	size_t rule_count;
	bool incomplete; /* more rules than LOADED_RULES_MAX */
};

void loaded_clear(struct loaded_ruleset *ruleset); /* NULL-safe */
/* Parts of it, to be listed anew. */
void loaded_clear_chains(struct loaded_table *table);
void loaded_clear_rules(struct loaded_ruleset *ruleset);
void loaded_clear_sets(struct loaded_table *table);
void loaded_clear_elements(struct loaded_set *set);

/* A register's number (NFT_REG_1 ..., NFT_REG32_00 ...) as an offset in bytes. -ERANGE: no register of data. */
int loaded_register(uint32_t number, uint8_t *ret_offset);

/* Append a zeroed one and return it, valid until the next of its kind is added. */
struct loaded_table *loaded_add_table(struct loaded_ruleset *ruleset, uint32_t family, const char *name);
struct loaded_chain *loaded_add_chain(struct loaded_table *table, const char *name);
struct loaded_set *loaded_add_set(struct loaded_table *table, const char *name);
/* NULL beyond the limit, which is then noted. */
struct loaded_rule *loaded_add_rule(struct loaded_ruleset *ruleset, struct loaded_chain *chain);
struct loaded_element *loaded_add_element(struct loaded_set *set);
/* NULL beyond LOADED_EXPRS_MAX. */
struct loaded_expr *loaded_add_expr(struct loaded_rule *rule, enum loaded_op op);
/* One with .what, which is formatted (and cut) into it; likewise. */
struct loaded_expr *loaded_add_what(struct loaded_rule *rule, enum loaded_op op, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void loaded_add_device(struct loaded_chain *chain, const char *name);

/* NULL: there is none of that name. */
struct loaded_chain *loaded_find_chain(const struct loaded_table *table, const char *name);
const struct loaded_set *loaded_find_set(const struct loaded_table *table, const char *name);

const char *loaded_family_name(uint32_t family); /* "inet"; "?" */

#endif
