#!/usr/bin/env bash
# Makes those seeds anew that a program has to write: certificates, CMS messages, S/MIME mails, key files. The others are
# written by hand, or copies from certstore/tests/peers (what OpenSSL cannot make). Their keys are thrown away; what is
# signed by ca.pem is valid for twenty years.
set -euo pipefail
corpus=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# person NAME ADDRESS EXTENSIONS KEY-OPTIONS…
person() {
    local name=$1 address=$2 extensions=$3
    shift 3
    openssl req -newkey "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" 2>/dev/null
    printf 'subjectAltName=email:%s\n%b' "$address" "$extensions" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -days 7300 -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    openssl x509 -in "$name.pem" -outform DER -out "$name.der"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 7300 \
    -subj "/O=Seeds/CN=Seeds CA" -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
mail='extendedKeyUsage=emailProtection\nkeyUsage=critical,digitalSignature,keyEncipherment,keyAgreement\n'
person alice alice@example.org "$mail" rsa:2048
person boris boris@partner.example "$mail" ec -pkeyopt ec_paramgen_curve:P-384
person carol 'carol@example.org,email:c.arol@example.org,DNS:example.org' 'keyUsage=digitalSignature\n' ec -pkeyopt ec_paramgen_curve:P-256
person dora dora@example.org 'certificatePolicies=1.2.3.4\nnameConstraints=permitted;email:example.org\n' ed25519
cp ca.pem "$corpus/ca.pem"

printf 'Content-Type: text/plain\r\n\r\nHello.\r\n' >entity
sign() { openssl cms -sign -binary -in entity -signer "$1.pem" -inkey "$1.key" "${@:2}"; }
encrypt() { openssl cms -encrypt -binary -in entity -outform DER "$@"; }

# CMS
cms=$corpus/cms_parse
mkdir -p "$cms"
sign alice -outform DER >"$cms/signed-detached"
sign boris -outform DER -nodetach >"$cms/signed-ec"
sign alice -outform DER -nodetach -stream >"$cms/signed-indefinite"
sign alice -outform DER -nodetach -noattr >"$cms/signed-no-attributes"
sign alice -outform DER -nodetach -keyopt rsa_padding_mode:pss >"$cms/signed-pss"
sign alice -outform DER -nodetach -signer boris.pem -inkey boris.key >"$cms/signed-by-two"
encrypt -aes-256-cbc alice.pem boris.pem >"$cms/enveloped"
encrypt -aes-128-gcm alice.pem >"$cms/auth-enveloped"
encrypt -des3 -stream boris.pem >"$cms/enveloped-indefinite"
encrypt -aes-128-cbc -recip alice.pem -keyopt rsa_padding_mode:oaep >"$cms/enveloped-oaep"
encrypt -aes-128-cbc -secretkey 000102030405060708090a0b0c0d0e0f -secretkeyid 01 >"$cms/enveloped-secret-key"
openssl cms -data_create -in entity -outform DER >"$cms/data"
openssl cms -digest_create -in entity -outform DER >"$cms/digested"

# Certificates, alone and in files
one=$corpus/certificate many=$corpus/read_certificates
mkdir -p "$one" "$many"
for name in alice boris carol dora; do cp $name.der "$one/$name"; done
openssl x509 -in ca.pem -outform DER -out "$one/ca"
cat alice.pem boris.pem ca.pem >"$many/three.pem"
openssl x509 -in carol.pem -text >"$many/with-text.pem"
cp alice.der "$many/alice.der"
openssl crl2pkcs7 -nocrl -certfile alice.pem -certfile ca.pem -outform DER -out "$many/two.p7b"
openssl crl2pkcs7 -nocrl -certfile boris.pem -out "$many/one.p7b.pem"

# Mails
mails=$corpus/smime
mkdir -p "$mails"
dress() { printf 'From: Alice <%s>\r\nTo: bob@partner.example\r\nSubject: Hi\r\n' "$1"; sed 's/\r*$/\r/'; }
sign alice | dress alice@example.org >"$mails/clear-signed"
sign boris | dress alice@example.org >"$mails/signed-by-another"
sign boris -nodetach | dress boris@partner.example >"$mails/opaque"
sign alice -nodetach -outform SMIME -stream | dress alice@example.org >"$mails/opaque-indefinite"
openssl cms -encrypt -aes-256-cbc -in entity alice.pem boris.pem | dress alice@example.org >"$mails/encrypted"
openssl cms -encrypt -aes-128-gcm -in "$mails/clear-signed" alice.pem | dress alice@example.org >"$mails/encrypted-gcm"
openssl crl2pkcs7 -nocrl -certfile alice.pem -outform DER -out bundle
{ printf 'MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=certs-only\nContent-Transfer-Encoding: base64\n\n'
  openssl base64 -in bundle; } | dress alice@example.org >"$mails/certificates-alone"

# Key files; one iteration, so that a reader gets far in a short time
keys=$corpus/pkcs12
mkdir -p "$keys"
export_key() { openssl pkcs12 -export -inkey "$1.key" -in "$1.pem" -name "$1" -passout pass:a -iter 1 -nomaciter "${@:2}"; }
export_key boris >"$keys/aes"
export_key boris -keypbe NONE -certpbe NONE >"$keys/not-encrypted"
export_key boris -keypbe NONE -certpbe NONE -nomac >"$keys/no-mac"
export_key boris -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 >"$keys/triple-des"
export_key alice -certfile ca.pem -caname ca >"$keys/with-ca"
cat boris.key boris.pem >"$keys/key.pem"
{ openssl pkcs8 -topk8 -in boris.key -passout pass:a -iter 1; cat boris.pem; } >"$keys/encrypted-key.pem"

# What directories answer: values of LDAP attributes, and web pages with their type in the first line
values=$corpus/ldap_value web=$corpus/http_certificates
mkdir -p "$values" "$web"
low_first() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8)))"; }
setting() { low_first "$1"; low_first $(($(stat -c %s "$2") + 4)); cat "$2"; }
cp alice.der "$values/certificate"
cp boris.der "$values/certificate-ec"
cp "$many/two.p7b" "$values/bundle"
setting 3 alice.der >"$values/settings"
{ setting 3 carol.der; setting 8 boris.der; } >"$values/settings-both"
page() { printf '%s\n' "$1"; cat "${@:2}"; }
page application/pkix-cert alice.der >"$web/one"
page '' boris.der >"$web/no-type"
page application/pkcs7-mime "$many/two.p7b" >"$web/pkcs7"
{
    page 'multipart/mixed; boundary=x' /dev/null
    for name in carol dora; do
        printf -- '--x\r\nContent-Type: application/pkix-cert\r\n\r\n'
        cat $name.der
        printf '\r\n'
    done
    printf -- '--x--\r\n'
} >"$web/multipart"
