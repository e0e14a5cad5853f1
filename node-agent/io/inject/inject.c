/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/inject/inject.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"

struct inject {
	int program;
};

static int call(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static uint64_t pointer(const void *data)
{
	return (uint64_t)(uintptr_t)data;
}

int inject_open(struct inject **ret_inject, struct err *err)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	struct inject *inject;
	int r;

	memset(&attr, 0, sizeof(attr)); /* the kernel refuses what it does not know unless it is zero */
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insn_cnt = ARRAY_COUNT(pass);
	attr.insns = pointer(pass);
	attr.license = pointer("GPL");
	r = call(BPF_PROG_LOAD, &attr);
	if (r < 0)
		return err_set(err, r, "cannot load a program into the kernel: %s", strerror(-r));
	inject = mem_new(1, sizeof(*inject));
	inject->program = r;
	*ret_inject = inject;
	return 0;
}

void inject_close(struct inject *inject)
{
	if (!inject)
		return;
	close(inject->program);
	free(inject);
}

int inject_frame(
	const struct inject *inject, unsigned ifindex, const uint8_t *frame, size_t length, struct err *err)
{
	struct xdp_md context = {.data_end = (uint32_t)length, .ingress_ifindex = ifindex};
	union bpf_attr attr;
	int r;

	if (length > INJECT_FRAME_MAX)
		return err_set(err, -EMSGSIZE, "a frame of %zu bytes is too long", length);
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)inject->program;
	attr.test.data_in = pointer(frame);
	attr.test.data_size_in = (uint32_t)length;
	attr.test.ctx_in = pointer(&context);
	attr.test.ctx_size_in = sizeof(context);
	attr.test.repeat = 1;
	attr.test.batch_size = 1;
	attr.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
	r = call(BPF_PROG_TEST_RUN, &attr);
	return r < 0 ? err_set(err, r, "cannot let a packet in: %s", strerror(-r)) : 0;
}
