# SPDX-License-Identifier: GPL-2.0-or-later
"""The dumps of the truth set: which program holds which key, and what a scan should name.

A case's key is the name of a file in the folder of keys (keys.py) without its ending. `holds` are
the names of keys that are usable in the dump; a class is what the recall table counts it under.
"""

CLASSES = ("rsa", "p256", "ed25519", "aes", "token")


class Case:
    def __init__(self, name, program, args, holds=(), klass=None, **more):
        self.name = name
        self.program = program  # a row of make-set's PROGRAMS
        self.args = args        # "{k}" is the folder of keys, "{out}" the one of dumps
        self.holds = list(holds)
        self.klass = klass
        self.env = more.get("env", {})
        self.heap = more.get("heap")  # a second dump that the case makes: "hprof", "heapsnapshot"
        self.blind = more.get("blind", False)


# Which instructions OpenSSL believes the processor has: without AES-NI, and without SSSE3 as well.
NO_AESNI = {"OPENSSL_ia32cap": "~0x200000200000000"}
NO_SSSE3 = {"OPENSSL_ia32cap": "~0x200020200000000"}


def klass_of(key):
    return "rsa" if key.startswith("rsa") else "aes" if key.startswith("aes") else key


def one(cases, library, how, key, program, args, **more):
    cases.append(Case(f"{library}-{how}-{key}", program, args, [key], klass_of(key), **more))


def signatures(cases):
    for key in ("rsa2048", "rsa4096", "p256", "ed25519"):
        pem = ["sign", f"{{k}}/{key}.pem"]
        one(cases, "openssl", "sign", key, "openssl", pem)
        one(cases, "gnutls", "sign", key, "gnutls", pem)
        one(cases, "gcrypt", "sign", key, "gcrypt", ["sign", f"{{k}}/{key}.sexp"])
        if key != "ed25519":
            one(cases, "mbedtls", "sign", key, "mbedtls", pem)
            one(cases, "nss", "sign", key, "nss", ["sign", f"{{k}}/{key}.p8"])
            one(cases, "java", "sign", key, "java",
                ["rsa" if key != "p256" else "ec", f"{{k}}/{key}.p8"],
                heap="hprof")
        one(cases, "go", "sign", key, "go", pem)
        one(cases, "node", "sign", key, "node", pem)
        one(cases, "python", "sign", key, "python", pem)


def states(cases):
    """The same key elsewhere in its life, and as data of programs that know nothing of keys."""
    key = "rsa2048"
    one(cases, "java", "store", key, "java", ["store", f"{{k}}/{key}.p12"], heap="hprof")
    one(cases, "openssl", "load", key, "openssl", ["load", f"{{k}}/{key}.pem"])
    one(cases, "openssl", "load-pkcs1", key, "openssl", ["load", f"{{k}}/{key}.pkcs1.pem"])
    one(cases, "openssl", "crash", key, "openssl", ["sign", f"{{k}}/{key}.pem"],
        env={"HOLD_CRASH": "1"})
    one(cases, "openssl", "crash", "p256", "openssl", ["sign", "{k}/p256.pem"],
        env={"HOLD_CRASH": "1"})
    one(cases, "openssl", "tls12", key, "openssl",
        ["tls", f"{{k}}/{key}.pem", f"{{k}}/{key}.crt", "12"])
    one(cases, "openssl", "tls13", "p256", "openssl", ["tls", "{k}/p256.pem", "{k}/p256.crt", "13"])
    one(cases, "python", "numbers", key, "python", ["numbers", f"{{k}}/{key}.pem"])
    one(cases, "python", "account", key, "python", ["account", f"{{k}}/{key}.pem"])
    one(cases, "node", "jwk", key, "node", ["jwk", f"{{k}}/{key}.pem"], heap="heapsnapshot")
    one(cases, "node", "string", key, "node", ["string", f"{{k}}/{key}.pem"], heap="heapsnapshot")
    for form, ending in (("pem", "pem"), ("der", "p8"), ("openssh", "openssh"), ("capi", "capi")):
        one(cases, "text", form, key, "text", [f"{{k}}/{key}.{ending}", "4"])
    cases.append(Case("text-token", "text", ["{k}/token.env"], ["token"], "token"))
    cases.append(Case("text-pkcs12-rsa2048", "text", [f"{{k}}/{key}.p12"]))
    cases.append(Case("openssl-free-rsa2048", "openssl", ["free", f"{{k}}/{key}.pem"]))
    cases.append(Case("openssl-chacha", "openssl",
                      ["cipher", "{k}/chacha.bin", "ChaCha20-Poly1305", "encrypt"]))


def agents(cases):
    for state in ("idle", "used"):
        cases.append(Case(f"ssh-agent-{state}", "ssh-agent", [state],
                          ["rsa2048", "p256", "ssh-ed25519"], "rsa"))
    cases.append(Case("gpg-agent-used", "gpg-agent", [], ["gpg-rsa2048"], "rsa"))


def ciphers(cases):
    for key in ("aes128", "aes256"):
        bits, raw = key[3:], f"{{k}}/{key}.bin"
        for mode in ("CBC", "GCM"):
            one(cases, "openssl", f"{mode.lower()}-encrypt", key, "openssl",
                ["cipher", raw, f"AES-{bits}-{mode}", "encrypt"])
        cbc = f"AES-{bits}-CBC"
        one(cases, "openssl", "cbc-decrypt", key, "openssl", ["cipher", raw, cbc, "decrypt"])
        for way in ("encrypt", "decrypt"):
            one(cases, "openssl", f"no-aesni-{way}", key, "openssl", ["cipher", raw, cbc, way],
                env=NO_AESNI)
            one(cases, "gcrypt", way, key, "gcrypt", ["cipher", raw, way])
            one(cases, "mbedtls", way, key, "mbedtls", ["cipher", raw, way])
        one(cases, "openssl", "no-ssse3-encrypt", key, "openssl", ["cipher", raw, cbc, "encrypt"],
            env=NO_SSSE3)
        one(cases, "gnutls", "encrypt", key, "gnutls", ["cipher", raw])
        one(cases, "nss", "encrypt", key, "nss", ["cipher", raw])
        one(cases, "go", "encrypt", key, "go", ["cipher", raw])
        one(cases, "node", "encrypt", key, "node", ["cipher", raw])
        one(cases, "python", "encrypt", key, "python", ["cipher", raw])
        one(cases, "java", "encrypt", key, "java", ["aes", raw], heap="hprof")
    one(cases, "openssl", "cbc-encrypt", "aes192", "openssl",
        ["cipher", "{k}/aes192.bin", "AES-192-CBC", "encrypt"])


def controls(cases):
    cases.append(Case("none-python", "python", ["idle", "-"]))
    cases.append(Case("none-node", "node", ["idle"]))
    cases.append(Case("none-bash", "bash", ["echo READY; while :; do sleep 1000; done"]))
    cases.append(Case("none-perl", "perl-idle", ["$| = 1; print qq(READY\\n); sleep 1e9"]))
    cases.append(Case("none-gdb", "gdb", ["python import time, ssl; print('READY', flush=True); "
                                          "time.sleep(1e6)"]))


# What form of the key a program of the blind set reads, where it is not PEM.
FORMS = {"wolfssl": "p8", "bearssl": "p8", "cryptopp": "p8", "bouncycastle": "p8", "rust": "p8",
         "tomcrypt": "pkcs1", "nettle": "pkcs1", "python-rsa": "pkcs1.pem", "perl-cryptx": "p8",
         "ocaml": "numbers", "mono": "xml", "sodium": "raw", "python-nacl": "raw"}


def blind(cases):
    """Runtimes and libraries that the detectors were not written by; reported apart."""
    for program, way, keys in (
            ("perl-openssl", "sign", ("rsa2048",)),
            ("perl-cryptx", "sign", ("rsa2048", "p256", "ed25519")),
            ("perl-cryptx", "cipher", ("aes128", "aes256")),
            ("ruby", "sign", ("rsa2048", "p256")),
            ("ruby", "cipher", ("aes256",)),
            ("php", "sign", ("rsa2048", "p256")),
            ("php", "cipher", ("aes256",)),
            ("wolfssl", "sign", ("rsa2048", "rsa4096", "p256", "ed25519")),
            ("wolfssl", "cipher", ("aes128", "aes256")),
            ("sodium", "sign", ("ed25519",)),
            ("sodium", "cipher", ("aes256",)),
            ("botan", "sign", ("rsa2048", "rsa4096", "p256", "ed25519")),
            ("botan", "cipher", ("aes128", "aes256")),
            ("bearssl", "sign", ("rsa2048", "rsa4096", "p256")),
            ("bearssl", "cipher", ("aes128", "aes256")),
            ("tomcrypt", "sign", ("rsa2048", "rsa4096")),
            ("tomcrypt", "cipher", ("aes128", "aes192", "aes256")),
            ("cryptopp", "sign", ("rsa2048", "rsa4096", "p256")),
            ("cryptopp", "cipher", ("aes128", "aes256")),
            ("nettle", "sign", ("rsa2048", "rsa4096")),
            ("nettle", "cipher", ("aes128", "aes192", "aes256")),
            ("rust", "sign", ("rsa2048", "p256", "ed25519")),
            ("rust", "cipher", ("aes128", "aes256")),
            ("ocaml", "sign", ("rsa2048", "rsa4096")),
            ("ocaml", "cipher", ("aes128", "aes256")),
            ("erlang", "sign", ("rsa2048", "p256")),
            ("mono", "sign", ("rsa2048",)),
            ("mono", "cipher", ("aes256",)),
            ("bouncycastle", "sign", ("rsa2048", "p256")),
            ("bouncycastle", "cipher", ("aes128", "aes256")),
            ("python-dome", "sign", ("rsa2048", "rsa4096", "p256")),
            ("python-dome", "cipher", ("aes128", "aes256")),
            ("python-rsa", "sign", ("rsa2048", "rsa4096")),
            ("python-ecdsa", "sign", ("p256",)),
            ("python-nacl", "sign", ("ed25519",))):
        for key in keys:
            ending = "bin" if way == "cipher" else FORMS.get(program, "pem")
            one(cases, program, way, key, program, [way, f"{{k}}/{key}.{ending}"], blind=True)


def all_cases():
    cases = []
    for group in (signatures, states, agents, ciphers, controls, blind):
        group(cases)
    return cases
