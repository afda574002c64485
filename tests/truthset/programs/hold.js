// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Node: a signature, a key as JWK or as a string, a cipher at work; with a third argument a heap
 * snapshot goes there. hold.js sign|jwk|string|cipher|idle FILE [SNAPSHOT]
 */
const crypto = require('crypto');
const fs = require('fs');
const v8 = require('v8');

const [what, file, snapshot] = process.argv.slice(2);

function sign(key) {
	crypto.sign(file.includes('ed25519') ? null : 'sha256', Buffer.from('text'), key);
}

if (what === 'sign') {
	globalThis.key = crypto.createPrivateKey(fs.readFileSync(file, 'utf8'));
	sign(globalThis.key);
} else if (what === 'jwk') {
	globalThis.key = crypto.createPrivateKey(fs.readFileSync(file, 'utf8'))
		.export({ format: 'jwk' });
	globalThis.text = JSON.stringify(globalThis.key);
} else if (what === 'string') {
	globalThis.key = fs.readFileSync(file, 'utf8');
	sign(globalThis.key);
} else if (what === 'cipher') {
	const key = fs.readFileSync(file);
	globalThis.cipher = crypto.createCipheriv(`aes-${key.length * 8}-gcm`, key,
		Buffer.alloc(12));
	globalThis.cipher.update(Buffer.alloc(64));
	key.fill(0);
}
if (snapshot)
	v8.writeHeapSnapshot(snapshot);
console.log('READY');
setInterval(() => {}, 1e9);
