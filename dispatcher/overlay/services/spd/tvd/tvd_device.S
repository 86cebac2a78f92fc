/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes BL2 the one of this device: its secret, writable to be erased, and the
 * certificate of the key that is made of it.
 */
	.global	tvd_secret
	.global	tvd_secret_end
	.global	tvd_certificate
	.global	tvd_certificate_end

	.section .data.tvd_secret, "aw"
	.balign	64
tvd_secret:
	.incbin	TVD_SECRET
tvd_secret_end:
	.balign	64

	.section .rodata.tvd_certificate, "a"
tvd_certificate:
	.incbin	TVD_CERTIFICATE
tvd_certificate_end:
