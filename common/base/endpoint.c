/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/text.h"

static int bad(const char *text, struct err *err)
{
	return err_set(err, -EINVAL,
		"\"%.64s\" is not ADDRESS:PORT such as 192.0.2.1:51820 or [2001:db8::1]:51820", text);
}

/* Cuts %SCOPE off, which IPv6 may have. */
static int take_scope(char *host, uint32_t *ret_scope)
{
	char *zone = strchr(host, '%');
	uint64_t scope = 0;

	if (zone) {
		*zone++ = '\0';
		if (!strchr(host, ':') || text_to_u64(zone, 1, UINT32_MAX, &scope) < 0)
			return -EINVAL;
	}
	*ret_scope = (uint32_t)scope;
	return 0;
}

/* Brackets exactly around IPv6: without them nobody can tell where the port begins. */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint, struct err *err)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	size_t skip = bracketed ? 1 : 0, length;
	char host[ADDR_TEXT_MAX + ZONE_TEXT_MAX] = "";
	struct endpoint endpoint = {0};
	uint64_t port;

	if (!colon || (bracketed && (colon - text < 2 || colon[-1] != ']')))
		return bad(text, err);
	length = (size_t)(colon - text) - 2 * skip;
	if (length >= sizeof host)
		return bad(text, err);
	memcpy(host, text + skip, length);
	if (take_scope(host, &endpoint.scope) < 0 || addr_parse(host, &endpoint.addr, NULL) < 0 ||
		(endpoint.addr.family == AF_INET6) != bracketed)
		return bad(text, err);
	if (strlen(colon + 1) > 5 || text_to_u64(colon + 1, 0, UINT16_MAX, &port) < 0)
		return bad(text, err);
	endpoint.port = (uint16_t)port;
	*ret_endpoint = endpoint;
	return 0;
}

char *endpoint_format_zone(const struct endpoint *endpoint, const char *zone, char *buffer, size_t size)
{
	char host[ADDR_TEXT_MAX], number[ZONE_TEXT_MAX];

	if (!addr_is_set(&endpoint->addr)) {
		text_copy(buffer, size, "(none)");
		return buffer;
	}
	snprintf(number, sizeof number, "%" PRIu32, endpoint->scope);
	addr_format(&endpoint->addr, host, sizeof host);
	if (endpoint->addr.family == AF_INET)
		snprintf(buffer, size, "%s:%u", host, endpoint->port);
	else if (!endpoint->scope)
		snprintf(buffer, size, "[%s]:%u", host, endpoint->port);
	else
		snprintf(buffer, size, "[%s%%%.15s]:%u", host, zone && zone[0] ? zone : number,
			endpoint->port);
	return buffer;
}

char *endpoint_format(const struct endpoint *endpoint, char *buffer, size_t size)
{
	return endpoint_format_zone(endpoint, NULL, buffer, size);
}

bool endpoint_matches(const struct endpoint *a, const struct endpoint *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port &&
	       (a->scope == b->scope || !a->scope || !b->scope);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_matches(a, b) && a->scope == b->scope;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *ret_sockaddr)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(endpoint->port),
		.sin6_scope_id = endpoint->scope};

	memset(ret_sockaddr, 0, sizeof *ret_sockaddr);
	if (endpoint->addr.family == AF_INET) {
		memcpy(&in4.sin_addr, endpoint->addr.bytes, sizeof in4.sin_addr);
		memcpy(ret_sockaddr, &in4, sizeof in4);
		return sizeof in4;
	}
	if (endpoint->addr.family == AF_INET6) {
		memcpy(&in6.sin6_addr, endpoint->addr.bytes, sizeof in6.sin6_addr);
		memcpy(ret_sockaddr, &in6, sizeof in6);
		return sizeof in6;
	}
	return 0;
}

/* Copied out before it is read: callers hold these in byte buffers of any alignment. */
int endpoint_from_sockaddr(const struct sockaddr *sockaddr, struct endpoint *ret_endpoint)
{
	struct endpoint endpoint = {0};
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	sa_family_t family;

	memcpy(&family, (const char *)sockaddr + offsetof(struct sockaddr, sa_family), sizeof family);
	if (family == AF_INET) {
		memcpy(&in4, sockaddr, sizeof in4);
		memcpy(endpoint.addr.bytes, &in4.sin_addr, sizeof in4.sin_addr);
		endpoint.port = ntohs(in4.sin_port);
	} else if (family == AF_INET6) {
		memcpy(&in6, sockaddr, sizeof in6);
		memcpy(endpoint.addr.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
		endpoint.port = ntohs(in6.sin6_port);
		endpoint.scope = in6.sin6_scope_id;
	} else {
		return -EAFNOSUPPORT;
	}
	endpoint.addr.family = (uint8_t)family;
	*ret_endpoint = endpoint;
	return 0;
}
