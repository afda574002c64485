#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`keytrail scan` as people and CI meet it, on dumps of keys that this test makes.

	scan.py KEYTRAIL

Exit statuses; one entry for each key; no output, of whatever form, holds any eight bytes of any key in
raw, hexadecimal or base64; SARIF has the properties its standard asks for; a redacted copy holds no
piece of the keys in any layout, keeps its holes, and an ELF core stays one that gdb reads. Prints one
line per check; exits 0 if all hold.
"""
import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRUTHSET = os.path.join(TOP, "tests", "truthset")
sys.path.insert(0, TRUTHSET)
import keys as keys_module  # noqa: E402

KEYTRAIL = os.path.abspath(sys.argv[1])
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    detail = f": {str(detail)[-400:]}" if detail and not ok else ""
    print(f"{'ok  ' if ok else 'FAIL'} scan: {name}{detail}", flush=True)


def scan(*args, data=None):
    done = subprocess.run([KEYTRAIL, "scan", *args], capture_output=True, timeout=300,
                          **({"input": data} if data is not None else {"stdin": subprocess.DEVNULL}))
    return done.returncode, done.stdout, done.stderr


def windows(data, size):
    return {data[i:i + size] for i in range(len(data) - size + 1)}


def told(secrets, output):
    """Which secrets the output tells eight bytes of, in either byte order."""
    found = set()
    for name, secret in secrets.items():
        for form in (secret, secret[::-1]):
            texts = [(form, 8), (form.hex().encode(), 16), (form.hex().upper().encode(), 16)]
            for shift in range(3):
                coded = base64.b64encode(bytes(shift) + form)[2 * shift:]
                texts += [(coded, 10), (coded.replace(b"+", b"-").replace(b"/", b"_"), 10)]
            if any(w in output for text, size in texts for w in windows(text, size)):
                found.add(name)
    return found


def left(keys, names, data):
    """Which keys the data holds sixteen bytes of (of text: as much as that), in any layout."""
    found = set()
    for name in names:
        for part, secret in keys.secrets_of(name).items():
            forms = keys_module.aes_forms(secret) if name.startswith("aes") else {}
            forms.update(keys_module.number_forms(secret))
            for form, text in forms.items():
                size = 32 if form.startswith(("hex", "base64")) else 16
                if any(text[i:i + size] in data for i in range(0, len(text) - size + 1, 4)):
                    found.add(f"{name} {part} {form}")
    return found


def dump_of(keys):
    """Bytes with each key in several forms: numbers as C libraries keep them, and written ones."""
    out = bytearray(4096)

    def put(data):
        out.extend(bytes(-len(out) % 64 + 64))
        out.extend(data)
    for name in ("rsa2048", "rsa4096"):
        v = keys.numbers(name)
        half = v["n"].bit_length() // 16
        for part in ("p", "q", "dp", "dq", "qi"):
            put(v[part].to_bytes(half, "little"))
        for part in ("n", "d"):
            put(v[part].to_bytes(2 * half, "little"))
    v = keys.numbers("rsa2048")
    put(v["d"].to_bytes(256, "big"))
    put(keys_module.number_forms(v["p"].to_bytes(128, "big"))["digits-30"])
    put(f"{v['q']:x}".encode())
    for file in ("rsa2048.pem", "rsa4096.pkcs1.pem", "p256.pem", "rsa2048.p8", "p256.p8",
                 "ed25519.pem", "ssh-ed25519.openssh"):
        put(keys.read(file) + b"\0")
    put(keys.scalar("p256")[::-1])
    for name in ("aes128", "aes256"):
        forms = keys_module.aes_forms(keys.read(f"{name}.bin"))
        put(forms["encrypt"])
        put(forms["decrypt"])
        put(forms["key"])
    out.extend(bytes(4096))
    return bytes(out)


HELD = ("rsa2048", "rsa4096", "p256", "ed25519", "aes128", "aes256")


def test_exit_statuses(folder, dump):
    clean = os.path.join(folder, "clean")
    with open(clean, "wb") as f:
        f.write(bytes(range(256)) * 64)
    check("nothing found is 0", scan(clean)[0] == 0, scan(clean))
    check("something found is 1", scan(dump)[0] == 1)
    check("a file that is not there is 2", scan(os.path.join(folder, "none"))[0] == 2)
    check("one that is not there beside one with keys is 2",
          scan(dump, os.path.join(folder, "none"))[0] == 2)
    below = os.path.join(folder, "tree", "below")
    os.makedirs(below)
    os.symlink(dump, os.path.join(folder, "tree", "link"))
    code, out, _ = scan("--json", os.path.join(folder, "tree"))
    check("a directory of nothing but a link is clean", code == 0 and not out, out)
    shutil.copy(dump, os.path.join(below, "a"))
    shutil.copy(clean, os.path.join(below, "b"))
    code, out, _ = scan("--json", os.path.join(folder, "tree"))
    verdicts = [(os.path.basename(d["file"]), d["verdict"]) for d in map(json.loads, out.splitlines())]
    check("of a directory all files are scanned",
          code == 1 and verdicts == [("a", "found"), ("b", "clean")], verdicts)
    code, _, err = scan(dump)
    check("no progress but on a terminal", b"\r" not in err and b"\033" not in err, err)


def test_entries(keys, dump):
    _, out, err = scan("--json", dump)
    verdict = json.loads(out)
    # An Ed25519 key in PKCS#8 is without its public half: nothing to prove it by.
    classes = {name: ("proven",) for name in ("rsa2048", "rsa4096", "p256")}
    classes["ed25519"] = ("proven", "likely")
    for name in classes:
        names = keys.names[name]
        mine = [k for k in verdict["keys"] if k.get("spki_sha256") == names["spki"]]
        check(f"{name} is one entry, by the name that openssl prints",
              len(mine) == 1 and mine[0]["class"] in classes[name], mine)
        if mine and "ssh" in names:
            check(f"{name} has the fingerprint that ssh-keygen prints",
                  mine[0].get("fingerprint") == names["ssh"], mine)
    rsa = [k for k in verdict["keys"] if k.get("spki_sha256") == keys.names["rsa2048"]["spki"]]
    check("places of one key are together", rsa and len(rsa[0]["places"]) >= 3, rsa)
    for bits in (128, 256):
        mine = [k for k in verdict["keys"] if k["what"] == "aes-schedule" and k["bits"] == bits]
        check(f"both schedules of the AES-{bits} key are one entry",
              len(mine) == 1 and len(mine[0]["places"]) >= 2, mine)


def test_nothing_is_told(keys, folder, dump):
    secrets = {f"{name} {part}": secret for name in HELD
               for part, secret in keys.secrets_of(name).items()}
    sarif = os.path.join(folder, "sarif")
    for args in ([], ["--all"], ["--json"], ["--json", "--all"], ["--sarif", "-"],
                 ["--all", "--sarif", sarif]):
        _, out, err = scan(*args, dump)
        if sarif in args:
            with open(sarif, "rb") as f:
                out += f.read()
        check(f"no key byte in the output of {' '.join(args) or 'scan'}",
              not told(secrets, out + err) and len(out) > 500, told(secrets, out + err))
    check("this test would see one", told(secrets, keys.numbers("rsa2048")["p"].to_bytes(128, "big")
                                          .hex()[40:60].encode()) == {"rsa2048 p"})


def test_sarif(dump):
    code, out, err = scan("--sarif", "-", dump, dump + ".none")
    log = json.loads(out)
    run = log["runs"][0]
    rules = {r["id"] for r in run["tool"]["driver"]["rules"]}
    check("a SARIF log is of version 2.1.0 and names its tool",
          log["version"] == "2.1.0" and run["tool"]["driver"]["name"] == "keytrail")
    results = run["results"]
    check("results have rule, level, message and places", len(results) >= 6 and all(
        r["ruleId"] in rules and r["level"] in ("error", "warning", "note") and r["message"]["text"]
        and all(isinstance(p["physicalLocation"]["region"]["byteOffset"], int)
                and p["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")
                for p in r["locations"]) for r in results), results)
    check("a file that is not there makes the run unsuccessful", code == 2 and err
          and run["invocations"][0]["executionSuccessful"] is False
          and len(run["invocations"][0]["toolExecutionNotifications"]) == 1)


def test_redaction(keys, folder, dump):
    copy = os.path.join(folder, "redacted")
    with open(dump, "rb") as f:
        data = f.read()
    sparse = os.path.join(folder, "sparse")
    with open(sparse, "wb") as f:
        f.write(data)
        f.seek(1 << 30)
        f.write(data)
        f.truncate(2 << 30)
    check("the dump holds what is to go", len(left(keys, HELD, data)) > 30)
    code, out, err = scan("--redact", copy, sparse)
    check("a redaction says what was found", code == 1 and b"redacted" in out + err, (out, err))
    if not os.path.exists(copy):
        return check("there is a copy", False, err)
    status = os.stat(copy)
    check("a redacted copy is its owner's, and as long", status.st_mode & 0o777 == 0o600
          and status.st_size == 2 << 30)
    check("holes stay holes", status.st_blocks * 512 < 8 << 20, status.st_blocks)
    code, _, err = scan(copy)
    check("nothing is found in the copy", code == 0, err)
    with open(copy, "rb") as f:
        first = f.read(len(data))
        f.seek(1 << 30)
        second = f.read(len(data))
    for which, there in (("first", first), ("second", second)):
        check(f"no piece of a key in any layout is in the {which} part",
              not left(keys, HELD, there), left(keys, HELD, there))
        changed = sum(a != b for a, b in zip(there, data))
        check(f"what is no key stays in the {which} part", 0 < changed < len(data) * 0.9
              and there[:4096] == data[:4096])
    code, _, err = scan("--redact", copy, sparse)
    check("an existing file is not overwritten", code == 2 and b"there already" in err, err)
    with open(copy, "rb") as f:
        check("and stays as it is", f.read(len(data)) == first)
    words, none = os.path.join(folder, "words"), os.path.join(folder, "words.redacted")
    with open(words, "wb") as f:
        f.write(b"words, and nothing that anybody knows to be a key\n" * 100)
    code, _, err = scan("--redact", none, words)
    check("of what holds no key no copy is made", code == 2 and b"no key was found" in err
          and not os.path.exists(none), (code, err))


def copying(pid, size):
    """Has this process a file of that size that has no name, or that of a part?"""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{fd}"
            ending = os.readlink(path).endswith((" (deleted)", ".part"))
            if ending and os.stat(path).st_size == size:
                return True
    except FileNotFoundError:
        pass
    return False


def has_unnamed(folder):
    """Does the file system have files without a name?"""
    try:
        os.close(os.open(folder, os.O_RDWR | os.O_TMPFILE))
        return True
    except OSError:
        return False


def test_interrupted_redaction(folder, dump):
    """Ctrl-C while the copy holds all that the dump holds."""
    below = os.path.join(folder, "interrupted")
    os.mkdir(below)
    large = os.path.join(folder, "large")
    with open(dump, "rb") as f, open(large, "wb") as to:
        to.write(f.read() + os.urandom(64 << 20))
    with subprocess.Popen([KEYTRAIL, "scan", "--redact", os.path.join(below, "copy"), large],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None and not copying(child.pid, os.path.getsize(large)):
            pass
        there = os.listdir(below)
        child.send_signal(signal.SIGINT)
        status = child.wait()
    check("a redaction that is interrupted says so", status not in (0, 1), status)
    if has_unnamed(below):
        check("and leaves nothing, at no time", not there and not os.listdir(below),
              (there, os.listdir(below)))
    else:
        check("and leaves nothing but a part", not os.path.exists(
            os.path.join(below, "copy")) and there == ["copy.part"], (there, os.listdir(below)))


def test_expanded_key(folder):
    """RFC 8032, 5.1.6: with the prefix and one signature anybody has the scalar: both go."""
    def openssl(*arguments, data=None):
        return subprocess.run(["openssl", *arguments, "-outform", "DER"], input=data,
                              capture_output=True, check=True).stdout
    private = openssl("genpkey", "-algorithm", "ed25519")
    public = openssl("pkey", "-inform", "DER", "-pubout", data=private)[-32:]
    both = bytearray(hashlib.sha512(private[-32:]).digest())
    both[0] &= 248
    both[31] = both[31] & 127 | 64
    dump, copy = os.path.join(folder, "expanded"), os.path.join(folder, "expanded.redacted")
    with open(dump, "wb") as f:
        f.write(bytes(1 << 16) + bytes(both) + public + bytes(1 << 16))
    code, _, err = scan("--redact", copy, dump)
    check("an expanded Ed25519 key is redacted", code == 1 and os.path.exists(copy), err)
    with open(copy, "rb") as f:
        rest = f.read()
    check("its scalar is gone", bytes(both[:32]) not in rest)
    check("and so is the prefix that its nonces are made of", bytes(both[32:]) not in rest)
    # But a zero right before it: there are layouts that begin with one.
    check("and nothing else", len(rest) == (2 << 16) + 96 and not any(rest[:(1 << 16) - 8]))


def test_core(folder):
    """A core that gdb wrote, redacted: gdb still reads it, and finds the same stack."""
    if not shutil.which("gcore"):
        return print("SKIP scan: no gcore")
    out = os.path.join(folder, "set")
    subprocess.run([os.path.join(TRUTHSET, "make-set"), out, "--only", "openssl-sign-rsa2048"],
                   check=True, capture_output=True)
    core, copy = f"{out}/dumps/openssl-sign-rsa2048.core", f"{folder}/core.redacted"
    keys = keys_module.Keys(f"{out}/keys").load()
    code, _, err = scan("--redact", copy, core)
    check("a core is redacted", code == 1 and os.path.exists(copy), err)
    with open(copy, "rb") as f:
        rest = left(keys, ["rsa2048"], f.read())
    check("no piece of the key is in the redacted core", not rest, rest)
    stacks = [subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "bt", "-ex", "info threads",
                              f"{out}/bin/openssl", file], capture_output=True, text=True)
              for file in (core, copy)]
    check("gdb reads the redacted core as it read the other", "main" in stacks[1].stdout
          and stacks[0].stdout == stacks[1].stdout, stacks[1].stdout + stacks[1].stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="keytrail-scan-") as folder:
        keys = keys_module.Keys(os.path.join(folder, "keys"))
        keys.make()
        dump = os.path.join(folder, "dump")
        with open(dump, "wb") as f:
            f.write(dump_of(keys))
        test_exit_statuses(folder, dump)
        test_entries(keys, dump)
        test_nothing_is_told(keys, folder, dump)
        test_sarif(dump)
        test_redaction(keys, folder, dump)
        test_interrupted_redaction(folder, dump)
        test_expanded_key(folder)
        test_core(folder)
    sys.exit(1 if failed else 0)


main()
