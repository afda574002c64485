#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Perl by Crypt::OpenSSL::RSA: a signature. perl-openssl.pl sign KEY
use strict;
use warnings;
use Crypt::OpenSSL::RSA;

my ($what, $path) = @ARGV;
local $/;
open(my $file, '<', $path) or die;
my $key = Crypt::OpenSSL::RSA->new_private_key(scalar <$file>);
$key->use_sha256_hash;
$key->sign('text');
$| = 1;
print "READY\n";
sleep 1000 while 1;
