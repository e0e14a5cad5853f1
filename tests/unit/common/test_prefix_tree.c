/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/prefix_tree.h"

static struct prefix parse(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

START_TEST(each_lies_within_the_narrowest_around_it)
{
	static const char *const texts[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/32",
		"10.0.0.255/32", "10.0.1.0/24", "11.0.0.0/8", "192.168.0.0/16", "192.168.0.0/16",
		"192.168.77.0/24", "192.168.77.0/24", "192.168.77.128/25", "fd00::/8", "fd77::/64",
		"fd77::1/128", "fd78::/64"};
	static const size_t expected[] = {
		PREFIX_TREE_ROOT, 0, 1, 2, 2, 1, 0, 0, 0, 7, 7, 9, PREFIX_TREE_ROOT, 12, 13, 12};
	struct prefix prefixes[ARRAY_COUNT(texts)];
	size_t parents[ARRAY_COUNT(texts)];

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		prefixes[i] = parse(texts[i]);
	prefix_tree_parents(prefixes, ARRAY_COUNT(texts), parents);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		ck_assert_msg(parents[i] == expected[i], "%s has parent %zd, not %zd", texts[i],
			(ssize_t)parents[i], (ssize_t)expected[i]);
}
END_TEST

static int compare(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

/* By the definition, each compared with each. */
static size_t find_parent(const struct prefix *prefixes, size_t count, size_t index)
{
	size_t found = PREFIX_TREE_ROOT;

	for (size_t i = 0; i < count; i++)
		if (prefixes[i].length < prefixes[index].length &&
			prefix_covers(&prefixes[i], &prefixes[index]) &&
			(found == PREFIX_TREE_ROOT || prefixes[i].length > prefixes[found].length))
			found = i;
	return found;
}

START_TEST(random_ones_have_the_parents_of_the_definition)
{
	enum { COUNT = 600 };
	struct prefix prefixes[COUNT];
	size_t parents[COUNT];

	srandom((unsigned)_i);
	for (size_t i = 0; i < COUNT; i++) {
		struct prefix prefix = {.addr = {.family = random() % 4 ? AF_INET : AF_INET6}};

		prefix.addr.bytes[0] = (uint8_t)(random() % 2 ? 10 : 172);
		prefix.addr.bytes[1] = (uint8_t)(random() % 4);
		prefix.addr.bytes[2] = (uint8_t)(random() % 256);
		prefix.length = (uint8_t)(random() % 33);
		prefixes[i] = prefix_mask(&prefix);
	}
	qsort(prefixes, COUNT, sizeof(*prefixes), compare);
	prefix_tree_parents(prefixes, COUNT, parents);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_eq(parents[i], find_parent(prefixes, COUNT, i));
}
END_TEST

START_TEST(of_none_there_is_nothing_to_say)
{
	size_t parent = 5;

	prefix_tree_parents(NULL, 0, &parent);
	ck_assert_uint_eq(parent, 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prefix tree");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, each_lies_within_the_narrowest_around_it);
	tcase_add_loop_test(tcase, random_ones_have_the_parents_of_the_definition, 0, 20);
	tcase_add_test(tcase, of_none_there_is_nothing_to_say);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
