#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Python's cryptography package: a signature, a key's numbers, a service account's JSON, a cipher.

    hold.py sign|numbers|account|cipher|idle FILE
"""
import json
import sys
import time

what, path = sys.argv[1:3]
kept = []


def load():
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    with open(path, "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    if "rsa" in path:
        key.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    elif "p256" in path:
        key.sign(b"text", ec.ECDSA(hashes.SHA256()))
    else:
        key.sign(b"text")
    return key


if what in ("sign", "numbers"):
    kept.append(load())
    if what == "numbers":
        kept.append(kept[0].private_numbers())
elif what == "account":
    with open(path, encoding="ascii") as f:
        kept.append(json.dumps({"type": "service_account", "project_id": "truth",
                                "private_key_id": "0123456789abcdef" * 2 + "01234567",
                                "private_key": f.read(),
                                "client_email": "truth@truth.iam.gserviceaccount.com"}))
elif what == "cipher":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    with open(path, "rb") as f:
        cipher = Cipher(algorithms.AES(f.read()), modes.CBC(bytes(16))).encryptor()
    cipher.update(b"x" * 64)
    kept.append(cipher)
else:
    import decimal
    import hashlib
    import sqlite3
    import ssl
    kept += [decimal, hashlib, sqlite3, ssl]
print("READY", flush=True)
while True:
    time.sleep(1000)
