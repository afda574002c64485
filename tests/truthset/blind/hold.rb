#!/usr/bin/ruby
# SPDX-License-Identifier: GPL-2.0-or-later
# Ruby's openssl: a signature, or a cipher at work. hold.rb sign|cipher FILE
require 'openssl'

what, path = ARGV
text = File.binread(path)
if what == 'sign'
  kept = OpenSSL::PKey.read(text)
  kept.sign('SHA256', 'text')
else
  kept = OpenSSL::Cipher.new("aes-#{text.bytesize * 8}-cbc").encrypt
  kept.key = text
  kept.iv = "\0" * 16
  kept.update('x' * 64)
end
$stdout.sync = true
puts 'READY'
sleep
