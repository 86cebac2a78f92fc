/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's image, whole pages. */
	.section .rodata
	.balign	4096
	.global	guest_image, guest_image_end
guest_image:
	.incbin	GUEST
	.balign	4096
guest_image_end:
