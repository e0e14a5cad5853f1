/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"
#include "node-agent/core/explain/explain.h"
#include "node-agent/core/trace/packet.h"
#include "node-agent/io/explain/gather.h"

#define AGENT_SOCKET "/run/holdfast/agent.sock"

struct request {
	struct explain_question question;
	const char *socket;
	bool as_json;
};

/* ---- asking ---- */

static int read_port(const char *text, uint8_t protocol, struct request *request, struct err *err)
{
	uint64_t port;

	if (text_to_u64(text, 1, UINT16_MAX, &port) < 0)
		return err_set(err, -EINVAL, "\"%.32s\" is no port from 1 to 65535", text);
	request->question.protocol = protocol;
	request->question.port = (uint16_t)port;
	return 0;
}

static int read_interface(const char *text, struct request *request, struct err *err)
{
	if (!*text || !text_copy(request->question.in, sizeof(request->question.in), text))
		return err_set(err, -EINVAL, "\"%.32s\" is no name of an interface", text);
	return 0;
}

static int read_option(int option, const char *text, struct request *request, struct err *err)
{
	switch (option) {
	case 'j':
		request->as_json = true;
		return 0;
	case 'i':
		return read_interface(text, request, err);
	case 'f':
		return addr_parse(text, &request->question.from, err);
	case 't':
		return read_port(text, IPPROTO_TCP, request, err);
	case 'u':
		return read_port(text, IPPROTO_UDP, request, err);
	default: /* getopt_long() has said what is wrong */
		return err_set(err, -EINVAL, "see above");
	}
}

static int check(struct request *request, struct err *err)
{
	struct explain_question *question = &request->question;

	if (addr_is_set(&question->from) && !question->in[0])
		return err_set(err, -EINVAL,
			"--from needs --in INTERFACE: only another host's packet has a source yet");
	if (addr_is_set(&question->from) && question->from.family != question->to.family)
		return err_set(err, -EINVAL, "--from and ADDRESS are not of one family");
	if (!question->protocol)
		question->protocol = question->to.family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return 0;
}

static int read_request(const struct invocation *invocation, struct request *request, struct err *err)
{
	const char *controller = invocation->controller;
	int option, r = 0;

	request->socket = controller && !strncmp(controller, "unix:", 5) ? controller + 5 : AGENT_SOCKET;
	while (!r && (option = command_next_option(invocation)) != -1)
		r = read_option(option, optarg, request, err);
	if (r < 0)
		return r;
	if (optind + 2 != invocation->argc)
		return err_set(err, -EINVAL, "needs a peer and an address");
	if (!text_copy(request->question.peer, sizeof(request->question.peer), invocation->argv[optind]))
		return err_set(err, -EINVAL, "the peer's name is too long");
	r = addr_parse(invocation->argv[optind + 1], &request->question.to, err);
	return r < 0 ? r : check(request, err);
}

/* ---- answering ---- */

static const char *sign(const struct explain_finding *finding, const struct explain_finding *first)
{
	if (finding == first)
		return "NO";
	switch (finding->says) {
	case EXPLAIN_OK:
		return "ok";
	case EXPLAIN_NO:
		return "no";
	case EXPLAIN_DOUBTFUL:
		return "?";
	}
	return "?";
}

static void print_question(const struct explain_question *question)
{
	struct trace_packet packet = {
		.to = question->to, .protocol = question->protocol, .dport = question->port};
	char what[TRACE_PACKET_TEXT_MAX], to[ADDR_TEXT_MAX];

	printf("%s to %s, %s%s\n", trace_packet_format(&packet, what),
		addr_format(&question->to, to, sizeof(to)),
		question->in[0] ? "forwarded from " : "from this machine", question->in);
}

static void print_findings(const struct explain_question *question, const struct explain_findings *findings)
{
	const struct explain_finding *first = explain_first_no(findings);

	print_question(question);
	for (size_t i = 0; i < findings->count; i++) {
		const struct explain_finding *finding = &findings->items[i];

		printf("%s %-2s  %-16s  %s\n", finding == first ? ">" : " ", sign(finding, first),
			explain_step_name(finding->step), finding->text);
		if (finding->todo[0])
			printf("%25s%s\n", "-> ", finding->todo);
	}
	if (first)
		printf("\nThe first to say no: %s: %s\n", explain_step_name(first->step), first->text);
	else
		printf("\nNothing here says no.\n");
}

static void put_finding(json_t *list, const struct explain_finding *finding)
{
	json_t *object = jput_object(list, NULL);

	jput_text(object, "step", explain_step_name(finding->step));
	jput_text(object, "says", explain_says_name(finding->says));
	jput_text(object, "text", finding->text);
	if (finding->todo[0])
		jput_text(object, "todo", finding->todo);
}

static void print_json(const struct explain_facts *facts, const struct explain_findings *findings)
{
	const struct explain_finding *first = explain_first_no(findings);
	json_t *root = json_object(), *list;
	CLEANUP_FREE char *text = NULL;

	jput_text(root, "peer", facts->question.peer);
	jput_addr(root, "address", &facts->question.to);
	if (facts->found) {
		jput_key(root, "public_key", &facts->peer.public_key);
		jput_text(root, "tunnel", facts->tunnel.name);
	}
	if (facts->question.in[0])
		jput_text(root, "in", facts->question.in);
	jput_text(root, "first_no", first ? explain_step_name(first->step) : NULL);
	list = jput_array(root, "findings");
	for (size_t i = 0; i < findings->count; i++)
		put_finding(list, &findings->items[i]);
	text = json_pretty(root, NULL);
	json_decref(root);
	puts(text);
}

int command_explain(const struct invocation *invocation)
{
	struct explain_findings findings = {0};
	struct explain_facts facts = {0};
	struct request request = {0};
	struct err err = {0};
	bool no;

	if (read_request(invocation, &request, &err) < 0)
		return command_misused(invocation, err.text);
	if (geteuid() != 0) {
		err_set(&err, -EPERM, "must be root: it looks at WireGuard, routing and the firewall");
		return command_fail(&err);
	}
	if (explain_gather(&request.question, request.socket, &facts, &err) < 0)
		return command_fail(&err);
	explain(&facts, &findings);
	if (request.as_json)
		print_json(&facts, &findings);
	else
		print_findings(&request.question, &findings);
	no = explain_first_no(&findings);
	explain_findings_clear(&findings);
	explain_facts_clear(&facts);
	return no ? COMMAND_FAILED : COMMAND_OK;
}
