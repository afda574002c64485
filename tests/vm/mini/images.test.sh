#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Containers: a watch entry holds inside by object, whatever the path is there; and by the path at which
# the host sees a file of an image. A path inside of an image is not a path of the host: what only the
# container calls so is not watched.
# kernels: 6.1
# long kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

rm -rf /etc/keys /srv/images
cat >"$T/policy.yaml" <<'EOF'
version: 1
watch:
  - name: host-keys
    class: key
    severity: high
    paths: ["/etc/keys/*"]
    exclude: ["*.pub"]
    allow:
      - exe: /usr/bin/reader
  - name: image-keys
    class: key
    severity: medium
    paths: ["/srv/images/*/etc/keys/*"]
    exclude: ["*.pub"]
EOF
key_new /etc/keys/id_host
# An image where the policy leads, and one where nothing does.
for image in /srv/images/a "$T/b"; do
	mkdir -p "$image/usr/bin" "$image/host"
	cp $WAYS/read "$image/usr/bin/reader"
	key_new "$image/etc/keys/id_image"
done

# inside IMAGE COMMAND...: in a mount namespace, root directory and cgroup as a container has them. It sees
# the host's keys as /host.
id=4f1c2a9d7be84c6e9a0b1d2c3e4f5061728394a5b6c7d8e9f00112233445566f
group=/sys/fs/cgroup/system.slice/docker-$id.scope
mkdir -p "$group"
inside() {
	sh -c 'echo $$ >"$0/cgroup.procs" && exec unshare -m "$@"' "$group" \
		sh -c 'mount --bind /etc/keys "$1/host" && exec chroot "$@"' sh "$@" >/dev/null
}

kt_start --policy "$T/policy.yaml" || exit 1
keys_known
inside /srv/images/a /usr/bin/reader /host/id_host
inside /srv/images/a /usr/bin/reader /etc/keys/id_image
inside "$T/b" /usr/bin/reader /etc/keys/id_image || not_ok "the other image runs" "it does not"
KT_BARRIER_DIR=/etc/keys gather || exit 1
one "by object: the host's key, under a path that only the container knows" "$(of /etc/keys/id_host)" \
	"$(named /etc/keys/id_host)" '.object.watch == "host-keys"' \
	".subject.container | . != null and . != \"\""
one "by the path of the image on the host" "$(of /srv/images/a/etc/keys/id_image)" \
	"$(named /srv/images/a/etc/keys/id_image)" '.object.watch == "image-keys"' '.severity == "medium"'
none "not by a path inside of an image that no pattern leads to" \
	".object.path | endswith(\"$T/b/etc/keys/id_image\")"
# The rule for /usr/bin/reader is about the host's program: the first read is an alert all the same.
told_only 2
