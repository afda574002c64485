// SPDX-License-Identifier: GPL-2.0-or-later
/* Rust by ring: a signature by a key in PKCS#8, or a cipher's key. hold sign|cipher FILE */
use ring::{aead, rand, signature};
use std::{env, fs, thread, time};

fn main() {
    let args: Vec<String> = env::args().collect();
    let mut file = fs::read(&args[2]).unwrap();
    let random = rand::SystemRandom::new();
    let mut rsa = None;
    let mut ec = None;
    let mut ed = None;
    let mut key = None;

    if args[1] == "cipher" {
        let kind = if file.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
        key = Some(aead::LessSafeKey::new(aead::UnboundKey::new(kind, &file).unwrap()));
    } else if args[2].contains("rsa") {
        let k = signature::RsaKeyPair::from_pkcs8(&file).unwrap();
        let mut out = vec![0; k.public_modulus_len()];
        k.sign(&signature::RSA_PKCS1_SHA256, &random, b"text", &mut out).unwrap();
        rsa = Some(k);
    } else if args[2].contains("p256") {
        let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let k = signature::EcdsaKeyPair::from_pkcs8(kind, &file).unwrap();
        k.sign(&random, b"text").unwrap();
        ec = Some(k);
    } else {
        let k = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&file).unwrap();
        k.sign(b"text");
        ed = Some(k);
    }
    for byte in file.iter_mut() {
        *byte = 0;
    }
    println!("READY");
    thread::sleep(time::Duration::from_secs(1_000_000));
    drop((rsa, ec, ed, key));
}
