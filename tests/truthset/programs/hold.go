// SPDX-License-Identifier: GPL-2.0-or-later
/* Go's standard library: a signature, or a cipher at work. hold sign|cipher FILE */
package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"time"
)

var kept []interface{}

func wipe(b []byte) {
	for i := range b {
		b[i] = 0
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func sign(file []byte) {
	block, _ := pem.Decode(file)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(err)
	wipe(file)
	wipe(block.Bytes)
	hash := sha256.Sum256([]byte("text"))
	switch k := key.(type) {
	case *rsa.PrivateKey:
		_, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, hash[:])
	case *ecdsa.PrivateKey:
		_, err = ecdsa.SignASN1(rand.Reader, k, hash[:])
	case ed25519.PrivateKey:
		ed25519.Sign(k, hash[:])
	}
	must(err)
	kept = append(kept, key)
}

func main() {
	file, err := os.ReadFile(os.Args[2])
	must(err)
	if os.Args[1] == "sign" {
		sign(file)
	} else {
		block, err := aes.NewCipher(file)
		must(err)
		gcm, err := cipher.NewGCM(block)
		must(err)
		wipe(file)
		kept = append(kept, block, gcm)
	}
	runtime.GC()
	fmt.Println("READY")
	for {
		time.Sleep(time.Hour)
	}
}
