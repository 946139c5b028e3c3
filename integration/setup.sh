#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing that is there: setup.sh [build] [peers]
#   build   what compiling and trying out needs
#   peers   the mail servers and S/MIME programs of the tests; none of them is started as a service
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
missing=()

# needs FILE-OR-COMMAND PACKAGE
needs() {
    command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing+=("$2")
}

for group in "$@"; do
    case $group in
        build)
            if ! command -v cargo >/dev/null 2>&1; then
                echo "Rust is missing (1.95 or newer): see https://rustup.rs" >&2
                exit 69
            fi
            needs cc build-essential
            needs openssl openssl
            needs curl curl
            ;;
        peers)
            needs git git
            needs postfix postfix
            needs dovecot dovecot-core
            needs /usr/lib/dovecot/lmtp dovecot-lmtpd
            needs /usr/lib/dovecot/imap dovecot-imapd
            needs certutil libnss3-tools
            needs javac default-jdk-headless
            needs /usr/share/java/bcprov.jar libbcprov-java
            needs /usr/share/java/bcpkix.jar libbcpkix-java
            needs /usr/share/java/bcmail.jar libbcmail-java
            needs gpgsm gpgsm
            needs node nodejs
            needs npm npm
            needs python3 python3
            [ -e /usr/share/doc/postgresql ] || missing+=(postgresql)
            needs slapd slapd
            needs ldapsearch ldap-utils
            needs named bind9
            needs dnssec-signzone bind9-utils
            python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
            ;;
        *)
            echo "setup.sh: unknown group $group (build, peers)" >&2
            exit 64
            ;;
    esac
done

[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing: ${missing[*]}"

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

# The mail servers must not take this machine's mail: whatever would start them is told not to.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f $policy' EXIT
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq "$@" >/dev/null
}
if [[ " ${missing[*]} " == *" postfix "* ]]; then
    echo "postfix postfix/main_mailer_type select No configuration" | "${as_root[@]}" debconf-set-selections
fi
apt update
apt install --no-install-recommends "${missing[@]}"
