<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// PHP's openssl: a signature, or one encryption. hold.php sign|cipher FILE
[, $what, $path] = $argv;
$text = file_get_contents($path);
if ($what === 'sign') {
	$kept = openssl_pkey_get_private($text);
	openssl_sign('text', $signature, $kept, OPENSSL_ALGO_SHA256);
} else {
	$name = 'aes-' . strlen($text) * 8 . '-cbc';
	$kept = openssl_encrypt('text', $name, $text, 0, str_repeat("\0", 16));
}
echo "READY\n";
while (true) {
	sleep(1000);
}
