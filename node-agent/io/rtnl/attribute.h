/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_ATTRIBUTE_H
#define HOLDFAST_AGENT_RTNL_ATTRIBUTE_H

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"

/* Netlink attributes: reading that trusts no length, and what libmnl has no writer for. */

/* Sort the attributes after a family header of header_bytes (or inside a nest) into table[type]; types of `count` and
 * above are skipped, of several of a type the last counts. False if the message is shorter than its header. */
bool attribute_table(
	const struct nlmsghdr *message, size_t header_bytes, const struct nlattr *table[], size_t count);
void attribute_span(const void *payload, size_t size_bytes, const struct nlattr *table[], size_t count);
void attribute_nest(const struct nlattr *nest, const struct nlattr *table[], size_t count);

/* What an attribute must not fall short of if it is there. A message with one that does is malformed as a whole: without
 * its FRA_SRC a rule would be one for everybody. Longer ones are what a newer kernel knows more of. */
struct attribute_size {
	uint16_t type;
	size_t min_bytes;
};
bool attribute_sizes_hold(
	const struct nlattr *const table[], const struct attribute_size *sizes, size_t count);

/* False, and nothing is written, if the attribute is absent (NULL) or shorter than the type. */
bool attribute_u8(const struct nlattr *attribute, uint8_t *ret_value);
bool attribute_u16(const struct nlattr *attribute, uint16_t *ret_value);
bool attribute_u32(const struct nlattr *attribute, uint32_t *ret_value);
bool attribute_u64(const struct nlattr *attribute, uint64_t *ret_value);
bool attribute_bytes(const struct nlattr *attribute, void *ret_bytes, size_t size_bytes);
bool attribute_addr(const struct nlattr *attribute, int family, struct addr *ret_addr);
/* Text that may lack its terminator; false if it does not fit. */
bool attribute_text(const struct nlattr *attribute, char *ret_text, size_t size);
/* The same, but true if it is absent. */
bool attribute_text_if_any(const struct nlattr *attribute, char *ret_text, size_t size);

/* Append an address: its 4 or 16 bytes. */
void attribute_put_addr(struct nlmsghdr *message, uint16_t type, const struct addr *addr);

#endif
