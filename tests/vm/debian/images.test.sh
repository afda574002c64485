#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rules that ask for the image of a container: what runs in the cgroups that docker and podman make, with
# the files beside them in which these keep what a container was made from.
# kernels: 6.1
# guest: own
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh

good=$(printf '%064d' 1) other=$(printf '%064d' 2) unknown=$(printf '%064d' 3) pod=$(printf '%064d' 4)
docker=/var/lib/docker/containers storage=/var/lib/containers/storage/overlay-containers
key=/srv/images/web.key

mkdir -p /srv/images "$docker" "$storage" /root/.ssh
echo "not a key" >"$key"

# made NAME ID: docker has made a container of this image.
made() {
	mkdir -p "$docker/$2"
	printf '{"ID":"%s","Image":"sha256:%s","Config":{"Image":"%s"}}' "$2" "$other" "$1" \
		>"$docker/$2/config.v2.json"
	chmod 600 "$docker/$2/config.v2.json"
}
made q.io/good:1 "$good"
made q.io/other:1 "$other"
printf '[{"id":"%s","image":"%s","metadata":"{\\"image-name\\":\\"q.io/pod:1\\"}"}]' "$pod" "$good" \
	>"$storage/containers.json"
# What a container's maker has written into a bundle outside of kubernetes: nobody's word.
bundle=/run/containerd/io.containerd.runtime.v2.task/moby/$unknown
mkdir -p "$bundle"
printf '{"annotations":{"%s":"container","%s":"q.io/good:1"}}' io.kubernetes.cri.container-type \
	io.kubernetes.cri.image-name >"$bundle/config.json"

cat >"$T/policy.yaml" <<POLICY
version: 1
watch:
  - name: web
    class: tls-key
    severity: high
    paths: [/srv/images/*.key]
    allow:
      - {exe: /usr/bin/cat, image: 'q.io/good:*'}
      - {exe: /usr/bin/cat, image: 'sha256:$good'}
  - name: ssh
    class: ssh-user-key
    severity: high
    paths: [/root/.ssh/id_*]
POLICY
kt_start --policy "$T/policy.yaml" || exit 1

# reads PREFIX ID: cat reads the key in that container's cgroup.
reads() {
	systemd-run --quiet --scope --unit="$1-$2.scope" cat "$key" >/dev/null
}
for id in "$good" "$other" "$unknown"; do
	reads docker "$id"
done
reads libpod "$pod"

expect 2 "the images that rules name read in silence, others are told" '.object.watch == "web"'
expect_field "who reads of another image is told with it" \
	".subject.container == \"$(echo "$other" | cut -c 1-12)\" and .subject.image != null" \
	.subject.image q.io/other:1
expect 1 "of which one nothing is known has none" '.object.watch == "web" and .subject.image == null'
equal "the status counts both" "$(keytrail status --json |
	jq -c '[.images.known, .images.unknown > 0]')" "[3,true]"
kt_stop
equal "the daemon ends well" "$KT_STATUS" 0
