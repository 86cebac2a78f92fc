/* SPDX-License-Identifier: BSD-3-Clause */
/* answered: exits of S-VM 0 that the S-visor has dealt with, so far as they were counted. */
#include <fcntl.h>
#include <linux/twinvisor.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(void)
{
	struct twinvisor_vm vm = {0};
	int fd = open("/dev/twinvisor", O_RDONLY);

	if (fd < 0 || ioctl(fd, TWINVISOR_VM, &vm)) {
		perror("/dev/twinvisor");
		return 1;
	}
	printf("%llu\n", vm.answered);
	return 0;
}
