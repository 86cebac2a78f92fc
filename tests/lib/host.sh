# SPDX-License-Identifier: BSD-3-Clause
# Sourced, at the repository's top: what the S-visor is made of on the host twin. Sets host_include
# and host_sources; havmsi_include and havmsi_sources, which are to be added for cores without Secure EL2.
# Environment: MBEDTLS and TINYCBOR, source directories of mbedTLS 3.6 and tinycbor 0.6; SVISOR, another
# svisor/ directory.
svisor=${SVISOR:-svisor}
mbedtls=${MBEDTLS:-build/src/mbedtls}
tinycbor=${TINYCBOR:-build/src/tinycbor}
for source in "$mbedtls/library/sha256.c" "$tinycbor/src/cbor.h"; do
	[ -e "$source" ] && continue
	echo "Bail out! no $source: set MBEDTLS= and TINYCBOR="
	exit 1
done
host_include="-Iinclude -I$svisor/core -I$svisor/virtio -I$svisor/attest -Icrypto -I$svisor/arch -I$svisor/platform
	-I$svisor/arch/host -Itests/lib -isystem $mbedtls/include -isystem $mbedtls/3rdparty/p256-m/p256-m
	-isystem $tinycbor/src -DMBEDTLS_CONFIG_FILE=\"mbedtls_config.h\""
host_sources="$svisor/core/*.c $svisor/virtio/*.c $svisor/attest/*.c crypto/*.c $svisor/arch/host/*.c
	$mbedtls/library/sha256.c $mbedtls/library/platform_util.c
	$tinycbor/src/cborencoder.c $tinycbor/src/cborparser.c"
# All but what is machine code
havmsi_include="-DTV_HAVMSI -I$svisor/havmsi -Itests/unit"
havmsi_sources="$svisor/havmsi/leaves.c $svisor/havmsi/lend.c $svisor/havmsi/nvm.c $svisor/havmsi/stage2.c"
