# Sourced first, by tests that need names and ports of their own: a network in which every name given leads to the server
# that misbehaves, at port 80 and, with a certificate that is trusted, at 443.
# shellcheck shell=bash disable=SC2154 # folder, port: lib.sh's
if [ -z "${GUSSET_OWN_WORLD:-}" ]; then
    user=-r # root keeps all of its users: PostgreSQL will not run as root
    [ "$(id -u)" != 0 ] || user=
    # shellcheck disable=SC2086 # an option or none
    if unshare $user -nm true 2>/dev/null; then
        GUSSET_OWN_WORLD=yes exec unshare $user -nm --propagation private bash "$0" "$@"
    fi
    echo "ok 0 # SKIP $0: this machine does not allow network and mount namespaces (unshare -rnm)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")") # a test may go elsewhere
. "$here/lib.sh"
. "$here/fronts.sh"

# start_world NAME...: false, with a reason, where something that it needs is missing
start_world() {
    local name names=""
    if ! command -v ip >/dev/null || ! command -v openssl >/dev/null || ! command -v stunnel >/dev/null; then
        echo "# iproute2, openssl or stunnel4 is not installed"
        return 1
    fi
    ip link set lo up
    printf '127.0.0.1 localhost %s\n' "$*" >"$folder/hosts"
    mount --bind "$folder/hosts" /etc/hosts
    for name in "$@"; do names=$names,DNS:$name; done
    start_upstream --port 80
    certificate world "${names#,}" && start_tls world 80 443 || return 1
    export CURL_CA_BUNDLE=$folder/authority.crt
}
