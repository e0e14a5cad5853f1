/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/nft/gateway.h"

#include <check.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/nft/wire.h"

static void address_host(struct gateway *gateway)
{
	site_enter(gateway->host.namespace);
	run("ip", "addr", "add", HOST4 "/24", "dev", "eth0", NULL);
	run("ip", "addr", "add", HOST6 "/64", "dev", "eth0", "nodad", NULL);
	site_await_group("eth0", HOST6);
	site_enter(gateway->site.gateway);
}

static void address_gateway(void)
{
	write_sysctl("ipv4/conf/wan0/arp_ignore", "1");
	write_sysctl("ipv4/conf/wan0/arp_announce", "2");
	run("ip", "addr", "add", GATEWAY4 "/24", "dev", "wan0", NULL);
	run("ip", "addr", "add", GATEWAY6 "/64", "dev", "wan0", "nodad", NULL);
	run("ip", "addr", "add", DIAL4 "/32", "dev", "lo", "scope", "host", NULL);
	run("ip", "addr", "add", DIAL6 "/128", "dev", "lo", "nodad", "preferred_lft", "0", NULL);
	run("ip", "addr", "add", DIAL4 "/32", "dev", "wan0", NULL);
	run("ip", "addr", "add", DIAL6 "/128", "dev", "wan0", "nodad", "preferred_lft", "0", NULL);
	site_await_group("wan0", GATEWAY6);
	site_await_group("wan0", DIAL6);
}

struct gateway gateway_open(void)
{
	struct firewall firewall = sample_gateway();
	struct gateway gateway = {.site = site_open()};
	struct err err = {0};
	site_keep_order();
	gateway.host = site_join("wan0");
	address_host(&gateway);
	address_gateway();
	firewall.tunnel_count = 2;
	gateway.ruleset = sample_build(&firewall);
	gateway.permit = sample_permit();
	ck_assert_msg(nft_open(&gateway.nft, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_apply(gateway.nft, gateway.ruleset, NULL, 0, NULL, &err) == 0, "%s", err.text);
	return gateway;
}

void gateway_close(struct gateway *gateway)
{
	nft_close(gateway->nft);
	fw_ruleset_free(gateway->ruleset);
}

void gateway_permit(struct gateway *gateway)
{
	ck_assert_int_eq(nft_permit_acquire(gateway->nft, &gateway->permit, PERMIT_MS), 0);
}

static void format_mac(const char *interface, char *buffer, size_t size)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	ck_assert_int_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	const unsigned char *mac = (unsigned char *)request.ifr_hwaddr.sa_data;
	snprintf(buffer, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
	close(fd);
}

void gateway_give_host_neighbours(struct gateway *gateway)
{
	static const char *const addresses[] = {GATEWAY4, GATEWAY6, DIAL4, DIAL6};
	char mac[18];
	format_mac("wan0", mac, sizeof mac);
	site_enter(gateway->host.namespace);
	for (size_t i = 0; i < 4; i++)
		run("ip", "neigh", "replace", addresses[i], "lladdr", mac, "dev", "eth0", NULL);
	site_enter(gateway->site.gateway);
}

struct host_tools host_tools_open(struct gateway *gateway)
{
	struct host_tools tools;
	struct err err = {0};
	site_enter(gateway->host.namespace);
	ck_assert_msg(icmp_open(&tools.icmp, &err) == 0, "%s", err.text);
	ck_assert_msg(probe_open(&tools.probe, &err) == 0, "%s", err.text);
	site_enter(gateway->site.gateway);
	return tools;
}

void host_tools_close(struct host_tools *tools)
{
	icmp_close(tools->icmp);
	probe_close(tools->probe);
}

static void await(const int fds[2])
{
	struct pollfd poll_fds[] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
	ck_assert_msg(poll(poll_fds, 2, SOON_MS) > 0, "not even the other address answers");
}

bool host_pings(struct host_tools *tools, const char *address)
{
	static uint16_t sequence;
	struct addr asked = sample_addr(address);
	struct addr other = sample_addr(asked.family == AF_INET ? GATEWAY4 : GATEWAY6);
	struct icmp_answer answer;
	bool answered = false;
	int fds[ICMP_FDS];
	sequence++;
	icmp_fds(tools->icmp, fds);
	ck_assert_int_eq(icmp_send(tools->icmp, &asked, "eth0", NULL, sequence), 0);
	ck_assert_int_eq(icmp_send(tools->icmp, &other, "eth0", NULL, sequence), 0);
	for (;;) {
		while (icmp_read(tools->icmp, &answer) == 1) {
			if (answer.sequence != sequence)
				continue;
			ck_assert_int_le(answer.received_us / 1000, wire_now_ms() + 1);
			if (addr_equal(&answer.from, &other))
				return answered;
			answered |= addr_equal(&answer.from, &asked);
		}
		await(fds);
	}
}

bool host_probes(struct host_tools *tools, const char *address)
{
	struct addr asked = sample_addr(address);
	bool ip4 = asked.family == AF_INET;
	struct addr other = sample_addr(ip4 ? GATEWAY4 : GATEWAY6), own = sample_addr(ip4 ? HOST4 : HOST6);
	struct probe_answer answer;
	bool answered = false;
	int fds[PROBE_FDS];
	probe_fds(tools->probe, fds);
	while (probe_read(tools->probe, &answer) == 1)
		; /* answers to earlier questions */
	ck_assert_int_eq(probe_send(tools->probe, "eth0", &asked, &own), 0);
	ck_assert_int_eq(probe_send(tools->probe, "eth0", &other, &own), 0);
	for (;;) {
		while (probe_read(tools->probe, &answer) == 1) {
			if (addr_equal(&answer.address, &other))
				return answered;
			answered |= addr_equal(&answer.address, &asked);
		}
		await(fds);
	}
}
