/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_ADDR_H
#define HOLDFAST_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/err.h"

/* IP addresses, prefixes and transport endpoints of both families, as values. Bytes are in network order. */

enum {
	ADDR_TEXT_MAX = 46,         /* INET6_ADDRSTRLEN */
	PREFIX_TEXT_MAX = 46 + 4,   /* address and /128 */
	ZONE_TEXT_MAX = 16,         /* IFNAMSIZ; or a number of 32 bits */
	ENDPOINT_TEXT_MAX = 46 + 8 + ZONE_TEXT_MAX, /* [address%zone]:65535 */
};

struct addr {
	uint8_t family;    /* AF_INET, AF_INET6, or 0: none */
	uint8_t bytes[16]; /* the first 4 for AF_INET; the rest is zero, so that memcmp compares */
};

struct prefix {
	struct addr addr; /* may keep host bits, as an interface's address does */
	uint8_t length;   /* bits */
};

/* Where a link-local address is; it means something on this host and in one network namespace only. */
struct endpoint {
	struct addr addr;
	uint16_t port;  /* host order */
	uint32_t scope; /* sin6_scope_id, the index of an interface; 0: none, or not told */
};

/* Numeric text only, nothing is resolved. -EINVAL with a text that names the input. */
int addr_parse(const char *text, struct addr *ret_addr, struct err *err);
/* ADDRESS or ADDRESS/LENGTH; without a length /32 or /128. Host bits are kept: see prefix_mask(). */
int prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err);
/* 192.0.2.1:51820, [2001:db8::1]:51820 or [fe80::1%3]:51820: the scope as a number, for names take a look at the host. */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint, struct err *err);

/* Write into buffer (of at least *_TEXT_MAX bytes) and return it; a value without a family gives "(none)". */
char *addr_format(const struct addr *addr, char *buffer, size_t size);
char *prefix_format(const struct prefix *prefix, char *buffer, size_t size);
char *endpoint_format(const struct endpoint *endpoint, char *buffer, size_t size);
/* The same with the interface's name (NULL, or "": its number) for the scope. */
char *endpoint_format_zone(const struct endpoint *endpoint, const char *zone, char *buffer, size_t size);

bool addr_is_set(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* Equal, or one of them does not tell its scope, as wireguard-go 0.0.20220316 does not. */
bool endpoint_matches(const struct endpoint *a, const struct endpoint *b);
/* <0, 0, >0: family, then bytes, (then length). For sorting. */
int addr_compare(const struct addr *a, const struct addr *b);
int prefix_compare(const struct prefix *a, const struct prefix *b);

unsigned addr_bits(const struct addr *addr);            /* 32 or 128; 0 without a family */
size_t addr_bytes(const struct addr *addr);             /* 4 or 16; 0 without a family */
struct prefix addr_to_prefix(const struct addr *addr);  /* the host prefix, /32 or /128 */
struct prefix prefix_mask(const struct prefix *prefix); /* host bits cleared */
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
/* Whom to count an address as, so that nobody counts as many: itself, or its IPv6 /64, which one host has to itself. */
struct addr addr_source(const struct addr *addr);
bool addr_is_link_local(const struct addr *addr);

/* To and from the kernel's form. Returns the length of the sockaddr; -EAFNOSUPPORT for another family. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *ret_sockaddr);
int endpoint_from_sockaddr(const struct sockaddr *sockaddr, struct endpoint *ret_endpoint);

#endif
