#!/bin/bash
# CPython's own tests of the network have the same results under gusset, where a mild rule matches every connect, as bare.
. "$(dirname "$0")/lib.sh"
python=$(command -v /usr/bin/python3)
if [ -z "$python" ] || ! "$python" -c 'import test.test_socket, test.test_asyncio' 2>/dev/null; then
    skip "CPython's own network tests" "libpython3.11-testsuite is not installed, or python3 is another version"
    done_testing
fi
config "$folder/mild.cfg" <<'CFG'
version = 1;
policies: { mild: { timeout: { connect = "60s"; total = "0s"; }; }; };
hosts = ( { match = "*"; policy = "mild"; } );
CFG
# vsock: two runs at once get in each other's way
results() { # FILE [NAME=VALUE...]
    local into=$1
    shift
    (mkdir "$into.d" && cd "$into.d" && exec env "$@" timeout 200 "$python" -m test.regrtest -j8 -v -i '*VSOCK*' -i '*ssl_timeout*' \
        test_socket test_selectors test_httplib test_ftplib test_smtplib test_poplib test_urllib2_localnet test_xmlrpc \
        test_asyncio.test_sock_lowlevel test_asyncio.test_streams test_asyncio.test_selector_events test_asyncio.test_events) >"$into" 2>&1
    grep -aE '^test.* \.\.\. (ok|FAIL|ERROR|skipped)' "$into" | sort >"$into.lines"
}
results "$folder/bare" "HOME=$HOME" &
results "$folder/gusset" "GUSSET_CONFIG=$folder/mild.cfg" "LD_PRELOAD=$BUILD/libgusset.so"
wait $!
is "CPython's network tests: the same results as bare" "$(diff "$folder/bare.lines" "$folder/gusset.lines" | head -n 20)" ""
at_least "and there were many" "$(wc -l <"$folder/gusset.lines")" 1000
at_least "and gusset was there" "$(counted calls)" 500

done_testing
