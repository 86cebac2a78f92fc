/* SPDX-License-Identifier: BSD-3-Clause */
/* tvg fetch-secret: the guest's side of secret.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secret.h"
#include "tvg.h"

static int connect_to(const char *host, const char *port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
	struct sockaddr *to = (struct sockaddr *)&v4;
	socklen_t size = sizeof(v4);
	int fd;

	if (inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
		if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
			fail("%s: is no IP address", host);
		to = (struct sockaddr *)&v6;
		size = sizeof(v6);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, to, size))
		fail("no verifier at %s port %s: %s", host, port, strerror(errno));
	return fd;
}

/* A message that is to be of this type; a refusal's text is the last word. */
static size_t receive(int fd, enum message wanted, size_t least, uint8_t bytes[MESSAGE_MAX])
{
	enum message type;
	int size = message_receive(fd, &type, bytes);

	if (size < 0)
		fail("the verifier is gone: %s", strerror(errno));
	if (type == REFUSAL)
		fail("refused by the verifier: %.*s", size, (char *)bytes);
	if (type != wanted || (size_t)size < least)
		fail("what answers is no verifier");
	return size;
}

static size_t claim_make(const uint8_t nonce[NONCE_SIZE], const uint8_t point[POINT_SIZE],
			 uint8_t *claim)
{
	uint8_t challenge[CHALLENGE_SIZE];

	if (!challenge_make(nonce, point, challenge))
		fail("no SHA-512");
	memcpy(claim, point, POINT_SIZE);
	return POINT_SIZE + token_get(challenge, sizeof(challenge), claim + POINT_SIZE);
}

int main(int argc, char **argv)
{
	static uint8_t message[MESSAGE_MAX];
	uint8_t nonce[NONCE_SIZE], point[POINT_SIZE], secret[SECRET_MAX];
	struct session session = {nonce, point, message, NULL};
	size_t size;
	int fd;

	arguments(argc, argv, 2, "HOST PORT",
		  "Show the verifier at this address a token of this VM, and write the secret that "
		  "it gives to standard output. On its way nobody can read it.");
	fd = connect_to(argv[1], argv[2]);
	receive(fd, NONCE, NONCE_SIZE, message);
	memcpy(nonce, message, NONCE_SIZE);
	session.mine = key_make(point);
	if (!session.mine)
		fail("cannot make a key");
	size = claim_make(nonce, point, message);
	if (!message_send(fd, CLAIM, message, size))
		fail("the verifier is gone: %s", strerror(errno));
	size = receive(fd, SECRET, POINT_SIZE + TAG_SIZE, message) - POINT_SIZE;
	close(fd);
	if (size > SECRET_MAX + TAG_SIZE ||
	    !secret_open(&session, message + POINT_SIZE, size, secret))
		fail("what came is not what the verifier sent, or it was sent to another");
	put(secret, size - TAG_SIZE);
	explicit_bzero(secret, sizeof(secret));
	return 0;
}
