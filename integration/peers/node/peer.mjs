// S/MIME by PKI.js over Node's Web Crypto.
//
// Each line of standard input is one request, its words separated by single blanks; each is answered by one line: "ok"
// and the result in base64, or "error" and a text. Certificates and keys are PEM, messages DER.
//
//   version
//   verify MESSAGE ANCHOR [CONTENT]                       the signed content
//   sign ENTITY CERTIFICATE KEY SIGNATURE FORM            e.g. rsa-pss-sha256; clear or opaque
//   decrypt MESSAGE CERTIFICATE KEY METHOD                RSA-OAEP, or ECDH and its key derivation's digest
//   encrypt ENTITY CERTIFICATE CIPHER BITS METHOD DIGEST  e.g. AES-CBC 256 oaep sha256
//   certificate MESSAGE                                   the first one
//   certificates CERTIFICATE

import { createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";

const engine = new pkijs.CryptoEngine({ name: "node", crypto: webcrypto });
pkijs.setEngine("node", engine);

const bytes = (file) => new Uint8Array(readFileSync(file));
const pem = (file) => Buffer.from(readFileSync(file, "latin1").replace(/-----[^-]+-----/g, ""), "base64");
const certificateIn = (file) => pkijs.Certificate.fromBER(new Uint8Array(pem(file)));
const hash = (name) => name.toUpperCase().replace("SHA", "SHA-");
const messageIn = (file) => pkijs.ContentInfo.fromBER(bytes(file));

function written(contentType, content) {
    return Buffer.from(new pkijs.ContentInfo({ contentType, content }).toSchema().toBER());
}

const curveOf = (certificateFile) => {
    const key = createPublicKey(new X509Certificate(readFileSync(certificateFile)).publicKey.export({ type: "spki", format: "pem" }));
    const names = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
    return names[key.asymmetricKeyDetails.namedCurve] ?? key.asymmetricKeyType;
};

function keyAlgorithm(signature, certificateFile) {
    const [kind, padding, digest] = signature.split("-");
    switch (kind) {
        case "rsa":
            return { name: padding === "pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash: hash(digest) };
        case "ecdsa":
            return { name: "ECDSA", namedCurve: curveOf(certificateFile) };
        default:
            return { name: "Ed25519" };
    }
}

async function verify(message, anchor, content) {
    const signed = new pkijs.SignedData({ schema: messageIn(message).content });
    const outcome = await signed.verify({
        signer: 0,
        trustedCerts: [certificateIn(anchor)],
        checkChain: true,
        data: content === undefined ? undefined : bytes(content).buffer,
        extendedMode: true,
    });
    if (!outcome.signatureVerified || !outcome.signerCertificateVerified) {
        throw new Error(outcome.message || "the signature is wrong");
    }
    return content === undefined ? Buffer.from(signed.encapContentInfo.eContent.getValue()) : Buffer.from(bytes(content));
}

async function sign(entity, certificateFile, keyFile, signature, form) {
    const digest = signature === "ed25519" ? "SHA-512" : hash(signature.split("-").at(-1));
    const algorithm = keyAlgorithm(signature, certificateFile);
    const key = await webcrypto.subtle.importKey("pkcs8", pem(keyFile), algorithm, false, ["sign"]);
    const content = bytes(entity).buffer;
    const certificate = certificateIn(certificateFile);
    const attribute = (type, value) => new pkijs.Attribute({ type, values: [value] });
    const attributes = [
        attribute("1.2.840.113549.1.9.3", new asn1js.ObjectIdentifier({ value: pkijs.ContentInfo.DATA })),
        attribute("1.2.840.113549.1.9.5", new asn1js.UTCTime({ valueDate: new Date() })),
        attribute("1.2.840.113549.1.9.4", new asn1js.OctetString({ valueHex: await webcrypto.subtle.digest(digest, content) })),
    ];
    const signed = new pkijs.SignedData({
        version: 1,
        encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: pkijs.ContentInfo.DATA }),
        signerInfos: [
            new pkijs.SignerInfo({
                version: 1,
                sid: new pkijs.IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
                signedAttrs: new pkijs.SignedAndUnsignedAttributes({ type: 0, attributes }),
            }),
        ],
        certificates: [certificate],
    });
    if (form === "opaque") {
        signed.encapContentInfo.eContent = new asn1js.OctetString({ valueHex: content });
    }
    await signed.sign(key, 0, digest, content);
    return written(pkijs.ContentInfo.SIGNED_DATA, signed.toSchema(true));
}

async function decrypt(message, certificateFile, keyFile) {
    const enveloped = new pkijs.EnvelopedData({ schema: messageIn(message).content });
    return Buffer.from(
        await enveloped.decrypt(0, {
            recipientCertificate: certificateIn(certificateFile),
            recipientPrivateKey: new Uint8Array(pem(keyFile)).buffer,
        }),
    );
}

async function encrypt(entity, certificateFile, cipher, bits, method, digest) {
    const enveloped = new pkijs.EnvelopedData();
    const parameters = { oaepHashAlgorithm: hash(digest), kdfAlgorithm: hash(digest), kekEncryptionLength: Number(bits) };
    if (!enveloped.addRecipientByCertificate(certificateIn(certificateFile), parameters, method === "ecdh" ? 2 : 1)) {
        throw new Error("it takes no recipient with such a key");
    }
    await enveloped.encrypt({ name: cipher, length: Number(bits) }, bytes(entity).buffer);
    return written(pkijs.ContentInfo.ENVELOPED_DATA, enveloped.toSchema());
}

async function certificate(message) {
    const signed = new pkijs.SignedData({ schema: messageIn(message).content });
    return Buffer.from(signed.certificates[0].toSchema().toBER());
}

async function certificates(file) {
    const signed = new pkijs.SignedData({
        version: 1,
        encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: pkijs.ContentInfo.DATA }),
        certificates: [certificateIn(file)],
    });
    return written(pkijs.ContentInfo.SIGNED_DATA, signed.toSchema(true));
}

async function version() {
    return Buffer.from(createRequire(import.meta.url)("./node_modules/pkijs/package.json").version);
}

const requests = { version, verify, sign, decrypt, encrypt, certificate, certificates };

for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(" ");
    try {
        console.log(`ok ${(await requests[name](...words)).toString("base64")}`);
    } catch (failure) {
        console.log(`error ${String(failure?.message || failure).replace(/\s+/g, " ")}`);
    }
}
