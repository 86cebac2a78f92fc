/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verifier: a tenant's server, at home, that gives a secret to the S-VM that it was made for and to
 * nobody else (guest/tvg/secret.h). Each connection has a process of its own.
 */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../guest/tvg/secret.h"
#include "../verify/verify.h"

#define PATIENCE 120 /* seconds, for a claim */
#define GUESTS 32    /* at once */

const char *argp_program_version = "verifier (TwinVisor) 1.0";

static const struct argp_option table[] = {
	{"root", 'r', "FILE", 0, "certificate (PEM) of who made the device", 0},
	{"measurement", 'm', "HEX", 0, "the launch measurement, as tv measure computes it", 0},
	{"svisor", 's', "HEX", 0, "SHA-256 of the S-visor's image", 0},
	{"policy", 'p', "FILE", 0, "the launch policy that the S-VM was to have", 0},
	{"debug", 'd', NULL, 0, "a machine that can be debugged will do", 0},
	{"address", 'a', "ADDRESS", 0, "where to listen, IPv4 (127.0.0.1)", 0},
	{"port", 'P', "PORT", 0, "and the port, 0: any (0)", 0},
	{0},
};

struct options {
	struct verify_want want;
	uint8_t measurement[HASH], svisor[HASH], policy[POLICY_MOST], secret[SECRET_MAX];
	size_t secret_size;
	struct in_addr address;
	uint16_t port;
};

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	fputs("verifier: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static size_t file_read(const char *path, uint8_t *out, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		fail("%s: %s", path, strerror(errno));
	n = fread(out, 1, room, file);
	if (ferror(file) || !n || fgetc(file) != EOF)
		fail("%s: is empty, or has more than %zu bytes", path, room);
	fclose(file);
	return n;
}

static const uint8_t *hash_parse(struct argp_state *state, const char *text, uint8_t out[HASH])
{
	size_t n = 0;

	if (!OPENSSL_hexstr2buf_ex(out, HASH, &n, text, '\0') || n != HASH)
		argp_error(state, "%s: is no SHA-256 of %d hexadecimal digits", text, 2 * HASH);
	return out;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'r':
		o->want.root = arg;
		return 0;
	case 'm':
		o->want.measurement = hash_parse(state, arg, o->measurement);
		return 0;
	case 's':
		o->want.svisor = hash_parse(state, arg, o->svisor);
		return 0;
	case 'p':
		o->want.policy_size = file_read(arg, o->policy, sizeof(o->policy));
		o->want.policy = o->policy;
		return 0;
	case 'd':
		o->want.debug = true;
		return 0;
	case 'a':
		if (inet_pton(AF_INET, arg, &o->address) != 1)
			argp_error(state, "%s: is no IPv4 address", arg);
		return 0;
	case 'P':
		o->port = atoi(arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return ARGP_ERR_UNKNOWN;
		o->secret_size = file_read(arg, o->secret, sizeof(o->secret));
		return 0;
	case ARGP_KEY_END:
		if (!o->secret_size || !o->want.root)
			argp_error(state, "needs --root and a file with the secret");
		/* Otherwise any S-VM would have it, the host's own as well. */
		if (!o->want.measurement && !o->want.policy)
			argp_error(state, "needs --measurement or --policy");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = table,
	.parser = parse,
	.args_doc = "SECRET",
	.doc = "Give the contents of the file SECRET to the S-VM that the options describe, when "
	       "it "
	       "shows a fresh attestation token (tvg fetch-secret). A line on standard output "
	       "tells "
	       "of each that asked.",
};

/* ---- a guest --------------------------------------------------------------- */

static void refuse(int fd, const char *why)
{
	printf("verifier: refused: %s\n", why);
	message_send(fd, REFUSAL, why, strlen(why));
}

static bool release(int fd, const struct options *o, const uint8_t *nonce, const uint8_t *guest)
{
	uint8_t answer[POINT_SIZE + SECRET_MAX + TAG_SIZE];
	struct session session = {nonce, guest, answer, key_make(answer)};
	bool good = session.mine &&
		    secret_close(&session, o->secret, o->secret_size, answer + POINT_SIZE);

	EVP_PKEY_free(session.mine);
	return good && message_send(fd, SECRET, answer, POINT_SIZE + o->secret_size + TAG_SIZE);
}

static void hex(char *text, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* Its token is about the challenge that has this nonce and this key, or about something else. */
static void judge(int fd, const struct options *o, const uint8_t *nonce, const uint8_t *claim,
		  size_t size)
{
	uint8_t challenge[CHALLENGE_SIZE];
	struct verify_want want = o->want;
	struct verify_result result;
	char measurement[2 * HASH + 1];

	if (!challenge_make(nonce, claim, challenge)) {
		refuse(fd, "no SHA-512");
		return;
	}
	want.challenge = challenge;
	if (!token_verify(&want, claim + POINT_SIZE, size - POINT_SIZE, &result)) {
		refuse(fd, result.error);
		return;
	}
	hex(measurement, result.measurement, HASH);
	if (release(fd, o, nonce, claim))
		printf("verifier: gave the secret to S-VM %s on %s\n", measurement, result.device);
	else
		refuse(fd, "the guest's key is no point of the curve");
}

static void serve(int fd, const struct options *o)
{
	static uint8_t claim[MESSAGE_MAX];
	const struct timeval patience = {.tv_sec = PATIENCE};
	uint8_t nonce[NONCE_SIZE];
	enum message type;
	int size;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		fail("no random bytes: %s", strerror(errno));
	if (!message_send(fd, NONCE, nonce, sizeof(nonce)))
		return;
	size = message_receive(fd, &type, claim);
	if (size < 0)
		printf("verifier: a guest went away without a token\n");
	else if (type != CLAIM || size <= POINT_SIZE)
		refuse(fd, "this is no claim with a key and a token");
	else
		judge(fd, o, nonce, claim, size);
}

/* ---- the server ------------------------------------------------------------ */

static int listen_at(const struct options *o)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(o->port), .sin_addr = o->address};
	socklen_t size = sizeof(at);
	char address[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	inet_ntop(AF_INET, &o->address, address, sizeof(address));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, GUESTS) ||
	    getsockname(fd, (struct sockaddr *)&at, &size))
		fail("cannot listen at %s port %u: %s", address, o->port, strerror(errno));
	printf("verifier: listens at %s port %u\n", address, ntohs(at.sin_port));
	return fd;
}

int main(int argc, char **argv)
{
	static struct options o;
	int listener, fd;

	o.address.s_addr = htonl(INADDR_LOOPBACK);
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGCHLD, SIG_IGN); /* they are not waited for */
	listener = listen_at(&o);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		switch (fork()) {
		case 0:
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			close(listener);
			serve(fd, &o);
			return 0;
		case -1:
			perror("verifier: fork");
		}
		close(fd);
	}
}
