"""S/MIME by PyCA's cryptography.

Each line of standard input is one request, its words separated by single blanks; each is answered by one line: "ok" and
the result in base64, or "error" and a text. Certificates and keys are PEM, messages DER.

    version
    sign ENTITY CERTIFICATE KEY SIGNATURE FORM      e.g. rsa-pss-sha256; clear or opaque
    decrypt MESSAGE CERTIFICATE KEY
    encrypt ENTITY CERTIFICATE CIPHER               AES128 or AES256, as its classes are called
    certificate MESSAGE                             the first one
    certificates CERTIFICATE
"""

import base64
import sys
from pathlib import Path

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7

DER = serialization.Encoding.DER


def certificate_in(file):
    return x509.load_pem_x509_certificate(Path(file).read_bytes())


def key_in(file):
    return serialization.load_pem_private_key(Path(file).read_bytes(), None)


def version():
    return cryptography.__version__.encode()


def sign(entity, certificate, key, signature, form):
    algorithm = getattr(hashes, signature.rpartition("-")[2].upper())()
    pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(Path(entity).read_bytes())
    builder = builder.add_signer(
        certificate_in(certificate),
        key_in(key),
        algorithm,
        rsa_padding=pss if "pss" in signature else None,
    )
    options = [pkcs7.PKCS7Options.Binary]
    if form == "clear":
        options.append(pkcs7.PKCS7Options.DetachedSignature)
    return builder.sign(DER, options)


def decrypt(message, certificate, key):
    data = Path(message).read_bytes()
    return pkcs7.pkcs7_decrypt_der(data, certificate_in(certificate), key_in(key), [])


def encrypt(entity, certificate, cipher):
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(Path(entity).read_bytes())
    builder = builder.add_recipient(certificate_in(certificate))
    builder = builder.set_content_encryption_algorithm(getattr(algorithms, cipher))
    return builder.encrypt(DER, [pkcs7.PKCS7Options.Binary])


def certificate(message):
    found = pkcs7.load_der_pkcs7_certificates(Path(message).read_bytes())
    return found[0].public_bytes(DER)


def certificates(file):
    return pkcs7.serialize_certificates([certificate_in(file)], DER)


REQUESTS = [version, sign, decrypt, encrypt, certificate, certificates]


def main():
    known = {request.__name__: request for request in REQUESTS}
    for line in sys.stdin:
        name, *words = line.split()
        try:
            answer = "ok " + base64.b64encode(known[name](*words)).decode()
        except Exception as failure:
            text = " ".join(str(failure).split()) or type(failure).__name__
            answer = "error " + text
        print(answer, flush=True)


main()
