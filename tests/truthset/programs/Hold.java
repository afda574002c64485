// SPDX-License-Identifier: GPL-2.0-or-later
/* The Java runtime's own providers: a signature, a key store, or a cipher at work. */
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/* Hold rsa|ec|aes|store FILE (PKCS#8 in DER, raw bytes, or PKCS#12 of password "password") */
public class Hold {
	static Object kept, keptToo;

	static void sign(String algorithm, PrivateKey key) throws Exception {
		Signature signature = Signature.getInstance(algorithm);

		signature.initSign(key);
		signature.update(new byte[3]);
		signature.sign();
		kept = key;
		keptToo = signature;
	}

	public static void main(String[] args) throws Exception {
		byte[] file = Files.readAllBytes(Paths.get(args[1]));

		switch (args[0]) {
		case "rsa":
		case "ec":
			PrivateKey key = KeyFactory.getInstance(args[0].toUpperCase())
				.generatePrivate(new PKCS8EncodedKeySpec(file));
			Arrays.fill(file, (byte) 0);
			sign(args[0].equals("rsa") ? "SHA256withRSA" : "SHA256withECDSA", key);
			break;
		case "store":
			char[] password = "password".toCharArray();
			KeyStore store = KeyStore.getInstance("PKCS12");
			store.load(new ByteArrayInputStream(file), password);
			sign("SHA256withRSA", (PrivateKey) store.getKey("truth", password));
			break;
		default:
			Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
			SecretKeySpec secret = new SecretKeySpec(file, "AES");
			Arrays.fill(file, (byte) 0);
			cipher.init(Cipher.ENCRYPT_MODE, secret, new IvParameterSpec(new byte[16]));
			cipher.update(new byte[64]);
			kept = cipher;
			keptToo = secret;
		}
		System.gc();
		System.out.println("READY");
		System.out.flush();
		Thread.sleep(Long.MAX_VALUE);
	}
}
