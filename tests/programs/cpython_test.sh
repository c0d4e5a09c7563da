#!/bin/bash
# CPython's own tests of the network have the same results under gusset, where a mild rule (a limit on the time to connect, a
# breaker, no retries) matches every connect, as bare. Of test_asyncio all that touches a socket, a pipe or a process.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3)
if [ -z "$python" ] || ! "$python" -c 'import test.test_socket, test.test_asyncio' 2>/dev/null; then
    skip "CPython's own network tests" "libpython3.11-testsuite is not installed, or python3 is another version"
    done_testing
fi
config "$folder/mild.cfg" <<'CFG'
version = 1;
policies: { mild: { timeout: { connect = "10s"; total = "0s"; }; breaker: { }; }; };
hosts = ( { match = "*"; policy = "mild"; } );
CFG
modules="test_socket test_ssl test_httplib test_urllib2_localnet test_smtplib test_ftplib test_socketserver test_selectors test_subprocess
    test_poplib test_xmlrpc"
for part in base_events buffered_proto events selector_events sendfile server sock_lowlevel ssl sslproto streams subprocess unix_events; do
    modules="$modules test_asyncio.test_$part"
done
# vsock: two runs at once get in each other's way
results() { # FILE [NAME=VALUE...]
    local into=$1
    shift
    # shellcheck disable=SC2086 # the list is meant to be split
    (mkdir "$into.d" && cd "$into.d" && exec env "$@" timeout 400 "$python" -m test.regrtest -j4 --junit-xml "$into.xml" -i '*VSOCK*' -i '*ssl_timeout*' $modules) >"$into" 2>&1
    "$python" - "$into.xml" <<'PY' | sort >"$into.lines"
import sys
import xml.etree.ElementTree as xml

for case in xml.parse(sys.argv[1]).iter("testcase"):
    bad = [part.tag for part in case if part.tag in ("error", "failure", "skipped")]
    print(case.get("name"), case.get("status"), *bad)
PY
}
results "$folder/bare" "HOME=$HOME" &
results "$folder/gusset" "GUSSET_CONFIG=$folder/mild.cfg" "LD_PRELOAD=$BUILD/libgusset.so"
wait $!
is "CPython's network tests: the same results as bare" "$(diff "$folder/bare.lines" "$folder/gusset.lines" | head -n 20)" ""
is "nothing failed, in no module" "$(grep -a 'tests\? failed' "$folder/gusset")" "$(grep -a 'tests\? failed' "$folder/bare")"
at_least "and there were many" "$(wc -l <"$folder/gusset.lines")" 2500
at_least "and gusset was there" "$(counted calls)" 800

done_testing
