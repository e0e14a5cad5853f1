/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/strip.h"
#include "tests/unit/quick/files.h"

/* Every file of files/right is read, and gives what its .expected says; strip gives its .stripped. */
static void show_prefixes(struct text *to, const char *name, const struct prefix *prefixes, size_t count)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		text_add(to, "%s %s\n", name, prefix_format(&prefixes[i], text, sizeof(text)));
}

static void show_texts(struct text *to, const char *name, const struct quick_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		text_add(to, "%s |%s|\n", name, texts->items[i]);
}

static void show_peer(struct text *to, const struct quick_peer *peer)
{
	char key[KEY_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];

	text_add(to, "peer %s at line %u\n", key_format(&peer->public_key, key), peer->place.line);
	if (peer->has_preshared_key)
		text_add(to, "  preshared key %s\n", key_format(&peer->preshared_key, key));
	if (peer->host)
		text_add(to, "  endpoint |%s| |%s| %s%s%s\n", peer->host, peer->service,
			endpoint_format(&peer->endpoint, endpoint, sizeof(endpoint)),
			peer->zone ? " zone " : "", peer->zone ? peer->zone : "");
	if (peer->has_keepalive)
		text_add(to, "  keepalive %u\n", peer->keepalive_s);
	show_prefixes(to, "  allowed", peer->allowed_ips, peer->allowed_ip_count);
}

static char *show(const struct quick_config *config)
{
	struct text to = {0};

	show_prefixes(&to, "address", config->addresses, config->address_count);
	show_texts(&to, "dns", &config->dns);
	show_texts(&to, "search", &config->search);
	if (config->mtu)
		text_add(&to, "mtu %u\n", config->mtu);
	if (config->table != QUICK_TABLE_AUTO)
		text_add(&to, "table %s\n", config->table_name);
	for (int hook = 0; hook < QUICK_HOOK_COUNT; hook++)
		show_texts(&to, quick_hook_name((enum quick_hook)hook), &config->hooks[hook]);
	if (config->save_config)
		text_add(&to, "save\n");
	if (config->has_private_key)
		text_add(&to, "private key\n");
	if (config->has_listen_port)
		text_add(&to, "port %u %s\n", config->listen_port,
			config->listen_service ? config->listen_service : "");
	if (config->has_fwmark)
		text_add(&to, "mark %u\n", config->fwmark);
	for (size_t i = 0; i < config->peer_count; i++)
		show_peer(&to, &config->peers[i]);
	show_texts(&to, "warning", &config->warnings);
	return text_take(&to);
}

static void check_right(const char *name)
{
	struct quick_config config;
	struct err err = {0};
	CLEANUP_FREE char *text = files_read("right", name, ".conf");
	CLEANUP_FREE char *expected = files_read("right", name, ".expected");
	CLEANUP_FREE char *shown = NULL;

	ck_assert_msg(quick_read("wg0.conf", text, strlen(text), &config, &err) == 0, "%s: %u:%u: %s", name,
		err.line, err.column, err.text);
	shown = show(&config);
	ck_assert_msg(!strcmp(shown, expected), "%s:\n%s", name, shown);
	quick_config_clear(&config);
}

static void check_wrong(const char *name)
{
	struct quick_config config;
	struct err err = {0};
	CLEANUP_FREE char *text = files_read("wrong", name, ".conf");
	CLEANUP_FREE char *expected = files_read("wrong", name, ".expected");
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	ck_assert_msg(quick_read("wg0.conf", text, strlen(text), &config, &err) < 0, "%s", name);
	err_format(&err, line, sizeof(line));
	strcat(line, "\n");
	ck_assert_msg(!strcmp(line, expected), "%s: %s", name, line);
}

START_TEST(right_files)
{
	ck_assert_uint_ge(files_each("right", check_right), 5);
}
END_TEST

START_TEST(wrong_files)
{
	ck_assert_uint_ge(files_each("wrong", check_wrong), 15);
}
END_TEST

static int read_text(const char *text, struct quick_config *config, struct err *err)
{
	return quick_read("wg0.conf", text, strlen(text), config, err);
}

static void check(char *text, unsigned wrong_line)
{
	struct quick_config config;
	struct err err = {0};

	ck_assert_msg((read_text(text, &config, &err) < 0) == (wrong_line > 0), "%.40s...: %s", text, err.text);
	ck_assert_uint_eq(err.line, wrong_line);
	if (!wrong_line)
		quick_config_clear(&config);
	free(text);
}

static const char INTERFACE[] = "[Interface]\n\n",
		  PEER[] = "[Peer]\nPublicKey = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

static char *repeated(const char *head, const char *before, const char *after, unsigned count)
{
	struct text text = {0};

	text_add(&text, "%s", head);
	for (unsigned i = 0; i < count; i++)
		text_add(&text, "%s10.%u.%u.1%s\n", before, i / 256, i % 256, after);
	return text_take(&text);
}

static void check_count(const char *before, const char *after, unsigned limit)
{
	check(repeated(INTERFACE, before, after, limit), 0);
	check(repeated(INTERFACE, before, after, limit + 1), limit + 3);
}

START_TEST(as_many_as_the_limits_say_and_one_beyond)
{
	check_count("Address = ", "/32", QUICK_ADDRESSES_MAX);
	check_count("DNS = ", "", QUICK_DNS_MAX);
	check_count("DNS = net", "", QUICK_DNS_MAX);
	check_count("PreUp = ping ", "", QUICK_HOOKS_MAX);
	check_count("PostUp = ping ", "", QUICK_HOOKS_MAX);
	check_count("PreDown = ping ", "", QUICK_HOOKS_MAX);
	check_count("PostDown = ping ", "", QUICK_HOOKS_MAX);
}
END_TEST

static void check_warnings(unsigned count, unsigned told)
{
	CLEANUP_FREE char *text = repeated(PEER, "AllowedIPs = ", "/24", count);
	struct quick_config config;
	struct err err = {0};

	ck_assert_msg(read_text(text, &config, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(config.warnings.count, told);
	ck_assert(!strstr(config.warnings.items[told - 1], "more to warn of") == (count <= QUICK_WARNINGS_MAX));
	quick_config_clear(&config);
}

START_TEST(what_is_not_warned_of_is_told)
{
	check_warnings(QUICK_WARNINGS_MAX, QUICK_WARNINGS_MAX);
	check_warnings(QUICK_WARNINGS_MAX + 1, QUICK_WARNINGS_MAX + 1);
	check_warnings(QUICK_WARNINGS_MAX + 2, QUICK_WARNINGS_MAX + 1);
}
END_TEST

/* In the third line. */
static char *prolonged(const char *head, const char *before, const char *after, size_t length)
{
	struct text text = {0};

	text_add(&text, "%s%s", head, before);
	for (size_t i = 0; i < length; i++)
		text_add(&text, "x");
	text_add(&text, "%s\n", after);
	return text_take(&text);
}

static void check_length(const char *head, const char *before, const char *after, size_t limit)
{
	check(prolonged(head, before, after, limit), 0);
	check(prolonged(head, before, after, limit + 1), 3);
}

START_TEST(as_long_as_the_limits_say_and_one_beyond)
{
	check_length(INTERFACE, "PostUp = ", "", QUICK_HOOK_MAX_BYTES);
	check_length(INTERFACE, "DNS = ", "", QUICK_NAME_MAX);
	check_length(INTERFACE, "Table = ", "", QUICK_NAME_MAX);
	check_length(INTERFACE, "ListenPort = ", "", QUICK_NAME_MAX);
	check_length(PEER, "Endpoint = ", ":51820", QUICK_NAME_MAX);
	check_length(PEER, "Endpoint = host:", "", QUICK_NAME_MAX);
}
END_TEST

START_TEST(ports_and_marks_at_their_ends)
{
	static const struct {
		const char *text;
		bool right;
	} cases[] = {
		{"[Interface]\nListenPort=65535", true},
		{"[Interface]\nListenPort=65536", false},
		{"[Interface]\nListenPort=0", true},
		{"[Interface]\nListenPort=000080", true},
		{"[Interface]\nFwMark=0xffffffff", true},
		{"[Interface]\nFwMark=0x100000000", false},
		{"[Interface]\nFwMark=4294967295", true},
		{"[Interface]\nFwMark=4294967296", false},
		{"[Interface]\nFwMark=0X10", false},
		{"[Interface]\nFwMark=OFF", true},
		{"[Interface]\nMTU=", true},
		{"[Interface]\nMTU=0", false},
		{"[Interface]\nMTU=2147483647", true},
		{"[Interface]\nMTU=2147483648", false},
		{"[Interface]\nMTU=-1", false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct quick_config config = {0};
		struct err err = {0};

		ck_assert_msg((read_text(cases[i].text, &config, &err) == 0) == cases[i].right, "%s: %s",
			cases[i].text, err.text);
		quick_config_clear(&config);
	}
}
END_TEST

START_TEST(a_nul_is_refused)
{
	static const char text[] = "[Interface]\nMTU = 1\0"
				   "00\n";
	struct quick_config config;
	struct err err = {0};

	ck_assert_int_lt(quick_read("wg0.conf", text, sizeof(text) - 1, &config, &err), 0);
	ck_assert_uint_eq(err.line, 2);
	ck_assert_uint_eq(err.column, 8);
}
END_TEST

START_TEST(an_error_never_tells_a_key)
{
	struct quick_config config;
	struct err err = {0};

	ck_assert_int_lt(read_text("[Interface]\nPrivateKey = c2VjcmV0c2VjcmV0\n", &config, &err), 0);
	ck_assert_ptr_null(strstr(err.text, "c2Vj"));
}
END_TEST

START_TEST(strip_is_verbatim)
{
	static const struct {
		const char *text, *stripped;
	} cases[] = {
		{"", "\n"},
		{"[Interface]\nAddress = 10.0.0.1\n  PrivateKey=x # y\t\n",
			"[Interface]\nPrivateKey=x # y\n\n"},
		{"[Peer]\nAddress = 1\n", "[Peer]\nAddress = 1\n\n"},
		{"[interface]\r\nmtu=1\r\nFwMark = 1\r\n", "[interface]\r\nFwMark = 1\r\n\n"},
		{"\n\n[Interface]\n# c\n  ", "\n\n[Interface]\n# c\n\n"},
		{"no newline", "no newline\n\n"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		CLEANUP_FREE char *stripped = quick_strip(cases[i].text, strlen(cases[i].text));

		ck_assert_str_eq(stripped, cases[i].stripped);
	}
}
END_TEST

START_TEST(hooks_get_the_interface)
{
	CLEANUP_FREE char *text = quick_hook_text("a %i b%i%%i", "wg0");

	ck_assert_str_eq(text, "a wg0 bwg0%wg0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick-read");
	TCase *tests = tcase_create("read");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, right_files);
	tcase_add_test(tests, wrong_files);
	tcase_add_test(tests, as_many_as_the_limits_say_and_one_beyond);
	tcase_add_test(tests, what_is_not_warned_of_is_told);
	tcase_add_test(tests, as_long_as_the_limits_say_and_one_beyond);
	tcase_add_test(tests, ports_and_marks_at_their_ends);
	tcase_add_test(tests, a_nul_is_refused);
	tcase_add_test(tests, an_error_never_tells_a_key);
	tcase_add_test(tests, strip_is_verbatim);
	tcase_add_test(tests, hooks_get_the_interface);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
