/* SPDX-License-Identifier: BSD-3-Clause */
/* tv mem, reclaim: the pools of secure memory. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/twinvisor.h>

#include "tv.h"

#define MAX_CHUNKS 1048576 /* of a pool: 8 TiB */
#define IN_A_LINE 64
#define CHUNK_MIB 8

/* VMMs in the order in which they are met; each has its letter. */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static struct {
	int32_t pid;
	unsigned int chunks;
} owners[sizeof(LETTERS) - 1];
static unsigned int nowners;

static char owner_letter(int32_t pid)
{
	unsigned int i;

	for (i = 0; i < nowners && owners[i].pid != pid; i++)
		;
	if (i == sizeof(owners) / sizeof(*owners))
		return '+';
	if (i == nowners)
		owners[nowners++].pid = pid;
	owners[i].chunks++;
	return LETTERS[i];
}

static char chunk_sign(int32_t owner)
{
	switch (owner) {
	case TWINVISOR_CHUNK_LINUX:
		return '.';
	case TWINVISOR_CHUNK_FREE:
		return '-';
	case TWINVISOR_CHUNK_SVISOR:
		return '#';
	case TWINVISOR_CHUNK_LOST:
		return '!';
	default:
		return owner_letter(owner);
	}
}

static unsigned int count(const int32_t *owner, uint64_t n, int32_t which)
{
	unsigned int found = 0;

	for (uint64_t i = 0; i < n; i++)
		found += owner[i] == which;
	return found;
}

static void print_map(const struct twinvisor_pool *pool, const int32_t *owner)
{
	unsigned int holes = count(owner, pool->run, TWINVISOR_CHUNK_FREE);

	printf("pool %u: node %d, %#llx, %llu chunks of %u MiB; secure: %llu, of them free: %u\n",
	       pool->index, pool->node, pool->base, pool->chunks, CHUNK_MIB, pool->run, holes);
	for (unsigned long long i = 0; i < pool->chunks; i++) {
		if (i % IN_A_LINE == 0)
			printf("%8llu  ", i);
		putchar(chunk_sign(owner[i]));
		if (i + 1 == pool->run)
			putchar('|');
		if ((i + 1) % IN_A_LINE == 0 || i + 1 == pool->chunks)
			putchar('\n');
	}
}

static bool get_pool(int fd, uint32_t index, struct twinvisor_pool *pool, int32_t *owner)
{
	*pool = (struct twinvisor_pool){
		.index = index, .room = MAX_CHUNKS, .owners = (uintptr_t)owner};
	if (!ioctl(fd, TWINVISOR_POOL, pool))
		return true;
	if (errno != ENOENT)
		fail("the pools cannot be shown: %s", strerror(errno));
	return false;
}

static void print_legend(void)
{
	for (unsigned int i = 0; i < nowners; i++)
		printf("%c: VMM %d, %u chunks, %u MiB\n", LETTERS[i], owners[i].pid,
		       owners[i].chunks, owners[i].chunks * CHUNK_MIB);
	puts(".: the host's  -: secure, free  #: the S-visor's own  !: lost  |: end of what is "
	     "secure");
}

int cmd_mem(int argc, char **argv)
{
	int32_t *owner = calloc(MAX_CHUNKS, sizeof(*owner));
	struct twinvisor_pool pool;
	int fd;

	no_arguments(argc, argv,
		     "Show the pools of secure memory as maps, a sign a chunk (8 MiB): whose it "
		     "is, where the secure part ends, and its holes.");
	if (!owner)
		fail("no memory");
	fd = device_open(O_RDONLY | O_CLOEXEC);
	for (uint32_t i = 0; get_pool(fd, i, &pool, owner); i++)
		print_map(&pool, owner);
	print_legend();
	free(owner);
	return 0;
}

static error_t parse_reclaim(int key, char *arg, struct argp_state *state)
{
	__u64 *chunks = state->input;
	char *end;

	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "how many chunks?");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	*chunks = strtoull(arg, &end, 10);
	if (*end || *arg == '-' || !*chunks)
		argp_error(state, "%s is no number of chunks", arg);
	return 0;
}

int cmd_reclaim(int argc, char **argv)
{
	static const struct argp argp = {
		NULL,
		parse_reclaim,
		"N",
		"Take N chunks (8 MiB each) of secure memory back for the host, moving those of "
		"S-VMs together where that makes room; prints how many came.",
		NULL,
		NULL,
		NULL,
	};
	__u64 chunks = 0;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &chunks);
	fd = device_open(O_RDWR | O_CLOEXEC);
	if (ioctl(fd, TWINVISOR_RECLAIM, &chunks))
		fail("nothing came back: %s", strerror(errno));
	printf("%llu\n", chunks);
	return 0;
}
