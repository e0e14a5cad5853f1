/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/read.h"
#include "common/json/write.h"

static json_t *parse(const char *text)
{
	json_t *json = NULL;
	struct err err;

	ck_assert_msg(
		json_parse_bytes(text, strlen(text), &json_limits_message, &json, &err) == 0, "%s", err.text);
	return json;
}

START_TEST(bytes_have_limits)
{
	static const struct {
		const char *text;
		size_t bytes;
		unsigned depth;
		int result;
	} cases[] = {
		{"[1]", 3, 1, 0},
		{"[1]", 2, 1, -E2BIG},
		{"{\"a\":[[]]}", 99, 3, 0},
		{"{\"a\":[[]]}", 99, 2, -E2BIG},
		{"[\"[[[[\",\"\\\"[[[\"]", 99, 1, 0},
		{"[[],[],[]]", 99, 2, 0},
		{"", 9, 9, -EINVAL},
		{"1", 9, 9, -EINVAL},
		{"{\"a\":1,\"a\":2}", 99, 9, -EINVAL},
		{"{\"a\":1} x", 99, 9, -EINVAL},
		{"[\"\xff\"]", 99, 9, -EINVAL},
		{"[9223372036854775808]", 99, 9, -EINVAL},
		{"[\"a\\u0000b\"]", 99, 9, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct json_limits limits = {.max_bytes = cases[i].bytes, .max_depth = cases[i].depth};
		json_t *json = NULL;
		struct err err;

		ck_assert_msg(json_parse_bytes(cases[i].text, strlen(cases[i].text), &limits, &json, &err) ==
				      cases[i].result,
			"%s", cases[i].text);
		json_decref(json);
	}
}
END_TEST

START_TEST(errors_name_the_way)
{
	json_t *json = parse("{\"endpoints\":[{},{},{\"epoch\":\"x\",\"in\":{\"deep\":7}}]}");
	struct jnode root = jnode_root(json), list, item, in;
	uint64_t number = 7;
	char text[8] = "old";
	struct err err;

	ck_assert_int_eq(jnode_array(&root, "endpoints", JSON_REQUIRED, 3, &list, &err), 0);
	ck_assert_int_eq(jnode_array(&root, "endpoints", JSON_REQUIRED, 2, &list, &err), -EINVAL);
	ck_assert_str_eq(err.text, "endpoints: 3 items are too many: at most 2");
	item = jnode_item(&list, 2);
	ck_assert_int_eq(jnode_u64(&item, "epoch", JSON_REQUIRED, 0, 9, &number, &err), -EINVAL);
	ck_assert_str_eq(err.text, "endpoints[2].epoch: expected a number from 0 to 9, found \"x\"");
	ck_assert_int_eq(jnode_object(&item, "in", JSON_REQUIRED, &in, &err), 0);
	ck_assert_int_eq(jnode_text(&in, "deep", JSON_REQUIRED, text, sizeof text, &err), -EINVAL);
	ck_assert_str_eq(err.text, "endpoints[2].in.deep: expected text, found 7");
	ck_assert_int_eq(jnode_u64(&in, "nix", JSON_REQUIRED, 0, 9, &number, &err), -EINVAL);
	ck_assert_str_eq(err.text, "endpoints[2].in.nix: missing");
	ck_assert_int_eq(jnode_u64(&list, "x", JSON_REQUIRED, 0, 9, &number, &err), -EINVAL);
	ck_assert_str_eq(err.text, "endpoints: expected an object, found an array");
	ck_assert_int_eq(jnode_fail(&root, &err, -ERANGE, "no"), -ERANGE);
	ck_assert_str_eq(err.text, "(root): no");
	ck_assert_uint_eq(number, 7);
	ck_assert_str_eq(text, "old");
	json_decref(json);
}
END_TEST

START_TEST(optional_members_may_be_absent_or_null)
{
	json_t *json = parse("{\"a\":null,\"b\":1}");
	struct jnode root = jnode_root(json), node;
	uint64_t number = 7;

	ck_assert_int_eq(jnode_u64(&root, "a", JSON_OPTIONAL, 0, 9, &number, NULL), 0);
	ck_assert_int_eq(jnode_u64(&root, "x", JSON_OPTIONAL, 0, 9, &number, NULL), 0);
	ck_assert_uint_eq(number, 7);
	ck_assert_int_eq(jnode_u64(&root, "a", JSON_REQUIRED, 0, 9, &number, NULL), -EINVAL);
	ck_assert_int_eq(jnode_array(&root, "x", JSON_OPTIONAL, 9, &node, NULL), 0);
	ck_assert_uint_eq(jnode_count(&node), 0);
	ck_assert_int_eq(jnode_object(&root, "x", JSON_OPTIONAL, &node, NULL), 0);
	ck_assert_ptr_null(node.json);
	ck_assert_int_eq(jnode_object(&root, "b", JSON_OPTIONAL, &node, NULL), -EINVAL);
	ck_assert(!jnode_find(&root, "a", NULL));
	ck_assert(jnode_find(&root, "b", &node));
	json_decref(json);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	static const char *const words[] = {"standby", "serving"};
	json_t *json = json_object();
	struct jnode root;
	struct prefix prefix, prefix2;
	struct endpoint endpoint, endpoint2;
	struct key key = {.bytes = {1, 2, 3}}, key2;
	struct addr addr2;
	uint8_t bytes[3] = {0, 0xab, 0xff}, bytes2[3];
	char text[8], name[8], *copy;
	uint64_t u, h;
	int64_t i;
	bool flag;
	unsigned word;

	prefix_parse("10.0.0.1/8", &prefix, NULL);
	endpoint_parse("[2001:db8::1]:7", &endpoint, NULL);
	jput_text(json, "text", "1234567");
	jput_text(json, "name", "gw-a");
	jput_text(json, "left_out", NULL);
	jput_bool(json, "bool", true);
	jput_u64(json, "u", INT64_MAX);
	jput_i64(json, "i", INT64_MIN);
	jput_hex64(json, "h", UINT64_C(0xfedcba9876543210));
	jput_hex(json, "bytes", bytes, sizeof bytes);
	jput_addr(json, "addr", &endpoint.addr);
	jput_addr(json, "none", &(struct addr){0});
	jput_prefix(json, "prefix", &prefix);
	jput_endpoint(json, "endpoint", &endpoint);
	jput_key(json, "key", &key);
	jput_text(json, "word", "serving");
	jput_text(jput_array(json, "list"), NULL, "x");
	copy = json_compact(json, NULL);
	json_decref(json);
	json = parse(copy);
	free(copy);
	root = jnode_root(json);
	ck_assert_uint_eq(json_object_size(json), 13);
	ck_assert_int_eq(jnode_text(&root, "text", JSON_REQUIRED, text, sizeof text, NULL), 0);
	ck_assert_str_eq(text, "1234567");
	ck_assert_int_eq(jnode_text(&root, "text", JSON_REQUIRED, text, sizeof text - 1, NULL), -EINVAL);
	ck_assert_int_eq(jnode_text_new(&root, "text", JSON_REQUIRED, 6, &copy, NULL), -EINVAL);
	ck_assert_int_eq(jnode_text_new(&root, "text", JSON_REQUIRED, 7, &copy, NULL), 0);
	ck_assert_str_eq(copy, "1234567");
	free(copy);
	ck_assert_int_eq(jnode_name(&root, "name", JSON_REQUIRED, name, sizeof name, NULL), 0);
	ck_assert_int_eq(jnode_bool(&root, "bool", JSON_REQUIRED, &flag, NULL), 0);
	ck_assert_int_eq(jnode_bool(&root, "u", JSON_REQUIRED, &flag, NULL), -EINVAL);
	ck_assert_int_eq(jnode_u64(&root, "u", JSON_REQUIRED, 0, UINT64_MAX, &u, NULL), 0);
	ck_assert_uint_eq(u, INT64_MAX);
	ck_assert_int_eq(jnode_u64(&root, "i", JSON_REQUIRED, 0, UINT64_MAX, &u, NULL), -EINVAL);
	ck_assert_int_eq(jnode_i64(&root, "i", JSON_REQUIRED, INT64_MIN, 0, &i, NULL), 0);
	ck_assert_int_eq(i, INT64_MIN);
	ck_assert_int_eq(jnode_hex64(&root, "h", JSON_REQUIRED, &h, NULL), 0);
	ck_assert_uint_eq(h, UINT64_C(0xfedcba9876543210));
	ck_assert_int_eq(jnode_hex(&root, "bytes", JSON_REQUIRED, bytes2, sizeof bytes2, NULL), 0);
	ck_assert_mem_eq(bytes, bytes2, sizeof bytes);
	ck_assert_int_eq(jnode_hex(&root, "bytes", JSON_REQUIRED, bytes2, 2, NULL), -EINVAL);
	ck_assert_int_eq(jnode_addr(&root, "addr", JSON_REQUIRED, &addr2, NULL), 0);
	ck_assert(addr_equal(&addr2, &endpoint.addr));
	ck_assert_int_eq(jnode_prefix(&root, "prefix", JSON_REQUIRED, &prefix2, NULL), 0);
	ck_assert(prefix_equal(&prefix, &prefix2));
	ck_assert_int_eq(jnode_endpoint(&root, "endpoint", JSON_REQUIRED, &endpoint2, NULL), 0);
	ck_assert(endpoint_equal(&endpoint, &endpoint2));
	ck_assert_int_eq(jnode_key(&root, "key", JSON_REQUIRED, &key2, NULL), 0);
	ck_assert(key_equal(&key, &key2));
	ck_assert_int_eq(jnode_word(&root, "word", JSON_REQUIRED, words, 2, &word, NULL), 0);
	ck_assert_uint_eq(word, 1);
	json_decref(json);
}
END_TEST

START_TEST(bad_values_are_refused)
{
	static const char *const words[] = {"standby", "serving"};
	json_t *json = parse("{\"real\":1.0,\"key\":\"hunter2\",\"hex\":\"00AB\",\"name\":\"-x\","
			     "\"word\":\"x\",\"n\":10,\"addr\":\"1.2.3\"}");
	struct jnode root = jnode_root(json);
	char text[16];
	uint8_t bytes[2];
	struct key key;
	struct addr addr;
	uint64_t number;
	unsigned word;
	struct err err;

	ck_assert_int_eq(jnode_u64(&root, "real", JSON_REQUIRED, 0, 9, &number, &err), -EINVAL);
	ck_assert_int_eq(jnode_u64(&root, "n", JSON_REQUIRED, 0, 9, &number, &err), -EINVAL);
	ck_assert_int_eq(jnode_u64(&root, "n", JSON_REQUIRED, 11, 19, &number, &err), -EINVAL);
	ck_assert_int_eq(jnode_u64(&root, "n", JSON_REQUIRED, 10, 10, &number, &err), 0);
	ck_assert_int_eq(jnode_hex(&root, "hex", JSON_REQUIRED, bytes, sizeof bytes, &err), -EINVAL);
	ck_assert_int_eq(jnode_name(&root, "name", JSON_REQUIRED, text, sizeof text, &err), -EINVAL);
	ck_assert_int_eq(jnode_addr(&root, "addr", JSON_REQUIRED, &addr, &err), -EINVAL);
	ck_assert_str_eq(err.text, "addr: \"1.2.3\" is not an IP address");
	ck_assert_int_eq(jnode_key(&root, "key", JSON_REQUIRED, &key, &err), -EINVAL);
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	ck_assert_int_eq(jnode_word(&root, "word", JSON_REQUIRED, words, 2, &word, &err), -EINVAL);
	ck_assert_str_eq(err.text, "word: expected standby or serving, found \"x\"");
	json_decref(json);
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced)
{
	json_t *json = json_array();
	char *text;
	size_t size;

	jput_text(json, NULL, "a\xff\xc3\xa4\xed\xa0\x80z");
	jput_u64(json, NULL, UINT64_MAX);
	text = json_compact(json, &size);
	ck_assert_str_eq(
		text, "[\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\",9223372036854775807]");
	ck_assert_uint_eq(size, strlen(text));
	free(text);
	json_decref(json);
}
END_TEST

START_TEST(canonical_text_does_not_depend_on_order)
{
	json_t *a = parse("{\"b\":1,\"a\":[2]}"), *b = parse("{\"a\":[2], \"b\":1}");
	char *x = json_canonical(a, NULL), *y = json_canonical(b, NULL), *z = json_compact(a, NULL);

	ck_assert_str_eq(x, y);
	ck_assert_str_eq(z, "{\"b\":1,\"a\":[2]}");
	free(x);
	free(y);
	free(z);
	json_decref(a);
	json_decref(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, bytes_have_limits);
	tcase_add_test(tcase, errors_name_the_way);
	tcase_add_test(tcase, optional_members_may_be_absent_or_null);
	tcase_add_test(tcase, what_is_written_is_read_again);
	tcase_add_test(tcase, bad_values_are_refused);
	tcase_add_test(tcase, what_is_not_utf8_is_replaced);
	tcase_add_test(tcase, canonical_text_does_not_depend_on_order);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
