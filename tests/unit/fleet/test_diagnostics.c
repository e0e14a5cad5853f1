/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/expired.h"
#include "tests/unit/fleet/sample.h"

/* Many diagnostics: what is listed, what is only counted, and that no kind hides another. */

enum { NOW_S = 1800000000 }; /* January 2027 */

/* Takes the text over; the diagnostics are the caller's. */
static struct diagnostics read_text(char *text)
{
	struct diagnostics diagnostics = {0};
	struct fleet_source source = {.name = "f", .text = text, .size = strlen(text)};
	struct fleet *fleet = NULL;

	if (!fleet_read(&source, 1, &fleet, &diagnostics))
		fleet_warn_expired(fleet, NOW_S, &diagnostics);
	fleet_free(fleet);
	free(text);
	return diagnostics;
}

static size_t listed(const struct diagnostics *diagnostics, enum diagnostic_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < diagnostics->count; i++)
		count += diagnostics->items[i].kind == kind && !diagnostics->items[i].is_rest;
	return count;
}

/* NULL: all of the kind are listed. */
static const struct diagnostic *rest(const struct diagnostics *diagnostics, enum diagnostic_kind kind)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		if (diagnostics->items[i].kind == kind && diagnostics->items[i].is_rest)
			return &diagnostics->items[i];
	return NULL;
}

/* The rest comes behind all that is listed; expected NULL: there is none. */
static void check_rest(const struct diagnostics *diagnostics, enum diagnostic_kind kind, const char *expected)
{
	const struct diagnostic *found = rest(diagnostics, kind);

	ck_assert(!found == !expected);
	if (found)
		ck_assert_str_eq(found->text, expected);
	for (size_t i = 1; i < diagnostics->count; i++)
		ck_assert(!diagnostics->items[i - 1].is_rest || diagnostics->items[i].is_rest);
}

/* The first peer is in line 13. `wrong` without a key, behind `doubtful` of a prefix with host bits. */
static char *with_peers(size_t doubtful, size_t wrong)
{
	char key[KEY_TEXT_MAX];
	struct text text = {0};

	text_add(&text, "%speers:\n", sample_base);
	for (size_t i = 0; i < doubtful; i++)
		text_add(&text, "  p%zu: { public_key: \"%s\", allowed_ips: 10.%zu.%zu.1/24 }\n", i,
			sample_key((unsigned)i, key), i >> 8, i & 255);
	for (size_t i = 0; i < wrong; i++)
		text_add(&text, "  w%zu: {}\n", i);
	return text_take(&text);
}

START_TEST(errors_at_their_limit_are_listed)
{
	size_t max = diagnostics_max(DIAGNOSTIC_ERROR);
	struct diagnostics diagnostics = read_text(with_peers(0, max));

	ck_assert_uint_eq(max, 1000);
	ck_assert_uint_eq(diagnostics.errors, max);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

START_TEST(errors_beyond_their_limit_are_counted)
{
	size_t max = diagnostics_max(DIAGNOSTIC_ERROR);
	struct diagnostics diagnostics = read_text(with_peers(0, max + 1));

	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, "errors: 1 more, this one the first");
	ck_assert_uint_eq(rest(&diagnostics, DIAGNOSTIC_ERROR)->line, 1013);
	diagnostics_clear(&diagnostics);
	diagnostics = read_text(with_peers(0, max + 5));
	ck_assert_uint_eq(diagnostics.errors, max + 5);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, "errors: 5 more, this one the first");
	diagnostics_clear(&diagnostics);
}
END_TEST

/* ---- warnings, each kind in numbers ---- */

/* A tunnel with 10.8.0.1/16, and peers of NET.NUMBER.HOST/24. */
static char *with_members(size_t count, const char *net, unsigned host, const char *others)
{
	char key[KEY_TEXT_MAX];
	struct text text = {0};

	text_add(&text, "%s", sample_base);
	text.length -= strlen(" }\n");
	text_add(&text, ", address: 10.8.0.1/16 }\npeers:\n");
	for (size_t i = 0; i < count; i++) {
		text_add(&text, "  p%zu: { public_key: \"%s\", allowed_ips: %s.%zu.%u/24%s }\n", i,
			sample_key((unsigned)i, key), net, i, host, others);
	}
	return text_take(&text);
}

/* An endpoint for each number, of one or two gateways of its own, with its tunnel. */
static char *with_endpoints(size_t count, size_t gateways, bool checks, bool masquerade)
{
	char key[KEY_TEXT_MAX];
	struct text text = {0};

	text_add(&text, "fleet: many\ngateways:\n");
	for (size_t i = 0; i < count * gateways; i++)
		text_add(&text, "  g%zu: { address: 10.9.0.%zu, interfaces: { wan: eth0, lan: eth1 } }\n", i,
			i + 1);
	text_add(&text, "virtual_endpoints:\n");
	for (size_t i = 0; i < count; i++) {
		text_add(&text, "  e%zu: { gateways: [g%zu%s", i, i, gateways > 1 ? ", " : "]");
		if (gateways > 1)
			text_add(&text, "g%zu]", count + i);
		text_add(&text, ", tunnels: t%zu, dial: { interface: wan, addresses: 10.9.1.%zu }", i, i + 1);
		if (checks)
			text_add(&text,
				", inside: { interface: lan, address: 192.168.%zu.1/24 }, "
				"checks: { ping: 192.168.%zu.2, interface: lan }",
				i, i);
		text_add(&text, " }\n");
	}
	text_add(&text, "tunnels:\n");
	for (size_t i = 0; i < count; i++)
		text_add(&text, "  t%zu: { private_key_file: k, public_key: \"%s\", listen_port: %zu%s }\n",
			i, sample_key((unsigned)i, key), 1000 + i,
			masquerade ? ", forward: { masquerade: { from: 0.0.0.0/0, interface: wan } }" : "");
	return text_take(&text);
}

static char *with_host_bits(size_t count)
{
	return with_members(count, "10.8", 1, "");
}

static char *with_host_bits_of_a_group(size_t count)
{
	struct text text = {0};

	text_add(&text, "%sgroups:\n  staff: { may_reach: [", sample_base);
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s10.%zu.0.1/16", i ? ", " : "", i);
	text_add(&text, "] }\n");
	return text_take(&text);
}

static char *with_peers_outside(size_t count)
{
	return with_members(count, "10.9", 0, "");
}

static char *with_nested(size_t count)
{
	char *all = with_members(count, "10.8", 0, ""), key[KEY_TEXT_MAX];
	struct text text = {0};

	text_add(&text, "%s  narrow: { public_key: \"%s\", allowed_ips: [", all,
		sample_key((unsigned)count, key));
	for (size_t i = 0; i < count; i++)
		text_add(&text, "%s10.8.%zu.7/32", i ? ", " : "", i);
	text_add(&text, "] }\n");
	free(all);
	return text_take(&text);
}

static char *with_expired(size_t count)
{
	return with_members(count, "10.8", 0, ", expires: 2026-01-01");
}

static char *with_one_gateway_each(size_t count)
{
	return with_endpoints(count, 1, false, false);
}

static char *with_checks(size_t count)
{
	return with_endpoints(count, 2, true, false);
}

static char *with_masquerade(size_t count)
{
	return with_endpoints(count, 2, false, true);
}

static const struct {
	enum diagnostic_kind kind;
	char *(*make)(size_t count);
	const char *what;
} doubtful[] = {
	{WARNING_HOST_BITS, with_host_bits, "prefixes with bits beyond their length"},
	{WARNING_HOST_BITS, with_host_bits_of_a_group, "prefixes with bits beyond their length"},
	{WARNING_ALONE, with_one_gateway_each, "virtual endpoints with one gateway"},
	{WARNING_CHECK_ADDRESS, with_checks, "checks without an address of the gateway's own to ask from"},
	{WARNING_MASQUERADE, with_masquerade, "tunnels that move, and masquerade"},
	{WARNING_NESTED, with_nested, "allowed_ips within which a narrower one of another peer wins"},
	{WARNING_OUTSIDE, with_peers_outside, "peers without allowed_ips in a network of their tunnel"},
	{WARNING_EXPIRED, with_expired, "peers that are over"},
};

/* So many of the kind, and nothing else. */
static struct diagnostics read_doubtful(int row, size_t count)
{
	struct diagnostics diagnostics = read_text(doubtful[row].make(count));

	ck_assert_uint_eq(diagnostics.errors, 0);
	ck_assert_uint_eq(diagnostics.warnings, count);
	ck_assert_uint_eq(diagnostics.found[doubtful[row].kind], count);
	return diagnostics;
}

START_TEST(warnings_at_their_limit_are_listed)
{
	size_t max = diagnostics_max(doubtful[_i].kind);
	struct diagnostics diagnostics = read_doubtful(_i, max);

	ck_assert_uint_eq(max, 20);
	ck_assert_uint_eq(listed(&diagnostics, doubtful[_i].kind), max);
	check_rest(&diagnostics, doubtful[_i].kind, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

static void check_beyond(int row, size_t beyond)
{
	size_t max = diagnostics_max(doubtful[row].kind);
	struct diagnostics diagnostics = read_doubtful(row, max + beyond);
	char expected[256];

	(void)snprintf(
		expected, sizeof(expected), "%s: %zu more, this one the first", doubtful[row].what, beyond);
	ck_assert_uint_eq(listed(&diagnostics, doubtful[row].kind), max);
	check_rest(&diagnostics, doubtful[row].kind, expected);
	diagnostics_clear(&diagnostics);
}

START_TEST(warnings_beyond_their_limit_are_counted)
{
	check_beyond(_i, 1);
	check_beyond(_i, 3);
}
END_TEST

/* The errors come last in the file, and are found last. */
START_TEST(warnings_hide_no_error)
{
	struct diagnostics diagnostics = read_text(with_peers(2 * diagnostics_max(DIAGNOSTIC_ERROR), 3));

	ck_assert_uint_eq(diagnostics.errors, 3);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), 3);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diagnostics");
	TCase *tcase = tcase_create("diagnostics");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, errors_at_their_limit_are_listed);
	tcase_add_test(tcase, errors_beyond_their_limit_are_counted);
	tcase_add_loop_test(tcase, warnings_at_their_limit_are_listed, 0, ARRAY_COUNT(doubtful));
	tcase_add_loop_test(tcase, warnings_beyond_their_limit_are_counted, 0, ARRAY_COUNT(doubtful));
	tcase_add_test(tcase, warnings_hide_no_error);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
