// SPDX-License-Identifier: GPL-2.0-or-later
/* libsodium: an Ed25519 signature, or AES-256-GCM precomputed. sodium sign SEED | cipher KEY */
#include "../programs/hold.h"

#include <sodium.h>

int main(int argc, char **argv)
{
	crypto_aead_aes256gcm_state *state;
	unsigned char *file, *secret, public[32], out[128];
	size_t len;

	if (argc != 3 || sodium_init() < 0)
		hold_fail("usage");
	file = hold_read(argv[2], &len);
	if (!strcmp(argv[1], "cipher")) {
		if (!crypto_aead_aes256gcm_is_available())
			hold_fail("no AES-NI");
		state = sodium_malloc(sizeof(*state));
		crypto_aead_aes256gcm_beforenm(state, file);
	} else {
		secret = sodium_malloc(64);
		crypto_sign_seed_keypair(public, secret, file);
		crypto_sign_detached(out, NULL, (const unsigned char *)"text", 4, secret);
	}
	hold_drop(file, len);
	hold();
}
