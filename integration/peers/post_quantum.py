"""ML-KEM and ML-DSA in S/MIME by other code than ours: OpenSSL's algorithms through pyca/cryptography, and a small DER
reader and writer of its own.

usage: post_quantum.py COMMAND ARGUMENTS, the entity or CMS message on standard input, the answer on standard output
    decrypt KEY                 a CMS message for an ML-KEM key (PEM): KEMRecipientInfo, RFC 9629 and 9936
    verify CERTIFICATE CONTENT  a SignedData by the ML-DSA key of a certificate (PEM) over a file, RFC 9882
    encrypt CERTIFICATE KDF UKM an entity for an ML-KEM key; KDF is 256, 384 or 512, UKM is hexadecimal or "-"
    sign CERTIFICATE KEY        an entity, with the content inside

ML-KEM-512 is not offered by pyca/cryptography.
"""

import os
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"
ORI_KEM = "1.2.840.113549.1.9.16.13.3"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SHA_512 = "2.16.840.1.101.3.4.2.3"
AES = "2.16.840.1.101.3.4.1."
ML_KEM = {"2.16.840.1.101.3.4.4.2": 1088, "2.16.840.1.101.3.4.4.3": 1568}
ML_DSA = {
    "2.16.840.1.101.3.4.3.17": 44,
    "2.16.840.1.101.3.4.3.18": 65,
    "2.16.840.1.101.3.4.3.19": 87,
}
HKDF_DIGESTS = {
    "1.2.840.113549.1.9.16.3.28": hashes.SHA256(),
    "1.2.840.113549.1.9.16.3.29": hashes.SHA384(),
    "1.2.840.113549.1.9.16.3.30": hashes.SHA512(),
}
KEY_WRAPS = {AES + "5": 16, AES + "25": 24, AES + "45": 32}


# DER, the part of it that is needed here.


def element(data, start=0):
    """The tag, the contents and the end of the element at `start`."""
    tag, length, at = data[start], data[start + 1], start + 2
    if length >= 0x80:
        count = length & 0x7F
        if count == 0 or data[at] == 0 or (count == 1 and data[at] < 0x80):
            raise ValueError("the length is not DER")
        length, at = int.from_bytes(data[at : at + count], "big"), at + count
    if at + length > len(data):
        raise ValueError("cut off")
    return tag, data[at : at + length], at + length


def children(contents):
    """The elements in `contents`, each as (tag, contents, whole)."""
    at, found = 0, []
    while at < len(contents):
        tag, inside, end = element(contents, at)
        found.append((tag, inside, contents[at:end]))
        at = end
    return found


def tlv(tag, *parts):
    contents = b"".join(parts)
    if len(contents) < 0x80:
        return bytes([tag, len(contents)]) + contents
    length = len(contents).to_bytes((len(contents).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + contents


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    octets = bytearray()
    for arc in [40 * arcs[0] + arcs[1]] + arcs[2:]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(septets)
    return tlv(6, bytes(octets))


def oid_text(contents):
    arcs, arc = [], 0
    for octet in contents:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in [first, arcs[0] - 40 * first] + arcs[1:])


def algorithm(contents, parameters=False):
    """The OID of an AlgorithmIdentifier; parameters must be there or not, as is said."""
    fields = children(contents)
    if (len(fields) > 1) != parameters:
        raise ValueError("parameters where there should be none, or none where there should be some")
    return oid_text(fields[0][1])


# Messages.


def content(message, *expected):
    fields = children(element(message)[1])
    kind = oid_text(fields[0][1])
    if kind not in expected:
        raise ValueError("a message of type " + kind)
    return kind, children(element(fields[1][1])[1])


def key_encryption_key(secret, kdf, wrap, length, material):
    parts = [wrap, integer(length)] + ([tlv(0xA0, material)] if material else [])
    return HKDF(HKDF_DIGESTS[kdf], length, salt=None, info=sequence(*parts)).derive(secret)


def decrypt(message, key_file):
    key = serialization.load_pem_private_key(read(key_file), None)
    kind, fields = content(message, ENVELOPED_DATA, AUTH_ENVELOPED_DATA)
    if int.from_bytes(fields[0][1], "big") != (3 if kind == ENVELOPED_DATA else 0):
        raise ValueError("the version is wrong")
    for tag, recipient, _ in children(fields[1][1]):
        if tag == 0xA4 and (content_key := from_recipient(recipient, key)):
            return open_content(kind, fields[2:], content_key)
    raise ValueError("no KEMRecipientInfo for this key")


def from_recipient(recipient, key):
    kind, value = children(recipient)
    if oid_text(kind[1]) != ORI_KEM:
        return None
    version, _rid, kem, ciphertext, kdf, length, *rest = children(value[1])
    material = rest.pop(0)[1] if rest[0][0] == 0xA0 else None
    wrap, encrypted_key = rest
    wrap_length = KEY_WRAPS[algorithm(wrap[1])]
    if version[1] != b"\0" or int.from_bytes(length[1], "big") != wrap_length:
        raise ValueError("the version or the length of the key is wrong")
    if len(ciphertext[1]) != ML_KEM[algorithm(kem[1])]:
        raise ValueError("the ciphertext is of another length")
    try:
        secret = key.decapsulate(ciphertext[1])
    except ValueError:
        return None
    wrapping = key_encryption_key(secret, algorithm(kdf[1]), wrap[2], wrap_length, material)
    return aes_key_unwrap(wrapping, encrypted_key[1])


def open_content(kind, fields, content_key):
    _type, cipher, ciphertext = children(fields[0][1])
    name = algorithm(cipher[1], parameters=True)
    parameters = children(cipher[1])[1]
    if kind == AUTH_ENVELOPED_DATA:
        assert name in (AES + "6", AES + "26", AES + "46"), name
        nonce = children(parameters[1])[0][1]
        return AESGCM(content_key).decrypt(nonce, ciphertext[1] + fields[1][1], None)
    assert name in (AES + "2", AES + "22", AES + "42"), name
    decryptor = Cipher(algorithms.AES(content_key), modes.CBC(parameters[1])).decryptor()
    padded = decryptor.update(ciphertext[1]) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def encrypt(entity, certificate_file, digest, material):
    certificate = x509.load_pem_x509_certificate(read(certificate_file))
    public = certificate.public_key()
    kem = list(ML_KEM)[not isinstance(public, MLKEM768PublicKey)]
    secret, ciphertext = public.encapsulate()
    kdf = list(HKDF_DIGESTS)[["256", "384", "512"].index(digest)]
    material = None if material == "-" else tlv(4, bytes.fromhex(material))
    wrap, content_key, nonce = sequence(oid(AES + "45")), os.urandom(32), os.urandom(12)
    wrapping = key_encryption_key(secret, kdf, wrap, 32, material)
    recipient = tlv(
        0xA4,
        oid(ORI_KEM),
        sequence(
            integer(0),
            issuer_and_serial(certificate),
            sequence(oid(kem)),
            tlv(4, ciphertext),
            sequence(oid(kdf)),
            integer(32),
            tlv(0xA0, material) if material else b"",
            wrap,
            tlv(4, aes_key_wrap(wrapping, content_key)),
        ),
    )
    sealed = AESGCM(content_key).encrypt(nonce, entity, None)
    cipher = sequence(oid(AES + "46"), sequence(tlv(4, nonce), integer(16)))
    info = sequence(oid(DATA), cipher, tlv(0x80, sealed[:-16]))
    enveloped = sequence(integer(0), tlv(0x31, recipient), info, tlv(4, sealed[-16:]))
    return sequence(oid(AUTH_ENVELOPED_DATA), tlv(0xA0, enveloped))


def issuer_and_serial(certificate):
    return sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number))


def sha_512(data):
    digest = hashes.Hash(hashes.SHA512())
    digest.update(data)
    return digest.finalize()


def verify(message, certificate_file, content_file):
    certificate = x509.load_pem_x509_certificate(read(certificate_file))
    entity = read(content_file)
    _kind, fields = content(message, SIGNED_DATA)
    if len(children(fields[2][1])) != 1:
        raise ValueError("there is content inside")
    _version, rid, digest, attributes, signature_algorithm, signature = children(
        children(fields[-1][1])[0][1]
    )
    if rid[2] != issuer_and_serial(certificate):
        raise ValueError("signed by somebody else")
    if algorithm(digest[1]) != SHA_512:
        raise ValueError("the digest is not SHA-512")
    if ML_DSA[algorithm(signature_algorithm[1])] not in (44, 65, 87):
        raise ValueError("not ML-DSA")
    found = {oid_text(children(a[1])[0][1]): children(a[1])[1][1] for a in children(attributes[1])}
    if oid_text(element(found[CONTENT_TYPE])[1]) != DATA:
        raise ValueError("the content type is not data")
    if element(found[MESSAGE_DIGEST])[1] != sha_512(entity):
        raise ValueError("the content was changed")
    try:
        certificate.public_key().verify(signature[1], tlv(0x31, attributes[1]))
    except InvalidSignature:
        raise ValueError("the signature is wrong") from None
    return entity


def sign(entity, certificate_file, key_file):
    certificate = x509.load_pem_x509_certificate(read(certificate_file))
    key = serialization.load_pem_private_key(read(key_file), None)
    attribute = lambda kind, value: sequence(oid(kind), tlv(0x31, value))
    attributes = attribute(CONTENT_TYPE, oid(DATA)) + attribute(
        MESSAGE_DIGEST, tlv(4, sha_512(entity))
    )
    digest = sequence(oid(SHA_512))
    signer = sequence(
        integer(1),
        issuer_and_serial(certificate),
        digest,
        tlv(0xA0, attributes),
        sequence(oid(certificate.public_key_algorithm_oid.dotted_string)),
        tlv(4, key.sign(tlv(0x31, attributes))),
    )
    signed = sequence(
        integer(1),
        tlv(0x31, digest),
        sequence(oid(DATA), tlv(0xA0, tlv(4, entity))),
        tlv(0xA0, certificate.public_bytes(serialization.Encoding.DER)),
        tlv(0x31, signer),
    )
    return sequence(oid(SIGNED_DATA), tlv(0xA0, signed))


def read(path):
    with open(path, "rb") as file:
        return file.read()


COMMANDS = {"decrypt": decrypt, "verify": verify, "encrypt": encrypt, "sign": sign}

if __name__ == "__main__":
    answer = COMMANDS[sys.argv[1]](sys.stdin.buffer.read(), *sys.argv[2:])
    sys.stdout.buffer.write(answer)
