// SPDX-License-Identifier: GPL-2.0-or-later
/* Mono: a signature by a key of an XML file, or a cipher at work. Hold.exe sign|cipher FILE */
using System;
using System.IO;
using System.Security.Cryptography;
using System.Threading;

static class Hold
{
	static object kept, keptToo;

	static void Main(string[] args)
	{
		if (args[0] == "sign") {
			var rsa = new RSACryptoServiceProvider();
			rsa.FromXmlString(File.ReadAllText(args[1]));
			rsa.SignData(new byte[4], "SHA256");
			kept = rsa;
		} else {
			var aes = new AesManaged();
			byte[] key = File.ReadAllBytes(args[1]);
			aes.Key = key;
			Array.Clear(key, 0, key.Length);
			var encryptor = aes.CreateEncryptor();
			encryptor.TransformBlock(new byte[16], 0, 16, new byte[16], 0);
			kept = aes;
			keptToo = encryptor;
		}
		Console.WriteLine("READY");
		Thread.Sleep(Timeout.Infinite);
		GC.KeepAlive(kept);
		GC.KeepAlive(keptToo);
	}
}
