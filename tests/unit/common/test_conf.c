/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/yaml/conf.h"

static struct conf_doc *parse(const char *text)
{
	struct conf_doc *doc = NULL;
	char buffer[2048];
	struct err err;

	if (conf_parse("f.yaml", text, strlen(text), &conf_limits_daemon, &doc, &err) < 0)
		ck_abort_msg("%s", err_format(&err, buffer, sizeof buffer));
	return doc;
}

static const struct {
	const char *yaml, *error;
} broken[] = {
	{"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key \"a\" is here for the second time; the first is in line 1"},
	{"a: {b: 1, c: 2, b: 3}\n",
		"f.yaml:1:17: key \"b\" is here for the second time; the first is in line 1"},
	{"b: 1\na: 1\nb: 2\na: 2\n",
		"f.yaml:3:1: key \"b\" is here for the second time; the first is in line 1"},
	{"a: [::/0]\n", "f.yaml:1:5: did not find expected node content (while parsing a flow node); quote "
			"IPv6 that starts or "
			"ends with ':'"},
	{"a: [10.0.0.0/8, 2001:db8::]\n", "f.yaml:1:26: found unexpected ':' (while scanning a plain "
					  "scalar); quote IPv6 that starts or ends with ':'"},
	{"a: fe80::\n", "f.yaml:1:9: mapping values are not allowed in this context; quote IPv6 that starts "
			"or ends with ':'"},
	{"a: [k: v]\n", "f.yaml:1:5: key: value without { } inside [ ]"},
	{"a: &x [*x]\n", "f.yaml:1:8: *x stands inside its own anchor"},
	{"a: *x\n", "f.yaml:1:4: no anchor &x before this"},
	{"a: !foo b\n", "f.yaml:1:4: tags such as !x are not used here; quote text that starts with '!'"},
	{"a: \"x\\0y\"\n", "f.yaml:1:4: text with a NUL byte inside"},
	{"a: 1\n---\nb: 1\n", "f.yaml:2:1: a second document: one file holds one"},
	{"? [a]\n: b\n", "f.yaml:1:3: a key must be text, not a list or a mapping"},
	{"~: b\n", "f.yaml:1:1: a key is missing before ':'"},
	{"<<: 3\n", "f.yaml:1:5: << takes a mapping or a list of mappings, as in <<: *name"},
	{"<<: {a: 1}\n<<: {b: 1}\n", "f.yaml:2:1: << is here for the second time, the first is in line 1; "
				     "write <<: [*one, *other]"},
	{"a:\n\tb: 1\n", "f.yaml:2:1: found character that cannot start any token (while scanning for the "
			 "next token); indent "
			 "with spaces, not tabs, and quote text that starts with '@', '`' or '%'"},
	{"\xc3\xa4: \x01\n", "f.yaml:1:5: control characters are not allowed"},
	{"a: \xff\n", "f.yaml:1:4: invalid leading UTF-8 octet"},
};

START_TEST(mistakes_have_a_place)
{
	struct conf_doc *doc = NULL;
	char buffer[2048];
	struct err err;

	ck_assert_int_eq(conf_parse("f.yaml", broken[_i].yaml, strlen(broken[_i].yaml), &conf_limits_daemon,
				 &doc, &err),
		-EINVAL);
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), broken[_i].error);
	ck_assert_ptr_null(doc);
}
END_TEST

START_TEST(nothing_is_an_empty_mapping)
{
	static const char *const texts[] = {"", "# only\n", "---\n", "~\n", "\n\n"};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct conf_doc *doc = parse(texts[i]);

		ck_assert_int_eq(conf_root(doc)->kind, CONF_MAPPING);
		ck_assert_uint_eq(conf_root(doc)->count, 0);
		ck_assert_int_eq(conf_check_keys(conf_root(doc), NULL, 0, NULL), 0);
		conf_free(doc);
	}
}
END_TEST

START_TEST(nodes_know_their_place_and_order)
{
	struct conf_doc *doc = parse("z: 1\ny: [a, 'b']\nx:\n  k: \"v\"\n");
	const struct conf_node *root = conf_root(doc), *y = conf_find(root, "y"),
			       *k = conf_find(conf_find(root, "x"), "k");

	ck_assert_str_eq(root->pairs[0].key->text, "z");
	ck_assert_str_eq(root->pairs[2].key->text, "x");
	ck_assert_uint_eq(y->count, 2);
	ck_assert(!y->items[0]->quoted);
	ck_assert(y->items[1]->quoted);
	ck_assert_uint_eq(y->items[1]->line, 2);
	ck_assert_uint_eq(y->items[1]->column, 8);
	ck_assert_uint_eq(k->line, 4);
	ck_assert_uint_eq(k->column, 6);
	ck_assert_uint_eq(conf_find_key(conf_find(root, "x"), "k")->column, 3);
	ck_assert_ptr_null(conf_find(root, "nix"));
	ck_assert_ptr_null(conf_find(y, "nix"));
	ck_assert_ptr_null(conf_find(NULL, "nix"));
	conf_free(doc);
}
END_TEST

START_TEST(merges_give_way_to_what_is_written)
{
	struct conf_doc *doc = parse("x-a: &a {p: 1, q: 2}\nx-b: &b {q: 3, r: 4, <<: {s: 5}}\n"
				     "one: {<<: *a, q: 9}\ntwo: {t: 0, <<: [*a, *b]}\nthree: {'<<': 1}\n");
	const struct conf_node *one = conf_find(conf_root(doc), "one"),
			       *two = conf_find(conf_root(doc), "two");

	ck_assert_uint_eq(one->count, 2);
	ck_assert_str_eq(conf_find(one, "q")->text, "9");
	ck_assert_str_eq(conf_find(one, "p")->text, "1");
	ck_assert(!one->pairs[0].merged);
	ck_assert(one->pairs[1].merged);
	ck_assert_uint_eq(two->count, 5);
	ck_assert_str_eq(conf_find(two, "q")->text, "2");
	ck_assert_str_eq(conf_find(two, "s")->text, "5");
	ck_assert_uint_eq(conf_find(two, "s")->line, 2);
	ck_assert_str_eq(conf_find(conf_find(conf_root(doc), "three"), "<<")->text, "1");
	conf_free(doc);
}
END_TEST

START_TEST(unknown_keys_name_the_nearest)
{
	static const char *const known[] = {"listen_port", "mtu"};
	struct conf_doc *doc = parse("w:\n  mtu: 1\n  x-any: 1\n  listen_prot: 3\n  zzzzz: 4\n");
	const struct conf_node *w = conf_find(conf_root(doc), "w");
	char buffer[512];
	struct err err;

	ck_assert_int_eq(conf_check_keys(w, known, 2, &err), -EINVAL);
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer),
		"f.yaml:4:3: unknown key \"listen_prot\"; did you mean \"listen_port\"?");
	ck_assert_int_eq(conf_check_key(&w->pairs[0], known, 2, &err), 0);
	ck_assert_int_eq(conf_check_key(&w->pairs[3], known, 2, &err), -EINVAL);
	ck_assert_str_eq(err.text, "unknown key \"zzzzz\"; known here: listen_port, mtu");
	ck_assert_int_eq(conf_check_keys(w->pairs[0].value, known, 2, &err), -EINVAL);
	ck_assert_str_eq(err.text, "expected a mapping (key: value), found \"1\"");
	ck_assert_int_eq(conf_require(w, "mtu", NULL, &err), 0);
	ck_assert_int_eq(conf_require(w, "nix", NULL, &err), -ENOENT);
	ck_assert_str_eq(err_format(&err, buffer, sizeof buffer), "f.yaml:2:3: missing \"nix\"");
	conf_free(doc);
}
END_TEST

START_TEST(one_item_stands_for_a_list)
{
	struct conf_doc *doc = parse("a: x\nb: [x, y]\nc:\nd: []\ne: {k: v}\n");
	static const struct {
		const char *key;
		size_t count;
	} cases[] = {{"a", 1}, {"b", 2}, {"c", 0}, {"d", 0}, {"e", 1}, {"absent", 0}};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		ck_assert_uint_eq(conf_list_count(conf_find(conf_root(doc), cases[i].key)), cases[i].count);
	ck_assert_str_eq(conf_list_item(conf_find(conf_root(doc), "a"), 0)->text, "x");
	ck_assert_str_eq(conf_list_item(conf_find(conf_root(doc), "b"), 1)->text, "y");
	conf_free(doc);
}
END_TEST

START_TEST(values_are_read_strictly)
{
	static const char *const words[] = {"floating", "balanced"};
	struct conf_doc *doc =
		parse("text: abc\nname: gw-a\nbool: off\nnum: 65535\nhex: 0xCa6c\ndur: 1.5s\naddr: ::1\n"
		      "prefix: 10.0.0.1/8\nend: '[::1]:53'\n"
		      "key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nword: balanced\n");
	const struct conf_node *m = conf_root(doc);
	const char *text = NULL, *name = NULL;
	bool flag = true;
	uint64_t number = 0, hex = 0;
	int64_t ms = 0;
	struct addr addr;
	struct prefix prefix;
	struct endpoint endpoint;
	struct key key;
	unsigned word = 9;

	ck_assert_int_eq(conf_get_text(m, "text", 3, &text, NULL), 0);
	ck_assert_str_eq(text, "abc");
	ck_assert_int_eq(conf_get_name(m, "name", 4, &name, NULL), 0);
	ck_assert_str_eq(name, "gw-a");
	ck_assert_int_eq(conf_get_bool(m, "bool", &flag, NULL), 0);
	ck_assert(!flag);
	ck_assert_int_eq(conf_get_u64(m, "num", 0, 65535, &number, NULL), 0);
	ck_assert_uint_eq(number, 65535);
	ck_assert_int_eq(conf_get_hex_u64(m, "hex", 0, UINT32_MAX, &hex, NULL), 0);
	ck_assert_uint_eq(hex, 0xca6c);
	ck_assert_int_eq(conf_get_hex_u64(m, "num", 0, UINT32_MAX, &hex, NULL), 0);
	ck_assert_int_eq(conf_get_duration(m, "dur", 1500, 1500, &ms, NULL), 0);
	ck_assert_int_eq(ms, 1500);
	ck_assert_int_eq(conf_get_addr(m, "addr", &addr, NULL), 0);
	ck_assert_int_eq(conf_get_prefix(m, "prefix", &prefix, NULL), 0);
	ck_assert_uint_eq(prefix.length, 8);
	ck_assert_int_eq(conf_get_endpoint(m, "end", &endpoint, NULL), 0);
	ck_assert_uint_eq(endpoint.port, 53);
	ck_assert_int_eq(conf_get_key(m, "key", &key, NULL), 0);
	ck_assert_int_eq(conf_get_word(m, "word", words, 2, &word, NULL), 0);
	ck_assert_uint_eq(word, 1);
	number = 7;
	ck_assert_int_eq(conf_get_u64(m, "absent", 0, 1, &number, NULL), 0);
	ck_assert_uint_eq(number, 7);
	conf_free(doc);
}
END_TEST

START_TEST(bad_values_say_what_was_expected)
{
	static const char *const words[] = {"floating", "balanced", "routed"};
	struct conf_doc *doc =
		parse("a: x\nb:\nc: [1]\nd: 65536\ne: {}\nf: 50\nquoted: ''\nlong: abcd\nsecret: hunter2\n"
		      "kind: floting\ng: 5s\nh: 0x10000\n");
	const struct conf_node *m = conf_root(doc);
	const char *text = NULL;
	uint64_t number = 7;
	int64_t ms;
	bool flag;
	struct key key;
	struct addr addr;
	unsigned word;
	struct err err;

#define EXPECT(call, words_expected)                        \
	do {                                                \
		ck_assert_int_eq((call), -EINVAL);          \
		ck_assert_str_eq(err.text, words_expected); \
	} while (0)
	EXPECT(conf_get_u64(m, "a", 0, 9, &number, &err), "a: expected a number from 0 to 9, found \"x\"");
	ck_assert_uint_eq(err.line, 1);
	ck_assert_uint_eq(err.column, 4);
	EXPECT(conf_get_u64(m, "b", 0, 9, &number, &err), "b: expected a number from 0 to 9, found nothing");
	EXPECT(conf_get_u64(m, "c", 0, 9, &number, &err), "c: expected a number from 0 to 9, found a list");
	EXPECT(conf_get_u64(m, "d", 0, 65535, &number, &err),
		"d: expected a number from 0 to 65535, found \"65536\"");
	EXPECT(conf_get_hex_u64(m, "h", 0, 65535, &number, &err),
		"h: expected a number from 0 to 65535, found \"0x10000\"");
	EXPECT(conf_get_bool(m, "e", &flag, &err), "e: expected true or false, found a mapping");
	EXPECT(conf_get_duration(m, "f", 0, 9, &ms, &err), "f: \"50\" has no unit: write 50ms or 50s");
	EXPECT(conf_get_duration(m, "g", 1000, 4999, &ms, &err),
		"g: expected a duration from 1s to 4999ms, found \"5s\"");
	EXPECT(conf_get_text(m, "quoted", 9, &text, &err), "quoted: must not be empty");
	EXPECT(conf_get_text(m, "long", 3, &text, &err), "long: too long: at most 3 bytes");
	EXPECT(conf_get_key(m, "secret", &key, &err),
		"secret: not a WireGuard key: expected 44 characters of base64 that end in '='");
	EXPECT(conf_get_addr(m, "a", &addr, &err), "a: \"x\" is not an IP address");
	EXPECT(conf_get_word(m, "kind", words, 3, &word, &err),
		"kind: expected floating, balanced or routed, found \"floting\"; did you mean \"floating\"?");
	EXPECT(conf_get_word(m, "c", words, 2, &word, &err),
		"c: expected floating or balanced, found a list");
	ck_assert_uint_eq(number, 7);
	ck_assert_ptr_null(text);
	conf_free(doc);
}
END_TEST

static int limited(const char *text, size_t size, size_t bytes, unsigned depth, size_t nodes)
{
	struct conf_limits limits = {.max_bytes = bytes, .max_depth = depth, .max_nodes = nodes};
	struct conf_doc *doc = NULL;
	int r = conf_parse("f", text, size, &limits, &doc, NULL);

	conf_free(doc);
	return r;
}

START_TEST(complaints_are_one_line)
{
	struct conf_doc *doc = parse("a: \"one\\ntwo\\e[1mthree\"\n");
	bool value;
	struct err err;

	ck_assert_int_eq(conf_get_bool(conf_root(doc), "a", &value, &err), -EINVAL);
	ck_assert_str_eq(err.text, "a: expected true or false, found \"one?two?[1mthree\"");
	conf_free(doc);
}
END_TEST

START_TEST(limits_hold_at_and_one_beyond)
{
	ck_assert_int_eq(limited("a: 1", 4, 4, 9, 99), 0);
	ck_assert_int_eq(limited("a: 1", 4, 3, 9, 99), -E2BIG);
	ck_assert_int_eq(limited("[[[1]]]", 7, 99, 4, 99), 0);
	ck_assert_int_eq(limited("[[[1]]]", 7, 99, 3, 99), -E2BIG);
	ck_assert_int_eq(limited("a: [1, 2]", 9, 99, 9, 5), 0);
	ck_assert_int_eq(limited("a: [1, 2]", 9, 99, 9, 4), -E2BIG);
	/* An alias costs what it stands for: depth and nodes. */
	ck_assert_int_eq(limited("[&a [[1]], [*a]]", 16, 99, 5, 8), 0);
	ck_assert_int_eq(limited("[&a [[1]], [*a]]", 16, 99, 4, 8), -E2BIG);
	ck_assert_int_eq(limited("[&a [[1]], [*a]]", 16, 99, 5, 7), -E2BIG);
}
END_TEST

START_TEST(a_billion_laughs_are_stopped)
{
	struct text text = {0};

	text_add(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		text_add(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			text_add(&text, "%s*a%d", j > 0 ? ", " : "", i - 1);
		text_add(&text, "]\n");
	}
	ck_assert_int_eq(limited(text.data, text.length, 1 << 20, 24, 4000000), -E2BIG);
	text_clear(&text);
}
END_TEST

START_TEST(ten_thousand_keys_are_found)
{
	struct text text = {0};
	struct conf_doc *doc;
	char key[16];

	for (int i = 0; i < 10000; i++)
		text_add(&text, "p%d: {allowed_ips: 10.0.0.0/8}\n", i * 7919 % 10000);
	ck_assert_int_eq(conf_parse("f", text.data, text.length, &conf_limits_fleet, &doc, NULL), 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof key, "p%d", i);
		ck_assert_ptr_nonnull(conf_find(conf_root(doc), key));
	}
	conf_free(doc);
	text_clear(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, mistakes_have_a_place, 0, sizeof broken / sizeof broken[0]);
	tcase_add_test(tcase, nothing_is_an_empty_mapping);
	tcase_add_test(tcase, nodes_know_their_place_and_order);
	tcase_add_test(tcase, merges_give_way_to_what_is_written);
	tcase_add_test(tcase, unknown_keys_name_the_nearest);
	tcase_add_test(tcase, one_item_stands_for_a_list);
	tcase_add_test(tcase, values_are_read_strictly);
	tcase_add_test(tcase, bad_values_say_what_was_expected);
	tcase_add_test(tcase, complaints_are_one_line);
	tcase_add_test(tcase, limits_hold_at_and_one_beyond);
	tcase_add_test(tcase, a_billion_laughs_are_stopped);
	tcase_add_test(tcase, ten_thousand_keys_are_found);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
