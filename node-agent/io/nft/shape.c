/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/shape.h"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <string.h>

#include "node-agent/io/nft/attr.h"

/*
 * A nest is written as one letter for each of its attributes, in the order of their numbers from 1:
 *   1 2 4 8  so many bytes        s  text with its end          .  anything (what the kernel added since, too)
 *   n        4 bytes, at most NFT_REG32_COUNT of them: libnftnl has room for no more
 *   v x      a verdict (NFTA_VERDICT_), an expression (NFTA_EXPR_)
 *   !        refused: libnftnl has no room for it, and does not look
 * and a nest of its own for any other letter; one in capitals is a list, of which attributes may repeat.
 */
struct nest {
	char letter;
	const char *attrs;
};

static const struct nest nests[] = {
	{'h', "44sD"},               /* NFTA_HOOK_ */
	{'D', "s"},                  /* NFTA_DEVICE_ */
	{'c', "88"},                 /* NFTA_COUNTER_ */
	{'p', "44"},                 /* NFTA_RULE_COMPAT_ */
	{'q', "4F"},                 /* NFTA_SET_DESC_ */
	{'F', "N"},                  /* NFTA_LIST_ELEM */
	{'N', "n"},                  /* NFTA_SET_FIELD_ */
	{'d', ".v"},                 /* NFTA_DATA_ */
	{'X', "x"},                  /* NFTA_LIST_ELEM, of expressions */
	{'E', "e"},                  /* NFTA_LIST_ELEM, of set elements */
	{'e', "dd488.x.sdX!!!!!!!"}, /* NFTA_SET_ELEM_; up to NFTA_SET_MAX, which libnftnl takes for their end */
};

struct expression {
	const char *name, *attrs;
};

static const struct expression expressions[] = {{"bitwise", "444dd4d"}, {"byteorder", "44444"},
	{"cmp", "44d"}, {"connlimit", "44"}, {"counter", "88"}, {"ct", "4414"}, {"dup", "44"},
	{"dynset", "s44448x.4X"}, {"exthdr", "4144444"}, {"fib", "444"}, {"flow_offload", "s"},
	{"fwd", "444"}, {"hash", "4444444"}, {"immediate", "4d"}, {"last", "48"}, {"limit", "88444"},
	{"log", "2s4244"}, {"lookup", "s4444"}, {"masq", "444"}, {"match", "s4."}, {"meta", "444"},
	{"nat", "4444444"}, {"notrack", ""}, {"numgen", "4444"}, {"objref", "4s4s4"}, {"osf", "414"},
	{"payload", "44444444"}, {"queue", "2224"}, {"quota", "84.8"}, {"range", "44dd"}, {"redir", "444"},
	{"reject", "41"}, {"rt", "44"}, {"socket", "444"}, {"synproxy", "214"}, {"target", "s4."},
	{"tproxy", "444"}, {"tunnel", "44"}, {"xfrm", "4414"}};

struct walk {
	unsigned depth, fields;
};

static bool attrs_ok(
	struct walk *walk, const struct nlattr *attr, size_t length, const char *attrs, bool repeats);

static bool nest_ok(struct walk *walk, const struct nlattr *nest, const char *attrs, bool repeats)
{
	if (walk->depth == NFT_SHAPE_DEPTH_MAX)
		return false;
	walk->depth++;
	bool ok = attrs_ok(walk, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), attrs, repeats);
	walk->depth--;
	return ok;
}

/* libnftnl 1.2.4 takes the chain of a jump from where it would be, whether it is there or not. */
static bool verdict_ok(struct walk *walk, const struct nlattr *nest)
{
	const struct nlattr *code = nft_attr_within(nest, NFTA_VERDICT_CODE);
	if (!code || !nest_ok(walk, nest, "4s4", false))
		return false;
	int verdict = (int)be32toh(mnl_attr_get_u32(code));
	return (verdict != NFT_JUMP && verdict != NFT_GOTO) || nft_attr_within(nest, NFTA_VERDICT_CHAIN);
}

/* Its name says what its data is. */
static bool expression_ok(struct walk *walk, const struct nlattr *nest)
{
	const struct nlattr *name = nft_attr_within(nest, NFTA_EXPR_NAME);
	const struct nlattr *data = nft_attr_within(nest, NFTA_EXPR_DATA);
	if (!nest_ok(walk, nest, "s.", false) || !name)
		return false;
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
		if (strcmp(expressions[i].name, mnl_attr_get_str(name)) == 0)
			return !data || nest_ok(walk, data, expressions[i].attrs, false);
	return false;
}

static bool inner_ok(struct walk *walk, const struct nlattr *attr, char letter)
{
	for (size_t i = 0; i < sizeof nests / sizeof *nests; i++)
		if (nests[i].letter == letter)
			return nest_ok(walk, attr, nests[i].attrs, letter >= 'A' && letter <= 'Z');
	return false;
}

static bool attr_ok(struct walk *walk, const struct nlattr *attr, char letter)
{
	switch (letter) {
	case '1':
	case '2':
	case '4':
	case '8':
		return mnl_attr_get_payload_len(attr) == letter - '0';
	case 'n':
		return mnl_attr_get_payload_len(attr) == sizeof(uint32_t) &&
		       ++walk->fields <= NFT_REG32_COUNT;
	case 's':
		return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0;
	case '.':
		return true;
	case 'v':
		return verdict_ok(walk, attr);
	case 'x':
		return expression_ok(walk, attr);
	default: /* a letter, not an enum of ours */
		return inner_ok(walk, attr, letter);
	}
}

static bool attrs_ok(
	struct walk *walk, const struct nlattr *attr, size_t length, const char *attrs, bool repeats)
{
	size_t known = strlen(attrs);
	uint32_t seen = 0;
	for (int left = (int)length; left > 0; attr = mnl_attr_next(attr)) {
		if (!mnl_attr_ok(attr, left))
			return false;
		left -= (int)MNL_ALIGN(attr->nla_len);
		uint16_t type = mnl_attr_get_type(attr);
		if (type < 1 || type > known)
			continue;
		if ((!repeats && seen & 1U << type) || !attr_ok(walk, attr, attrs[type - 1]))
			return false;
		seen |= 1U << type;
	}
	return true;
}

static const char *attrs_of(uint16_t type)
{
	switch (type) {
	case NFT_MSG_NEWTABLE:
		return "s448..4";
	case NFT_MSG_NEWCHAIN:
		return "s8sh44sc.44.";
	case NFT_MSG_NEWRULE:
		return "ss8Xp8..44";
	case NFT_MSG_NEWSET:
		return "ss444444q484..48xX";
	case NFT_MSG_NEWSETELEM:
		return "ssE4";
	default: /* numbers of the kernel, not an enum of ours */
		return NULL;
	}
}

bool nft_shape_ok(const struct nlmsghdr *message)
{
	size_t header = MNL_ALIGN(sizeof(struct nfgenmsg)), length = mnl_nlmsg_get_payload_len(message);
	const char *attrs = attrs_of(NFNL_MSG_TYPE(message->nlmsg_type));
	struct walk walk = {0};
	return attrs && length >= header && length <= INT32_MAX &&
	       attrs_ok(&walk, mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
		       length - header, attrs, false);
}
