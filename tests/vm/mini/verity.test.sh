#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs with fs-verity: known by the digest that the kernel keeps, which nobody can change.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

bin=/opt/verity
ssh=/root/.ssh
rm -rf $bin
mkdir -p $bin
modprobe -q loop && modprobe -q ext4
dd if=/dev/zero of="$T/verity.img" bs=1M count=0 seek=16 2>/dev/null
if ! mkfs.ext4 -q -F -b 4096 -O extent,verity "$T/verity.img" >"$T/said" 2>&1; then
	not_ok "an ext4 with fs-verity is made" "$(cat "$T/said")"
	exit 1
fi
device=$(losetup -f)
if ! losetup "$device" "$T/verity.img" || ! mount -t ext4 "$device" $bin; then
	skip "fs-verity" "this kernel does not mount it"
	exit 0
fi
end() {
	umount $bin
	losetup -d "$device"
}
for name in known other sha512 plain touched; do
	cp $WAYS/read $bin/$name
done
known=$($WAYS/verity $bin/known sha256 2>"$T/said")
if [ $? -eq 2 ]; then
	skip "fs-verity" "$(cat "$T/said")"
	end
	exit 0
fi
other=$($WAYS/verity $bin/other sha256)
# Its algorithm may be a module that this guest does not have: then the digest is of the other.
modprobe -q sha512 || modprobe -q sha512_generic
sha512=$($WAYS/verity $bin/sha512 sha512 2>"$T/said") || {
	skip "SHA-512" "$(cat "$T/said")"
	sha512=$($WAYS/verity $bin/sha512 sha256)
}
touched=$($WAYS/verity $bin/touched sha256)
equal "one content, one digest" "$other $touched" "$known $known"
none=sha256:$(printf '%064d' 0)
policy_allow "{exe: $bin/known, verity: \"$known\"}" "{exe: $bin/other, verity: \"$none\"}" \
	"{exe: $bin/sha512, verity: \"$sha512\"}" "{exe: $bin/plain, verity: \"$known\"}" \
	"{exe: $bin/touched, verity: \"$touched\"}"
sed -i 's/- exe: {/- {/' "$T/policy.yaml"
key_new $ssh/id_known
for name in other sha512 plain touched again; do
	key_copy $ssh/id_$name
done
check "the policy is one" keytrail policy check "$T/policy.yaml"
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

for name in known other sha512 plain touched; do
	$bin/$name $ssh/id_$name >/dev/null || not_ok "$name reads" "it did not"
done
check "who has another digest is told of" wait_alert "$(of $ssh/id_other)"
check "and who has none" wait_alert "$(of $ssh/id_plain)"
chmod 0555 $bin/touched
$bin/touched $ssh/id_again >/dev/null
gather || exit 1
expect_field "with what the kernel says" "$(of $ssh/id_other)" .subject.exe_verity "$known"
expect_field "and why" "$(of $ssh/id_other)" '.rule | contains("its package or digest is another one")' true
expect_field "without, there is none" "$(of $ssh/id_plain)" .subject.exe_verity null
expect_field "the hash of the content is another one" "$(of $ssh/id_other)" .subject.exe_digest \
	"sha256:$(sha256sum $bin/other | cut -d' ' -f1)"
for name in known sha512 touched again; do
	expect 0 "by its digest: $name" "$(of $ssh/id_$name)"
done
kt_stop
end
