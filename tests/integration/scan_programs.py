#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real programs after one use of their key: `keytrail scan` of their core names the key.

	scan_programs.py KEYTRAIL [nginx|python|sshd|agents]...

nginx and a Python service after one TLS handshake, sshd while someone is logged in, gpg-agent and
ssh-agent after one signature: the name must be the one that openssl or ssh-keygen prints for the key
that this test made. Then the living process is scanned by its number. All of them are this test's
own, on the loopback. Prints one line per check; SKIP where a program is not installed.
"""
import getpass
import glob
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYTRAIL = os.path.abspath(sys.argv[1])
ENV = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {str(detail)[-500:]}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} scan: {name}{detail}", flush=True)
    return ok


def have(*programs):
    missing = [p for p in programs if not shutil.which(p, path=ENV["PATH"])]
    if missing:
        print(f"SKIP scan: no {', '.join(missing)}")
    return not missing


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, env=ENV, timeout=120, **more)


def scan(target):
    done = run(KEYTRAIL, "scan", "--json", target)
    try:
        return done.returncode, [k for d in map(json.loads, done.stdout.splitlines())
                                 for k in d.get("keys", [])], done.stderr
    except ValueError:
        return done.returncode, [], done.stdout + done.stderr


def names(keys, wanted):
    return [k for k in keys if wanted in (k.get("fingerprint"), k.get("spki_sha256"))
            and k["class"] == "proven"]


def judge(folder, what, pid, wanted):
    out = f"{folder}/core-{pid}"
    run("gcore", "-o", out, str(pid))
    code, keys, said = scan(f"{out}.{pid}")
    check(f"a core of {what} names its key", code == 1 and names(keys, wanted),
          (code, said, [(k["class"], k["what"], k.get("fingerprint")) for k in keys]))
    code, keys, said = scan(str(pid))
    check(f"a scan of the living {what} does, too", code == 1 and names(keys, wanted), (code, said))


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tls_key(folder):
    """An RSA key and its certificate; the SHA-256 of its SubjectPublicKeyInfo, by openssl."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days",
        "30", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/crt.pem", check=True)
    spki = run("openssl", "pkey", "-in", f"{folder}/key.pem", "-pubout", "-outform", "DER").stdout
    return hashlib.sha256(spki).hexdigest()


def handshake(port):
    return run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-brief",
               input=b"").returncode == 0


def children(pid):
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                if f.read().rsplit(")", 1)[1].split()[1] == str(pid):
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return found


def test_nginx(folder):
    if not have("nginx", "gcore", "openssl"):
        return
    wanted, port = tls_key(folder), free_port()
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as f:
        f.write(f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
user {getpass.getuser()}; worker_processes 1;
events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
 fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
 server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/crt.pem;
  ssl_certificate_key {folder}/key.pem; root {folder}; }} }}
""")
    nginx = subprocess.Popen(["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"], env=ENV,
                             stderr=subprocess.DEVNULL)
    try:
        if check("nginx shakes hands", wait_for(lambda: listens(port)) and handshake(port)):
            judge(folder, "nginx's worker", children(nginx.pid)[0], wanted)
            judge(folder, "nginx's master", nginx.pid, wanted)
    finally:
        end(nginx)


SERVICE = """
import http.server, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_python(folder):
    if not have("gcore", "openssl"):
        return
    wanted, port = tls_key(folder), free_port()
    service = subprocess.Popen(["/usr/bin/python3", "-c", SERVICE, str(port), f"{folder}/crt.pem",
                                f"{folder}/key.pem"], stderr=subprocess.DEVNULL)
    try:
        if check("a Python service shakes hands",
                 wait_for(lambda: listens(port)) and wait_for(lambda: handshake(port))):
            judge(folder, "a Python service", service.pid, wanted)
    finally:
        end(service)


def test_sshd(folder):
    if not have("sshd", "ssh", "gcore"):
        return
    if os.geteuid() != 0:
        return print("SKIP scan: sshd: not root")
    os.makedirs("/run/sshd", exist_ok=True)
    port, user = free_port(), getpass.getuser()
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", f"{folder}/{name}",
            check=True)
    wanted = run("ssh-keygen", "-lf", f"{folder}/host.pub").stdout.split()[1].decode()
    with open(f"{folder}/sshd.conf", "w", encoding="ascii") as f:
        f.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nUsePAM no\n"
                f"PidFile {folder}/sshd.pid\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
                f"PermitRootLogin yes\n")
    sshd = subprocess.Popen([shutil.which("sshd", path=ENV["PATH"]), "-D", "-f",
                             f"{folder}/sshd.conf", "-E", f"{folder}/sshd.log"])
    client = None
    try:
        wait_for(lambda: listens(port))
        client = subprocess.Popen(["ssh", "-q", "-p", str(port), "-i", f"{folder}/user", "-o",
                                   "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                                   "UserKnownHostsFile=/dev/null", f"{user}@127.0.0.1",
                                   "echo in; sleep 1000"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if check("someone logs in through sshd", client.stdout.readline().strip() == b"in"):
            judge(folder, "sshd that listens", sshd.pid, wanted)
            judge(folder, "sshd of a session", children(sshd.pid)[0], wanted)
    finally:
        if client:
            end(client)
        end(sshd)


def test_agents(folder):
    if not have("gcore", "gpg", "gpg-agent", "ssh-agent"):
        return
    run(f"{TOP}/tests/truthset/make-set", folder, "--only", "gpg-agent", "--only", "ssh-agent-used")
    with open(f"{folder}/keys/names.json", encoding="ascii") as f:
        known = json.load(f)
    for agent, key in (("gpg-agent", "gpg-rsa2048"), ("ssh-agent", "rsa2048"), ("ssh-agent", "p256"),
                       ("ssh-agent", "ssh-ed25519")):
        code, keys, said = scan(f"{folder}/dumps/{agent}-used.core")
        check(f"a core of {agent} names its key {key}", code == 1 and names(keys, known[key]["ssh"]),
              (code, said, [(k["class"], k["what"], k.get("fingerprint")) for k in keys]))


def main():
    tests = {"nginx": test_nginx, "python": test_python, "sshd": test_sshd, "agents": test_agents}
    with tempfile.TemporaryDirectory(prefix="keytrail-programs-") as folder:
        for name in sys.argv[2:] or tests:
            os.makedirs(f"{folder}/{name}", mode=0o755)
            os.chmod(folder, 0o755)
            tests[name](f"{folder}/{name}")
    sys.exit(1 if failed else 0)


main()
