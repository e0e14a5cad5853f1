/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that comments give to peers, and what is told of a file. */
#include <check.h>
#include <string.h>

#include "cli/conf_notes.h"

static const struct {
	const char *comment, *name;
} samples[] = {
	{"# alice", "alice"},
	{"### Client alice", "alice"},
	{"# Name = alice", "alice"},
	{"# friendly_name=alice", "alice"},
	{"#BEGIN_PEER bob", "bob"},
	{"# Alice's  phone", "Alice-s-phone"},
	{"# a.b_c", "a.b_c"},
	{"# .hidden", "hidden"},
	{"# Jürgen", "J-rgen"},
	{"# one two three", "one-two-three"},
	{"# one two three four", ""},
	{"#", ""},
	{"# ---", ""},
	{"# name", "name"},
	/* What somebody commented out, keys among it. */
	{"#PresharedKey = FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=", ""},
	{"# peer FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=", ""},
	{"#Endpoint=192.0.2.1:51820", ""},
	{"# 0123456789012345678901234567890123456789012345678901234567890123456789",
		"012345678901234567890123456789012345678901234567890123456789012"},
};

START_TEST(a_comment_may_be_a_name)
{
	char name[PROTO_NAME_MAX + 1];
	bool is_name = conf_notes_name(samples[_i].comment, strlen(samples[_i].comment), name);

	ck_assert_str_eq(name, samples[_i].name);
	ck_assert_int_eq(is_name, *samples[_i].name != '\0');
}
END_TEST

START_TEST(it_stands_before_on_or_behind_the_line)
{
	static const char text[] = "# the gateway\n[Interface]\nDNS = 1.1.1.1\nPostUp = secret # x\n\n"
				   "# before\n[Peer]\n# not this\nPublicKey = x\n\n"
				   "[peer] # on\n\n# far away\n\n[Peer]\n# behind\nPublicKey = "
				   "y\n[Peer]\nPublicKey = z\n# late\n";
	struct conf_notes notes;

	conf_notes_read("wg0.conf", text, strlen(text), &notes);
	ck_assert_uint_eq(notes.count, 4);
	ck_assert_str_eq(notes.names[0], "before");
	ck_assert_str_eq(notes.names[1], "on");
	ck_assert_str_eq(notes.names[2], "behind");
	ck_assert_str_eq(notes.names[3], "");
	ck_assert_uint_eq(notes.told.count, 2);
	ck_assert_int_eq(strncmp(notes.told.items[0], "wg0.conf:3: DNS: ", 17), 0);
	ck_assert_int_eq(strncmp(notes.told.items[1], "wg0.conf:4: PostUp: ", 20), 0);
	ck_assert_ptr_null(strstr(notes.told.items[1], "secret"));
	conf_notes_clear(&notes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_notes");
	TCase *tests = tcase_create("conf_notes");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, a_comment_may_be_a_name, 0, sizeof(samples) / sizeof(*samples));
	tcase_add_test(tests, it_stands_before_on_or_behind_the_line);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
