# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# Looking around in homes and source trees, building, editing; and what of it reads a key.

home_stage() {
	as_alice 'set -e; mkdir -p src/lib src/keys
		for n in 0 1 2 3 4 5 6 7; do
			printf "#include \"all.h\"\nint f%d(int x) { return x + %d; }\n" $n $n >src/lib/f$n.c
			printf "int f%d(int);\n" $n >>src/all.h
		done
		printf "int main(void) { return 0; }\n" >src/main.c
		printf "a private key is kept elsewhere\n" >src/keys/README'
	cat >/home/alice/src/Makefile <<-'MAKE'
		.RECIPEPREFIX := >
		CC := tcc -I.
		OBJS := $(patsubst %.c,%.o,$(wildcard lib/*.c)) main.o
		all: prog lib.a
		prog: $(OBJS)
		>$(CC) -o $@ $^
		lib.a: $(OBJS)
		>tcc -ar rc $@ $^
		%.o: %.c all.h
		>$(CC) -c -o $@ $<
		clean:
		>find . -name '*.o' -delete; rm -f prog lib.a
		.PHONY: all clean
	MAKE
	chown -R alice: /home/alice/src
	mkdir -p /home/alice/.kube /home/alice/.aws
	printf 'apiVersion: v1\nkind: Config\n' >/home/alice/.kube/config
	printf '[default]\naws_secret_access_key = x\n' >/home/alice/.aws/credentials
	chown -R alice: /home/alice/.kube /home/alice/.aws
	chmod 0600 /home/alice/.kube/config /home/alice/.aws/credentials
	mkdir -p /usr/local/aws-cli/v2/2.17.0/dist
	tcc -o /usr/local/aws-cli/v2/2.17.0/dist/aws /kt/tests/work/reader.c
}

home_find() {
	find /home /root /etc -name 'id_*' -newer /etc/hostname -size -100k -printf '%p %m %s\n'
	du -sh /home/alice
	ls -laR /home
	stat /home/alice/.ssh/*
	updatedb
	locate id_ed25519 | grep -q alice
	test -r $KEY
	getfacl -p $KEY
}
home_grep() {
	as_alice 'set -e; grep -rn "private key" src; find src -type f | xargs grep -l include
		tar -C src -cf src.tar .; cd work; git grep -n 0; git status -s; git log -3'
}
home_build() {
	as_alice 'set -e; cd src; make -s -j2; ./prog; make -s clean; make -s'
}
home_venv() {
	as_alice 'set -e; rm -rf venv; python3 -m venv --without-pip venv
		venv/bin/python -c "import json, ssl, sys; assert sys.prefix.endswith(\"venv\")"'
}
home_edit() {
	as_alice 'set -e; export TERM=vt100
		script -qec "vim.tiny -c wq .ssh/config" /dev/null; touch -r .ssh/config .ssh/known_hosts
		cp -r src src2; rm -rf src2; mv .ssh/known_hosts .ssh/k; mv .ssh/k .ssh/known_hosts'
}
home_readers() {
	as_alice 'kubectl ~/.kube/config && /usr/local/aws-cli/v2/2.17.0/dist/aws ~/.aws/credentials'
}

home_quiet() {
	quiet "find, du, ls, updatedb and locate over homes" home_find
	quiet "grep in a source tree" home_grep
	quiet "a build: make and a compiler" home_build
	quiet "python3: a virtual environment" home_venv
	quiet "editors, and files moved beside a key" home_edit
	quiet "kubectl and aws read their credentials" home_readers
}

home_find_exec() {
	as_alice 'find ~/.ssh -name "id_*" ! -name "*.pub" -exec cat {} +'
}
home_grep_key() {
	as_alice 'grep -rl "PRIVATE KEY" ~/.ssh'
}
home_make_key() {
	as_alice 'printf "x := \$(file <%s/.ssh/id_ed25519)\nall:\n\t@true\n" ~ >steal.mk; make -sf steal.mk'
}
home_venv_key() {
	as_alice 'python3 -m venv --without-pip venv2
		echo "open(\"/home/alice/.ssh/id_ed25519\").read()" >steal.py; venv2/bin/python steal.py'
}
home_vim() {
	as_alice 'TERM=vt100 script -qec "vim.tiny -c q .ssh/id_ed25519" /dev/null'
}
home_nano() {
	as_alice 'printf "\030" | TERM=vt100 script -qec "nano .ssh/id_ed25519" /dev/null'
}
home_curl() {
	as_alice 'curl -s -o /tmp/kube-copy file:///home/alice/.kube/config'
}
home_aws() {
	as_alice 'python3 -c "open(\"/home/alice/.aws/credentials\").read()"'
}
home_file() {
	as_alice 'file .ssh/id_ed25519'
}

home_loud() {
	loud "find -exec cat of a key" high home_find_exec -- "$(about_key $KEY /usr/bin/cat)"
	loud "grep -r over a home with a key" high home_grep_key -- "$(about_key $KEY /usr/bin/grep)"
	loud "file looks into a key" high home_file -- "$(about_key $KEY /usr/bin/file)"
	loud "a build takes a key in" high home_make_key -- "$(about_key $KEY /usr/bin/make)"
	loud "python3: a script in a virtual environment reads a key" high home_venv_key -- \
		'.type == "key-read" and (.subject.exe | startswith("/usr/bin/python3"))' \
		'.subject.args | contains("steal.py")'
	loud "vim opens a key" high home_vim -- "$(about_key $KEY /usr/bin/vim.tiny)"
	loud "nano opens a key" high home_nano -- "$(about_key $KEY /usr/bin/nano)"
	loud "curl reads a kubeconfig" high home_curl -- \
		"$(about_credential /home/alice/.kube/config /usr/bin/curl)"
	loud "python3 -c reads aws credentials" medium home_aws -- \
		'.type == "credential-read" and .object.path == "/home/alice/.aws/credentials"' \
		'.subject.exe | startswith("/usr/bin/python3")'
}
