/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * To be preloaded: while there is a file NO_ANSWER the kernel has no memory to answer some questions, as it happens on a
 * machine that is full. The file says which: the name of a link, or "tables" (of nftables).
 */
enum { WORD_MAX = 32 };

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t size);

static bool read_word(char word[WORD_MAX])
{
	const char *path = getenv("NO_ANSWER");
	FILE *file = path ? fopen(path, "re") : NULL;
	bool read = file && fgets(word, WORD_MAX, file);

	if (file)
		fclose(file);
	return read;
}

static bool asks_for_link(const struct nlmsghdr *message, const char *name)
{
	struct nlattr *attribute;

	if (message->nlmsg_type != RTM_GETLINK)
		return false;
	mnl_attr_for_each(attribute, message, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME && !strcmp(mnl_attr_get_str(attribute), name))
			return true;
	}
	return false;
}

static bool is_refused(const void *bytes, size_t size)
{
	const struct nlmsghdr *message = bytes;
	char word[WORD_MAX];

	if (size < sizeof(*message) || !read_word(word))
		return false;
	return strcmp(word, "tables") ? asks_for_link(message, word)
				      : NFNL_SUBSYS_ID(message->nlmsg_type) == NFNL_SUBSYS_NFTABLES;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t size)
{
	typedef ssize_t send_function(const struct mnl_socket *, const void *, size_t);
	send_function *really = (send_function *)dlsym(RTLD_NEXT, "mnl_socket_sendto");

	if (is_refused(bytes, size)) {
		errno = ENOBUFS;
		return -1;
	}
	return really(socket, bytes, size);
}
