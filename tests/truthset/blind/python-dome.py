#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""PyCryptodome: a signature, or a cipher at work. python-dome.py sign|cipher FILE"""
import sys
import time

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA256
from Cryptodome.PublicKey import ECC, RSA
from Cryptodome.Signature import DSS, pkcs1_15

what, path = sys.argv[1:3]
with open(path, "rb") as f:
    data = f.read()
if what == "cipher":
    kept = AES.new(data, AES.MODE_CBC, bytes(16))
    kept.encrypt(b"x" * 64)
elif "rsa" in path:
    kept = RSA.import_key(data)
    pkcs1_15.new(kept).sign(SHA256.new(b"text"))
else:
    kept = ECC.import_key(data)
    DSS.new(kept, "fips-186-3").sign(SHA256.new(b"text"))
del data
print("READY", flush=True)
while True:
    time.sleep(1000)
