/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written as a scalar is read back as what was meant. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/yaml/conf.h"
#include "common/yaml/plain.h"

static const struct conf_limits limits = {.max_bytes = 4096, .max_nodes = 64, .max_depth = 8};

static const char *const quoted[] = {"", "null", "Null", "~", "yes", "No", "ON", "off", "y", "N", "true",
	"False", "1", "-1", "0x10", "1e3", "1.5", ".inf", ".nan", "2027-03-31", "12:30", "1_000", "-", "a: b",
	"a #b", "*a", "&a", "<<", "a\"b\\c", "tab\there", "::/0", "[a]"};
static const char *const plain[] = {
	"alice", "gw-a", "wg0.key", "psk/bob", "nobody", "only", "nullable", "e1", "a_b"};

static char *written(const char *text)
{
	struct text out = {0};

	yaml_put_text(&out, text);
	return text_take(&out);
}

/* As a key and as a value, by our own reader. */
static void comes_back(const char *text, const char *scalar)
{
	struct conf_doc *doc = NULL;
	struct text file = {0};
	struct err err;

	text_add(&file, "%s: [%s]\n", scalar, scalar);
	ck_assert_msg(
		!conf_parse("t", file.data, file.length, &limits, &doc, &err), "%s: %s", scalar, err.text);
	ck_assert_str_eq(conf_root(doc)->pairs[0].key->text, text);
	ck_assert_str_eq(conf_list_item(conf_root(doc)->pairs[0].value, 0)->text, text);
	ck_assert_int_eq(conf_root(doc)->pairs[0].key->quoted, *scalar == '"');
	conf_free(doc);
	text_clear(&file);
}

START_TEST(what_may_be_misread_is_quoted)
{
	char *scalar = written(quoted[_i]);

	ck_assert_int_eq(*scalar, '"');
	comes_back(quoted[_i], scalar);
	free(scalar);
}
END_TEST

START_TEST(words_stay_as_they_are)
{
	char *scalar = written(plain[_i]);

	ck_assert_str_eq(scalar, plain[_i]);
	comes_back(plain[_i], scalar);
	free(scalar);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("yaml/plain");
	TCase *test = tcase_create("plain");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_loop_test(test, what_may_be_misread_is_quoted, 0, sizeof(quoted) / sizeof(*quoted));
	tcase_add_loop_test(test, words_stay_as_they_are, 0, sizeof(plain) / sizeof(*plain));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
