# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of the truth set: made anew by openssl, ssh-keygen and gpg, in all forms that the programs
read, with the public names by which a scan must call them; and the bytes that must not show."""
import base64
import hashlib
import json
import os
import secrets
import subprocess
import zlib


def run(*args, data=None, **more):
    return subprocess.run(args, input=data, check=True, capture_output=True, **more).stdout


def der_items(data):
    """(tag, content) of each element at the top of `data`."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            n = length & 0x7f
            length = int.from_bytes(data[at:at + n], "big")
            at += n
        yield tag, data[at:at + length]
        at += length


def rsa_numbers(pkcs1):
    [(_, sequence)] = der_items(pkcs1)
    values = [int.from_bytes(content, "big") for _, content in der_items(sequence)][1:]
    return dict(zip(("n", "e", "d", "p", "q", "dp", "dq", "qi"), values))


class Keys:
    def __init__(self, folder):
        self.folder = folder
        self.names = {}  # key -> {"kind", "bits", "spki", "ssh"}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        os.chmod(self.path(name), 0o600)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def openssl(self, *args, **more):
        return run("openssl", *args, **more)

    # --- making ----------------------------------------------------------------------------------

    def make(self):
        os.makedirs(self.folder, exist_ok=True)
        for bits in (2048, 4096):
            self.make_rsa(f"rsa{bits}", bits)
        self.make_p256()
        self.make_ed25519()
        self.make_ssh()
        for bits in (128, 192, 256):
            self.write(f"aes{bits}.bin", secrets.token_bytes(bits // 8))
            self.names[f"aes{bits}"] = {"kind": "aes", "bits": bits}
        self.write("chacha.bin", secrets.token_bytes(32))
        self.make_tokens()
        self.write("names.json", json.dumps(self.names, indent=1).encode())

    def load(self):
        self.names = json.loads(self.read("names.json"))
        return self

    def common_forms(self, name, kind, bits):
        pem = self.path(f"{name}.pem")
        self.write(f"{name}.p8", self.openssl("pkcs8", "-topk8", "-nocrypt", "-in", pem,
                                              "-outform", "DER"))
        spki = self.openssl("pkey", "-in", pem, "-pubout", "-outform", "DER")
        self.names[name] = {"kind": kind, "bits": bits, "spki": hashlib.sha256(spki).hexdigest()}
        if name != "ed25519":
            self.names[name]["ssh"] = self.ssh_name(pem)
            self.openssl("req", "-x509", "-new", "-key", pem, "-days", "3650", "-subj",
                         "/CN=truth", "-out", self.path(f"{name}.crt"))

    def ssh_name(self, private):
        public = run("ssh-keygen", "-yf", private)
        return run("ssh-keygen", "-lf", "-", data=public).split()[1].decode()

    def make_rsa(self, name, bits):
        pem = self.path(f"{name}.pem")
        self.write(f"{name}.pem", self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt",
                                               f"rsa_keygen_bits:{bits}"))
        self.common_forms(name, "rsa", bits)
        self.write(f"{name}.pkcs1", self.openssl("rsa", "-in", pem, "-traditional", "-outform",
                                                 "DER"))
        self.write(f"{name}.pkcs1.pem", self.openssl("rsa", "-in", pem, "-traditional"))
        self.write(f"{name}.capi", self.openssl("rsa", "-in", pem, "-outform", "MSBLOB"))
        self.write(f"{name}.p12", self.openssl(
            "pkcs12", "-export", "-inkey", pem, "-in", self.path(f"{name}.crt"), "-name", "truth",
            "-passout", "pass:password"))
        self.write(f"{name}.openssh", self.read(f"{name}.pem"))
        run("ssh-keygen", "-p", "-N", "", "-f", self.path(f"{name}.openssh"))
        v = self.numbers(name)
        self.write(f"{name}.numbers", "".join(f"{k} {x:x}\n" for k, x in v.items()).encode())
        p, q = sorted((v["p"], v["q"]))
        sexp = "".join(f"({k} #00{x:0{2 * ((x.bit_length() + 7) // 8)}X}#)" for k, x in (
            ("n", v["n"]), ("e", v["e"]), ("d", v["d"]), ("p", p), ("q", q), ("u", pow(p, -1, q))))
        self.write(f"{name}.sexp", f"(private-key (rsa {sexp}))".encode())
        xml = {"Modulus": "n", "Exponent": "e", "P": "p", "Q": "q", "DP": "dp", "DQ": "dq",
               "InverseQ": "qi", "D": "d"}

        def number(k):
            size = 3 if k == "e" else bits // 8 if k in "nd" else bits // 16
            return base64.b64encode(v[k].to_bytes(size, "big")).decode()
        self.write(f"{name}.xml", ("<RSAKeyValue>" + "".join(
            f"<{tag}>{number(k)}</{tag}>" for tag, k in xml.items()) + "</RSAKeyValue>").encode())

    def make_p256(self):
        self.write("p256.pem", self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                                            "ec_paramgen_curve:P-256"))
        self.common_forms("p256", "ec", 256)
        d, point = self.scalar("p256"), self.point("p256")
        self.write("p256.sexp", f'(private-key (ecc (curve "NIST P-256")(q #{point.hex()}#)'
                                f"(d #00{d.hex()}#)))".encode())

    def make_ed25519(self):
        self.write("ed25519.pem", self.openssl("genpkey", "-algorithm", "ED25519"))
        self.common_forms("ed25519", "ed25519", 256)
        seed = self.scalar("ed25519")
        self.write("ed25519.raw", seed)
        self.write("ed25519.sexp", "(private-key (ecc (curve Ed25519)(flags eddsa)"
                                   f"(q #{self.point('ed25519').hex()}#)(d #{seed.hex()}#)))"
                                   .encode())

    def make_ssh(self):
        path = self.path("ssh-ed25519.openssh")
        for old in (path, path + ".pub"):
            if os.path.exists(old):
                os.unlink(old)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "truth", "-f", path)
        self.names["ssh-ed25519"] = {"kind": "ed25519", "bits": 256,
                                     "ssh": run("ssh-keygen", "-lf", path).split()[1].decode()}

    def make_tokens(self):
        """Made up on the spot, so that no token stands in the sources; GitHub's ends in a CRC."""
        letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

        def text(n, alphabet=letters):
            return "".join(secrets.choice(alphabet) for _ in range(n))
        body = text(30)
        crc, check = zlib.crc32(body.encode()), ""
        while crc or len(check) < 6:
            check, crc = letters[crc % 62] + check, crc // 62
        digits = "0123456789"
        tokens = {
            "AWS_ACCESS_KEY_ID": "AKIA" + text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            "GITHUB_TOKEN": "gh" + "p_" + body + check,
            "SLACK_TOKEN": "-".join(("xo" + "xb", text(12, digits), text(12, digits), text(24))),
        }
        self.write("token.env", "".join(f"{k}={v}\n" for k, v in tokens.items()).encode())
        self.names["token"] = {"kind": "token", "tokens": len(tokens)}

    # --- what is in them -------------------------------------------------------------------------

    def numbers(self, name):
        return rsa_numbers(self.read(f"{name}.pkcs1"))

    def scalar(self, name):
        """d of a curve, or the seed of Ed25519: the octet string within PKCS#8's octet string."""
        [(_, sequence)] = der_items(self.read(f"{name}.p8"))
        inner = [content for tag, content in der_items(sequence) if tag == 4][0]
        [(tag, content), *_] = der_items(inner)
        if tag == 4:
            return content
        return [c for t, c in der_items(content) if t == 4][0]

    def point(self, name):
        spki = self.openssl("pkey", "-in", self.path(f"{name}.pem"), "-pubout", "-outform", "DER")
        return spki[-65:] if name == "p256" else spki[-32:]

    def secrets_of(self, name):
        """The secret byte strings of a key in the order of most significant byte first."""
        if name.startswith("rsa"):
            v = self.numbers(name)
            return {k: v[k].to_bytes((v[k].bit_length() + 7) // 8, "big")
                    for k in ("d", "p", "q", "dp", "dq", "qi")}
        if name in ("p256", "ed25519"):
            return {"d": self.scalar(name)}
        if name.startswith("aes") or name == "chacha":
            return {"key": self.read(f"{name}.bin")}
        if name == "token":
            return {line.split("=")[0]: line.split("=")[1].encode()
                    for line in self.read("token.env").decode().split()}
        return {}


# --- AES schedules --------------------------------------------------------------------------------

def times2(a):
    return (a << 1 ^ (0x1b if a & 0x80 else 0)) & 0xff


def times(a, b):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a, b = times2(a), b >> 1
    return r


def make_sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= times2(p)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xff
        if q & 0x80:
            q ^= 9
        box[p] = 0x63
        for shift in range(5):
            box[p] ^= (q << shift | q >> (8 - shift)) & 0xff
        if p == 1:
            return box


SBOX = make_sbox()


def schedule(key):
    """FIPS 197, 5.2."""
    nk, rcon = len(key) // 4, 1
    words = [key[4 * i:4 * i + 4] for i in range(nk)]
    for i in range(nk, 4 * (nk + 7)):
        t = words[-1]
        if i % nk == 0:
            t = bytes(SBOX[b] for b in t[1:] + t[:1])
            t = bytes((t[0] ^ rcon,)) + t[1:]
            rcon = times2(rcon)
        elif nk > 6 and i % nk == 4:
            t = bytes(SBOX[b] for b in t)
        words.append(bytes(a ^ b for a, b in zip(words[-nk], t)))
    return b"".join(words)


def inverse_mix(block):
    out = bytearray()
    for i in range(0, 16, 4):
        c = block[i:i + 4]
        for j in range(4):
            out.append(times(c[j], 14) ^ times(c[(j + 1) % 4], 11) ^ times(c[(j + 2) % 4], 13)
                       ^ times(c[(j + 3) % 4], 9))
    return bytes(out)


def swap_words(data, width=4):
    return b"".join(data[i:i + width][::-1] for i in range(0, len(data), width))


def aes_forms(key):
    """The key itself and its schedules as libraries keep them."""
    encrypt = schedule(key)
    rounds = [encrypt[i:i + 16] for i in range(0, len(encrypt), 16)]
    mixed = [rounds[0]] + [inverse_mix(r) for r in rounds[1:-1]] + [rounds[-1]]
    forms = {"encrypt": encrypt, "reversed": b"".join(rounds[::-1]), "mixed": b"".join(mixed),
             "decrypt": b"".join(mixed[::-1])}
    forms.update({f"{name}-words": swap_words(form) for name, form in list(forms.items())})
    return {"key": key, "key-words": swap_words(key), **forms}


# --- forms in which a number may show -------------------------------------------------------------

def digits(value, bits, width):
    out = bytearray()
    while value:
        out += (value & ((1 << bits) - 1)).to_bytes(width, "little")
        value >>= bits
    return bytes(out)


def number_forms(be):
    value = int.from_bytes(be, "big")
    return {
        "be": be,
        "le": be[::-1],
        "words-32": swap_words(be),
        "words-64": swap_words(be, 8),
        "digits-15": digits(value, 15, 2),
        "digits-28": digits(value, 28, 4),
        "digits-30": digits(value, 30, 4),
        "digits-31": digits(value, 31, 4),
        "digits-60": digits(value, 60, 8),
        "hex": be.hex().encode(),
        "hex-upper": be.hex().upper().encode(),
        "base64": base64.b64encode(be),
        "base64-1": base64.b64encode(b"\0" + be)[4:],
        "base64-2": base64.b64encode(b"\0\0" + be)[4:],
        "base64url": base64.urlsafe_b64encode(be),
    }
