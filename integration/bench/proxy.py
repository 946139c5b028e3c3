#!/usr/bin/env python3
"""What one would write in an afternoon: an SMTP proxy that signs and encrypts, for Postfix's content_filter.

proxy.py PORT NEXT_PORT SIGNER_CERTIFICATE SIGNER_KEY RECIPIENT_CERTIFICATE

It is there to be measured beside the gateway, and does what a fast one would: one process for each core, keys and
certificates read once, AES-256-CBC and SHA-256 by OpenSSL (through `cryptography`). It answers 250 only after the next
hop did, so the queue that makes mail safe is Postfix's. No policy, no lookup, no check of certificates.
"""
import asyncio
import base64
import os
import re
import signal
import socket
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import pkcs7

PORT, NEXT_PORT = int(sys.argv[1]), int(sys.argv[2])
SIGNER, KEY, RECIPIENT = (open(name, "rb").read() for name in sys.argv[3:6])
SIGNER = x509.load_pem_x509_certificate(SIGNER)
KEY = serialization.load_pem_private_key(KEY, None)
RECIPIENT = x509.load_pem_x509_certificate(RECIPIENT)
LIMIT = 1 << 27


def protect(mail):
    """The mail with its entity signed and encrypted."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = [f for f in re.split(rb"\r\n(?![ \t])", head) if not f.lower().startswith(b"mime-version:")]
    outer = [f for f in fields if not f.lower().startswith(b"content-")]
    inner = [f for f in fields if f.lower().startswith(b"content-")]
    entity = b"\r\n".join(inner) + b"\r\n\r\n" + body
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    signature = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(entity)
        .add_signer(SIGNER, KEY, hashes.SHA256())
        .sign(serialization.Encoding.DER, options)
    )
    boundary = b"=_" + os.urandom(12).hex().encode()
    signed = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;\r\n boundary="'
        + boundary + b'"\r\n\r\n--' + boundary + b"\r\n" + entity + b"\r\n--" + boundary
        + b'\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + folded(signature) + b"--" + boundary + b"--\r\n"
    )
    sealed = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(signed)
        .set_content_encryption_algorithm(AES256)
        .add_recipient(RECIPIENT)
        .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    return (
        b"\r\n".join(outer) + b"\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + folded(sealed)
    )


def folded(data):
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


async def forward(envelope, mail):
    reader, writer = await asyncio.open_connection("127.0.0.1", NEXT_PORT, limit=LIMIT)
    try:
        await expect(reader, b"220")
        for line in (b"EHLO proxy", *envelope, b"DATA"):
            writer.write(line + b"\r\n")
            await expect(reader, b"354" if line == b"DATA" else b"250")
        writer.write(re.sub(rb"(?m)^\.", b"..", mail) + b".\r\nQUIT\r\n")
        await expect(reader, b"250")
    finally:
        writer.close()


async def expect(reader, code):
    line = b"-" * 4
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(code):
        raise ConnectionError(line)


async def session(reader, writer):
    envelope = []
    writer.write(b"220 proxy\r\n")
    try:
        while line := (await reader.readline()).rstrip():
            verb = line[:4].upper()
            if verb == b"QUIT":
                writer.write(b"221 2.0.0 bye\r\n")
                break
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                mail = b"\r\n" + await reader.readuntil(b"\r\n.\r\n")
                mail = mail[2:-3].replace(b"\r\n..", b"\r\n.")
                await forward(envelope, await asyncio.to_thread(protect, mail))
                writer.write(b"250 2.0.0 passed on\r\n")
                continue
            if verb == b"MAIL":
                envelope = [line.split(b" ")[0] + b" " + line.split(b" ")[1]]
            if verb == b"RCPT":
                envelope.append(line)
            writer.write(b"250-proxy\r\n250 8BITMIME\r\n" if verb == b"EHLO" else b"250 2.0.0 ok\r\n")
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        print("proxy:", error, file=sys.stderr, flush=True)
    finally:
        writer.close()


async def main():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", PORT))
    server = await asyncio.start_server(session, sock=listener, limit=LIMIT, backlog=512)
    await server.serve_forever()


children = []
for _ in range(os.cpu_count() or 1):
    child = os.fork()
    if child == 0:
        asyncio.run(main())
    children.append(child)


def stop(*_):
    for process in children:
        os.kill(process, signal.SIGTERM)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
for child in children:
    os.waitpid(child, 0)
