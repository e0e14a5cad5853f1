/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_NET_H
#define HOLDFAST_TESTS_NET_H

#include <check.h>

#include "common/base/addr.h"

/* Short forms for the tests of routing netlink. */

static inline struct prefix net_prefix(const char *text)
{
	struct prefix result = {0};

	ck_assert_int_eq(prefix_parse(text, &result, NULL), 0);
	return result;
}

static inline struct addr net_addr(const char *text)
{
	struct addr result = {0};

	ck_assert_int_eq(addr_parse(text, &result, NULL), 0);
	return result;
}

/* The call succeeds, or the test says with which error it did not. */
#define NET_OK(err, call)                                                                    \
	do {                                                                                 \
		int net_result = (call);                                                     \
		ck_assert_msg(net_result >= 0, "%s: %d %s", #call, net_result, (err)->text); \
	} while (0)

#endif
