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
open=$(printf '%064d' 5)
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
# Of the right name, in a file that others may write.
made q.io/good:1 "$open"
chmod 666 "$docker/$open/config.v2.json"
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

# inside PREFIX ID COMMAND...: in that container's cgroup.
inside() {
	unit=$1-$2.scope
	shift 2
	systemd-run --quiet --scope --unit="$unit" "$@"
}

# reads PREFIX ID: cat reads the key there.
reads() {
	inside "$1" "$2" cat "$key" >/dev/null
}
for id in "$good" "$other" "$unknown" "$open"; do
	reads docker "$id"
done
reads libpod "$pod"

expect 3 "the images that rules name read in silence, others are told" '.object.watch == "web"'
expect_field "who reads of another image is told with it" \
	".subject.container == \"$(echo "$other" | cut -c 1-12)\" and .subject.image != null" \
	.subject.image q.io/other:1
expect 2 "of those of which nothing is known none has one" '.object.watch == "web" and .subject.image == null'
equal "the status counts both" "$(keytrail status --json |
	jq -c '[.images.known, .images.unknown > 0]')" "[3,true]"
file=$docker/$open/config.v2.json
fault="$file can be written by others than root"
equal "the status names the file that does not count, and why" "$(keytrail status --json |
	jq -c '.images.refused | [.container, .path, .cause]')" "[\"$open\",\"$file\",\"writable\"]"
equal "and warns of it" "$(keytrail status | grep -c "not known: $fault\$")" 1
# shellcheck disable=SC2016 # $$ is the process in the container
equal "explain tells it of a process in that container" "$(inside docker "$open" sh -c \
	'keytrail explain -p "$0" $$' "$T/policy.yaml" | grep -c "^  image is not known: $fault\$")" 1
chmod 600 "$file"
equal "what is mended is told no more" "$(keytrail status --json | jq -c '.images.refused')" null
kt_stop
equal "the daemon ends well" "$KT_STATUS" 0
