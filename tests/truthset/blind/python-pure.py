#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages that compute with Python's own integers, and PyNaCl. python-pure.py rsa|ecdsa|nacl FILE"""
import sys
import time

what, path = sys.argv[1:3]
with open(path, "rb") as f:
    data = f.read()
if what == "rsa":
    import rsa
    kept = rsa.PrivateKey.load_pkcs1(data)
    rsa.sign(b"text", kept, "SHA-256")
elif what == "ecdsa":
    import ecdsa
    kept = ecdsa.SigningKey.from_pem(data)
    kept.sign(b"text")
else:
    import nacl.signing
    kept = nacl.signing.SigningKey(data)
    kept.sign(b"text")
del data
print("READY", flush=True)
while True:
    time.sleep(1000)
