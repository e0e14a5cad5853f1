/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/redact.h"

static const char file[] = "# PrivateKey = commented=\n"
			   "[Interface] # ours\n"
			   " Address = 10.0.0.1/24 # a comment with Secret1\n"
			   "PrivateKey = Secret2=\n"
			   "privatekey=Secret3=\n"
			   "Private Key = Secret4=\n"
			   "DNS = 9.9.9.9, example.test\n"
			   "PostUp = curl -u me:Secret5 example.test\n"
			   "PreDown = echo Secret6\n"
			   "SaveConfig = true\n"
			   "ListenPort = 51820\n"
			   "Mystery = Secret7\n"
			   "\r\n"
			   "[Peer]\n"
			   "PublicKey = pub=\n"
			   "PresharedKey = Secret8=\n"
			   "#PresharedKey = Secret9=\n"
			   "Allowed IPs = 10.0.0.0/24, ::/0\n"
			   "Endpoint = site.example.test:51820\n"
			   "PostUp = Secret10\n"
			   "PersistentKeepalive = 25";

static const char redacted[] = "[Interface]\n"
			       "Address = 10.0.0.1/24\n"
			       "DNS = 9.9.9.9, example.test\n"
			       "ListenPort = 51820\n"
			       "[Peer]\n"
			       "PublicKey = pub=\n"
			       "Allowed IPs = 10.0.0.0/24, ::/0\n"
			       "Endpoint = site.example.test:51820\n"
			       "PersistentKeepalive = 25\n";

START_TEST(secrets_go_and_the_rest_stays)
{
	CLEANUP_FREE char *text = quick_redact(file, strlen(file));

	ck_assert_str_eq(text, redacted);
}
END_TEST

START_TEST(nothing_gives_nothing)
{
	CLEANUP_FREE char *empty = quick_redact("", 0), *keys = quick_redact("PrivateKey = x", 14);

	ck_assert_str_eq(empty, "");
	ck_assert_str_eq(keys, "");
}
END_TEST

START_TEST(twice_is_once)
{
	CLEANUP_FREE char *text = quick_redact(redacted, strlen(redacted));

	ck_assert_str_eq(text, redacted);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick-redact");
	TCase *tests = tcase_create("redact");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, secrets_go_and_the_rest_stays);
	tcase_add_test(tests, nothing_gives_nothing);
	tcase_add_test(tests, twice_is_once);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
