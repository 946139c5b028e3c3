import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSAbsentContent;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSCompressedData;
import org.bouncycastle.cms.CMSCompressedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.mail.smime.SMIMESigned;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * S/MIME by BouncyCastle and JavaMail. Each line of standard input is one request, its words separated by single
 * blanks; each is answered by one line: "ok" and the result in base64, or "error" and a text. All files are PEM or mails.
 *
 * <pre>
 * verify MAIL ANCHOR                                the signed entity
 * decrypt MAIL CERTIFICATE KEY                      the decrypted entity
 * sign ENTITY CERTIFICATE KEY ALGORITHM FORM        e.g. SHA256withRSAandMGF1; clear or opaque
 * encrypt ENTITY CERTIFICATE CIPHER TRANSPORT NAMED e.g. AES256_GCM; PKCS1, OAEP_SHA256, ECDH_SHA256, X25519_SHA256;
 *                                                   the recipient named by issuer or identifier
 * compress ENTITY                                   the compressed entity
 * uncompress MAIL                                   the entity inside
 * certificate MESSAGE                               the first of a certs-only message (DER)
 * certificates CERTIFICATE                          a certs-only message (DER)
 * version
 * </pre>
 */
public final class BouncyCastle {
    private static final String BC = BouncyCastleProvider.PROVIDER_NAME;

    private static final Map<String, ASN1ObjectIdentifier> CIPHERS = Map.of(
        "AES128_CBC", CMSAlgorithm.AES128_CBC,
        "AES192_CBC", CMSAlgorithm.AES192_CBC,
        "AES256_CBC", CMSAlgorithm.AES256_CBC,
        "AES128_GCM", CMSAlgorithm.AES128_GCM,
        "AES192_GCM", CMSAlgorithm.AES192_GCM,
        "AES256_GCM", CMSAlgorithm.AES256_GCM,
        "ChaCha20Poly1305", new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.18"),
        "DES_EDE3_CBC", CMSAlgorithm.DES_EDE3_CBC,
        "RC2_CBC", CMSAlgorithm.RC2_CBC);

    /** RFC 5753, section 7.1.4, and RFC 8418, section 2.3. */
    private static final Map<String, ASN1ObjectIdentifier> AGREEMENTS = Map.of(
        "ECDH_SHA1", CMSAlgorithm.ECDH_SHA1KDF,
        "ECDH_SHA256", CMSAlgorithm.ECDH_SHA256KDF,
        "ECDH_SHA384", CMSAlgorithm.ECDH_SHA384KDF,
        "ECDH_SHA512", CMSAlgorithm.ECDH_SHA512KDF,
        "X25519_SHA256", new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.19"),
        "X25519_SHA384", new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.20"),
        "X25519_SHA512", new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.3.21"));

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = requests.readLine()) != null; ) {
            String answer;
            try {
                answer = "ok " + Base64.getEncoder().encodeToString(perform(line.split(" ")));
            } catch (Exception failure) {
                answer = "error " + failure.toString().replaceAll("\\s+", " ");
            }
            System.out.println(answer);
            System.out.flush();
        }
    }

    private static byte[] perform(String[] words) throws Exception {
        return switch (words[0]) {
            case "verify" -> verify(mail(words[1]), certificate(words[2]));
            case "decrypt" -> decrypt(mail(words[1]), certificate(words[2]), words[3]);
            case "sign" -> sign(Files.readAllBytes(Path.of(words[1])), certificate(words[2]), words[3], words[4], words[5]);
            case "encrypt" ->
                encrypt(Files.readAllBytes(Path.of(words[1])), certificate(words[2]), words[3], words[4], words[5]);
            case "compress" -> compress(Files.readAllBytes(Path.of(words[1])));
            case "uncompress" ->
                new CMSCompressedData(mail(words[1]).getInputStream().readAllBytes()).getContent(new ZlibExpanderProvider());
            case "certificate" ->
                new CMSSignedData(Files.readAllBytes(Path.of(words[1]))).getCertificates().getMatches(null).iterator().next()
                    .getEncoded();
            case "certificates" -> certificates(certificate(words[1]));
            case "version" -> ascii(new BouncyCastleProvider().getVersionStr());
            default -> throw new IllegalArgumentException("unknown request " + words[0]);
        };
    }

    @SuppressWarnings("unchecked") // SignerId is a raw Selector.
    private static byte[] verify(MimeMessage mail, X509Certificate anchor) throws Exception {
        SMIMESigned signed = mail.isMimeType("multipart/signed")
            ? new SMIMESigned((MimeMultipart) mail.getContent())
            : new SMIMESigned(mail);
        Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
        if (signers.isEmpty()) {
            throw new SecurityException("nobody signed");
        }
        for (SignerInformation signer : signers) {
            Collection<?> found = signed.getCertificates().getMatches(signer.getSID());
            X509CertificateHolder holder = (X509CertificateHolder) found.iterator().next();
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(holder))) {
                throw new SecurityException("the signature is wrong");
            }
            validate(new JcaX509CertificateConverter().getCertificate(holder), anchor);
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        signed.getContent().writeTo(content);
        return content.toByteArray();
    }

    private static void validate(X509Certificate certificate, X509Certificate anchor) throws Exception {
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(List.of(certificate)), parameters);
    }

    private static byte[] decrypt(MimeMessage mail, X509Certificate certificate, String keyFile) throws Exception {
        byte[] message = mail.getInputStream().readAllBytes();
        PrivateKey key = key(keyFile, certificate);
        boolean authenticated =
            ContentInfo.getInstance(message).getContentType().equals(PKCSObjectIdentifiers.id_ct_authEnvelopedData);
        RecipientInformationStore recipients = authenticated
            ? new CMSAuthEnvelopedData(message).getRecipientInfos()
            : new CMSEnvelopedData(message).getRecipientInfos();
        boolean agreed = !(certificate.getPublicKey() instanceof RSAPublicKey);
        RecipientInformation ours = agreed
            ? recipients.get(new JceKeyAgreeRecipientId(certificate))
            : recipients.get(new JceKeyTransRecipientId(certificate));
        if (ours == null) {
            throw new SecurityException("not encrypted to " + certificate.getSubjectX500Principal());
        }
        Recipient recipient = agreed
            ? new JceKeyAgreeEnvelopedRecipient(key).setProvider(BC)
            : authenticated
                ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider(BC)
                : new JceKeyTransEnvelopedRecipient(key).setProvider(BC);
        return ours.getContent(recipient);
    }

    private static byte[] sign(byte[] entity, X509Certificate certificate, String keyFile, String algorithm, String form)
        throws Exception {
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(
            new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider(BC).build())
                .build(
                    new JcaContentSignerBuilder(algorithm).setProvider(BC).build(key(keyFile, certificate)),
                    certificate));
        generator.addCertificate(new JcaX509CertificateHolder(certificate));
        boolean opaque = form.equals("opaque");
        byte[] message = generator.generate(new CMSProcessableByteArray(entity), opaque).getEncoded();
        if (opaque) {
            return pkcs7("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", message);
        }
        String micalg = "sha-" + (algorithm.startsWith("SHA") ? algorithm.substring(3, algorithm.indexOf("with")) : "512");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ascii("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=" + micalg
            + ";\r\n boundary=\"=_bouncycastle\"\r\n\r\n--=_bouncycastle\r\n"));
        out.write(entity);
        out.write(ascii("\r\n--=_bouncycastle\r\n"));
        out.write(pkcs7("application/pkcs7-signature; name=smime.p7s", message));
        out.write(ascii("\r\n--=_bouncycastle--\r\n"));
        return out.toByteArray();
    }

    private static byte[] compress(byte[] entity) throws Exception {
        CMSCompressedData message =
            new CMSCompressedDataGenerator().generate(new CMSProcessableByteArray(entity), new ZlibCompressor());
        return pkcs7("application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z", message.getEncoded());
    }

    private static byte[] certificates(X509Certificate certificate) throws Exception {
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addCertificate(new JcaX509CertificateHolder(certificate));
        return generator.generate(new CMSAbsentContent()).getEncoded();
    }

    private static byte[] encrypt(byte[] entity, X509Certificate certificate, String cipher, String transport, String named)
        throws Exception {
        OutputEncryptor encryptor = new JceCMSContentEncryptorBuilder(CIPHERS.get(cipher)).setProvider(BC).build();
        RecipientInfoGenerator recipient = certificate.getPublicKey() instanceof RSAPublicKey
            ? transport(certificate, transport, named)
            : agreement(certificate, transport, named);
        CMSProcessableByteArray content = new CMSProcessableByteArray(entity);
        if (encryptor instanceof OutputAEADEncryptor authenticated) {
            CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            return pkcs7(
                "application/pkcs7-mime; smime-type=authEnveloped-data; name=smime.p7m",
                generator.generate(content, authenticated).getEncoded());
        }
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(recipient);
        return pkcs7(
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            generator.generate(content, encryptor).getEncoded());
    }

    private static RecipientInfoGenerator transport(X509Certificate certificate, String transport, String named)
        throws Exception {
        boolean byIdentifier = named.equals("identifier");
        byte[] identifier = byIdentifier ? identifier(certificate) : null;
        if (transport.equals("PKCS1")) {
            return (byIdentifier
                ? new JceKeyTransRecipientInfoGenerator(identifier, certificate.getPublicKey())
                : new JceKeyTransRecipientInfoGenerator(certificate)).setProvider(BC);
        }
        String digest = transport.replace("OAEP_SHA", "SHA-");
        OAEPParameterSpec parameters =
            new OAEPParameterSpec(digest, "MGF1", new MGF1ParameterSpec(digest), PSource.PSpecified.DEFAULT);
        AlgorithmIdentifier oaep = new JcaAlgorithmParametersConverter()
            .getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, parameters);
        return (byIdentifier
            ? new JceKeyTransRecipientInfoGenerator(identifier, oaep, certificate.getPublicKey())
            : new JceKeyTransRecipientInfoGenerator(certificate, oaep)).setProvider(BC);
    }

    private static RecipientInfoGenerator agreement(X509Certificate certificate, String agreement, String named)
        throws Exception {
        PublicKey key = certificate.getPublicKey();
        KeyPairGenerator generator;
        if (key instanceof ECPublicKey onCurve) {
            generator = KeyPairGenerator.getInstance("EC", BC);
            generator.initialize(onCurve.getParams());
        } else {
            generator = KeyPairGenerator.getInstance("X25519", BC);
        }
        KeyPair ephemeral = generator.generateKeyPair();
        JceKeyAgreeRecipientInfoGenerator recipient = new JceKeyAgreeRecipientInfoGenerator(
            AGREEMENTS.get(agreement), ephemeral.getPrivate(), ephemeral.getPublic(), CMSAlgorithm.AES256_WRAP);
        return (named.equals("identifier")
            ? recipient.addRecipient(identifier(certificate), key)
            : recipient.addRecipient(certificate)).setProvider(BC);
    }

    private static byte[] identifier(X509Certificate certificate) throws Exception {
        Extensions extensions = new JcaX509CertificateHolder(certificate).getExtensions();
        return SubjectKeyIdentifier.fromExtensions(extensions).getKeyIdentifier();
    }

    private static MimeMessage mail(String file) throws Exception {
        try (InputStream in = new FileInputStream(file)) {
            return new MimeMessage(null, in);
        }
    }

    private static X509Certificate certificate(String file) throws Exception {
        try (InputStream in = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static PrivateKey key(String file, X509Certificate certificate) throws Exception {
        String text = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----", "");
        byte[] pkcs8 = Base64.getMimeDecoder().decode(text);
        return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm(), BC)
            .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    private static byte[] pkcs7(String type, byte[] message) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ascii("Content-Type: " + type + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
        out.write(Base64.getMimeEncoder().encode(message));
        out.write(ascii("\r\n"));
        return out.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
