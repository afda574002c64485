#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Perl by CryptX, which has LibTomCrypt inside. perl-cryptx.pl sign|cipher FILE
use strict;
use warnings;
use Crypt::Mode::CBC;
use Crypt::PK::ECC;
use Crypt::PK::Ed25519;
use Crypt::PK::RSA;

my ($what, $path) = @ARGV;
my ($key, $out);
if ($what eq 'cipher') {
	local $/;
	open(my $file, '<:raw', $path) or die;
	my $raw = <$file>;
	$key = Crypt::Mode::CBC->new('AES');
	$key->start_encrypt($raw, "\0" x 16);
	$out = $key->add('x' x 64);
	substr($raw, 0, length $raw) = "\0" x length $raw;
} elsif ($path =~ /rsa/) {
	$key = Crypt::PK::RSA->new($path);
	$out = $key->sign_message('text', 'SHA256', 'v1.5');
} elsif ($path =~ /p256/) {
	$key = Crypt::PK::ECC->new($path);
	$out = $key->sign_message('text', 'SHA256');
} else {
	$key = Crypt::PK::Ed25519->new($path);
	$out = $key->sign_message('text');
}
$| = 1;
print "READY\n";
sleep 1000 while 1;
