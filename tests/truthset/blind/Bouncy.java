// SPDX-License-Identifier: GPL-2.0-or-later
/* Bouncy Castle's own implementations in Java. Bouncy sign|cipher FILE (PKCS#8 in DER, raw) */
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.params.RSAPrivateCrtKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.RSADigestSigner;
import org.bouncycastle.crypto.util.PrivateKeyFactory;

public class Bouncy {
	static Object kept, keptToo;

	public static void main(String[] args) throws Exception {
		byte[] file = Files.readAllBytes(Paths.get(args[1]));

		if (args[0].equals("cipher")) {
			AESEngine engine = new AESEngine();
			engine.init(true, new KeyParameter(file));
			engine.processBlock(new byte[16], 0, new byte[16], 0);
			kept = engine;
		} else {
			CipherParameters key = PrivateKeyFactory.createKey(file);
			if (key instanceof RSAPrivateCrtKeyParameters) {
				RSADigestSigner signer = new RSADigestSigner(new SHA256Digest());
				signer.init(true, key);
				signer.update(new byte[4], 0, 4);
				signer.generateSignature();
				keptToo = signer;
			} else {
				ECDSASigner signer = new ECDSASigner();
				signer.init(true, new ParametersWithRandom(key, new SecureRandom()));
				signer.generateSignature(new byte[32]);
				keptToo = signer;
			}
			kept = key;
		}
		Arrays.fill(file, (byte) 0);
		System.gc();
		System.out.println("READY");
		System.out.flush();
		Thread.sleep(Long.MAX_VALUE);
	}
}
