/* The rules that people write for key material: headers and magics, nothing validated. */
rule rsa_pem { strings: $a = "-----BEGIN RSA PRIVATE KEY-----" condition: $a }
rule any_pem { strings: $a = "-----BEGIN PRIVATE KEY-----" $b = "-----BEGIN OPENSSH PRIVATE KEY-----" condition: any of them }
rule ec_pem { strings: $a = "-----BEGIN EC PRIVATE KEY-----" condition: $a }
rule rsa_pkcs1 { strings: $a = { 30 82 ?? ?? 02 01 00 02 82 ( 01 | 02 ) ( 00 | 01 ) ( 00 | 01 ) } condition: $a }
rule rsa_pkcs8 { strings: $a = { 30 82 ?? ?? 02 01 00 30 0D 06 09 2A 86 48 86 F7 0D 01 01 01 } condition: $a }
rule ec_pkcs8 { strings: $a = { 30 81 87 02 01 00 30 13 06 07 2A 86 48 CE 3D 02 01 } $b = { 30 77 02 01 01 04 20 } condition: any of them }
rule ed25519_pkcs8 { strings: $a = { 30 2E 02 01 00 30 05 06 03 2B 65 70 04 22 04 20 } condition: $a }
rule any_openssh { strings: $a = "openssh-key-v1\x00\x00\x00\x00\x04none" condition: $a }
rule rsa_capi { strings: $a = { 07 02 00 00 00 ( A4 | 24 ) 00 00 52 53 41 32 } condition: $a }
rule token { strings: $a = /AKIA[A-Z2-7]{16}/ $b = /ghp_[0-9A-Za-z]{36}/ $c = /xoxb-[0-9]{10,13}-[0-9A-Za-z-]{20,}/ condition: any of them }
