#
# SPDX-License-Identifier: BSD-3-Clause
#
# The TwinVisor dispatcher: runs the S-visor (BL32) at Secure EL2 and carries
# calls between it and the normal world. With TVD_HAVMSI=1, for cores without
# Secure EL2, it starts the S-visor at Non-secure EL2, in place of the kernel;
# the platform must have put BL32 into Non-secure memory then.
TVD_HAVMSI		?=	0
$(eval $(call assert_boolean,TVD_HAVMSI))
$(eval $(call add_define,TVD_HAVMSI))

# Directory that holds twinvisor/abi.h
TV_INCLUDE		?=
ifeq (${TV_INCLUDE},)
        $(error TV_INCLUDE must name the directory of twinvisor/abi.h)
endif

include common/fdt_wrappers.mk

SPD_INCLUDES		:=	-I${TV_INCLUDE} -Iservices/spd/tvd

ifeq (${TVD_HAVMSI},1)
TVD_SOURCES		:=	tvd_havmsi.c
else
TVD_SOURCES		:=	tvd_context.c			\
				tvd_fast.S			\
				tvd_helpers.S			\
				tvd_main.c			\
				tvd_pm.c
endif
SPD_SOURCES		:=	$(addprefix services/spd/tvd/,	\
				${TVD_SOURCES} tvd_manifest.c)	\
				${FDT_WRAPPERS_SOURCES}

# 0: calls go through runtime services and context management, as others do
TVD_FAST		?=	1

# How the S-visor is entered, for the token
ifeq (${TVD_HAVMSI},1)
TVD_CONFIG		:=	2
else
TVD_CONFIG		:=	${TVD_FAST}
endif

# With verified and measured boot, BL2 gives the S-visor its keys (docs/boot.md).
ifeq (${MEASURED_BOOT},1)

ifneq (${TRUSTED_BOARD_BOOT},1)
        $(error SPD=tvd with MEASURED_BOOT=1 needs TRUSTED_BOARD_BOOT=1)
endif

# Directories of our cryptography and of tinycbor; the device's secret of 32 bytes,
# its certificate (DER), and TV_LIFECYCLE_* of abi.h
TV_CRYPTO		?=
TINYCBOR_DIR		?=
TVD_SECRET		?=
TVD_CERTIFICATE		?=
TVD_LIFECYCLE		?=	TV_LIFECYCLE_DEVELOPMENT
ifneq ($(words ${TV_CRYPTO} ${TINYCBOR_DIR} ${TVD_SECRET} ${TVD_CERTIFICATE}),4)
        $(error TV_CRYPTO, TINYCBOR_DIR, TVD_SECRET and TVD_CERTIFICATE must be given)
endif

SPD_INCLUDES		+=	-I${TV_CRYPTO} -I${TINYCBOR_DIR}/src	\
				-I${MBEDTLS_DIR}/3rdparty/p256-m/p256-m

LIBTVCRYPTO_SRCS	:=	$(addprefix ${TV_CRYPTO}/, cose.c hmac.c p256.c) \
				${TINYCBOR_DIR}/src/cborencoder.c
libtvcrypto_CFLAGS	:=	-DCBOR_NO_FLOATING_POINT
$(eval $(call MAKE_LIB,tvcrypto))

BL2_SOURCES		+=	$(addprefix services/spd/tvd/,	\
				tvd_boot.c			\
				tvd_device.S)
BL2_CPPFLAGS		+=	-DTVD_SECRET='"${TVD_SECRET}"'		\
				-DTVD_CERTIFICATE='"${TVD_CERTIFICATE}"' \
				-DTVD_LIFECYCLE=${TVD_LIFECYCLE}	\
				-DTVD_CONFIG=${TVD_CONFIG}
${BUILD_PLAT}/bl2/tvd_device.o: ${TVD_SECRET} ${TVD_CERTIFICATE}

endif

NEED_BL32		:=	yes

# Activity monitors count in both worlds: the normal world must not have them.
ifneq ($(filter-out 0,${ENABLE_FEAT_AMU}),)
        $(error ENABLE_FEAT_AMU would let the normal world count what S-VMs do)
endif

# There is no more than one EL2 without Secure EL2, and nothing at all in the Secure world.
ifneq (${TVD_HAVMSI},1)

SPD_AT_SEL2		:=	1
CTX_INCLUDE_EL2_REGS	:=	1
SPD_FAST_SMC		:=	${TVD_FAST}

# S-VMs use SVE and FP; the S-visor saves and scrubs their registers.
ENABLE_SVE_FOR_SWD	:=	1

# A caller in streaming mode would have the S-visor's vector instructions trap to
# EL3: it must be able to leave that mode. S-VMs have no SME.
ENABLE_SME_FOR_SWD	:=	1

endif
