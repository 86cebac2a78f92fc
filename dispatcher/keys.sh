# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC2034,SC2154 # variables for the caller, and from it
# Sourced by build.sh, with $top, $keys and $mbedtls set: sets $rot_key, $secret, $certificate and
# $lifecycle. Development keys are made in $keys, once (docs/boot.md):
#   rot.pem                  private key that signs the firmware
#   secret                   the device's secret: the published one
#   root.pem, root-key.pem   who vouches for devices: the certificate that verifiers take, and its key
#   device-*.der             what certifies the device's key, for each secret and root

mkdir -p "$keys"
exec 9>"$keys/lock"
flock 9

new_key() {
	(umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$1.new")
	mv "$1.new" "$1"
}

# Certificates of development have no end, and begin before any machine's clock.
certify() {
	openssl x509 -new -not_before 20240101000000Z -not_after 99991231235959Z "$@"
}

new_root() {
	new_key "$keys/root-key.pem"
	printf '%s\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign \
		subjectKeyIdentifier=hash >"$keys/extensions"
	certify -subj "/O=TwinVisor/CN=Development root" -key "$keys/root-key.pem" \
		-extfile "$keys/extensions" -out "$keys/root.pem.new"
	mv "$keys/root.pem.new" "$keys/root.pem"
}

device_public() {
	cc -O1 -I"$top/crypto" -isystem "$mbedtls/include" -isystem "$mbedtls/3rdparty/p256-m/p256-m" \
		-o "$keys/devicekey" "$top/dispatcher/devicekey.c" "$top/crypto/hmac.c" "$top/crypto/p256.c" \
		"$mbedtls/library/sha256.c" "$mbedtls/library/platform_util.c"
	"$keys/devicekey" "$secret" >"$keys/public.der"
	openssl pkey -pubin -inform DER -in "$keys/public.der" -out "$keys/public.pem"
}

new_certificate() {
	device_public
	name=$(sha256sum <"$keys/public.der")
	printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
		authorityKeyIdentifier=keyid >"$keys/extensions"
	certify -subj "/O=TwinVisor/CN=Device ${name%"${name#????????????????}"}" \
		-force_pubkey "$keys/public.pem" -CA "$root" -CAkey "$root_key" \
		-extfile "$keys/extensions" -outform DER -out "$certificate.new"
	mv "$certificate.new" "$certificate"
}

check_certificate() {
	device_public
	openssl x509 -inform DER -in "$certificate" -noout -pubkey | cmp -s - "$keys/public.pem" || {
		echo "dispatcher/build.sh: $certificate is not of the key that $secret makes" >&2
		exit 1
	}
}

rot_key=${ROT_KEY:-$keys/rot.pem}
if [ ! -e "$rot_key" ]; then new_key "$rot_key"; fi
if [ ! -e "$keys/root.pem" ]; then new_root; fi
root=${DEVICE_ROOT:-$keys/root.pem}
root_key=${DEVICE_ROOT_KEY:-$keys/root-key.pem}

secret=$keys/secret
lifecycle=TV_LIFECYCLE_DEVELOPMENT
[ -e "$secret" ] || printf 'TwinVisor: this secret is public' >"$secret"
if [ -n "${DEVICE_SECRET:-}" ]; then
	secret=$DEVICE_SECRET
	lifecycle=TV_LIFECYCLE_SECURED
fi
if [ -n "${DEVICE_CERT:-}" ]; then
	certificate=$DEVICE_CERT
	check_certificate
else
	of=$(cat "$secret" "$root" | sha256sum)
	certificate=$keys/device-${of%"${of#????????????????}"}.der
	if [ ! -e "$certificate" ]; then new_certificate; fi
fi
flock -u 9
