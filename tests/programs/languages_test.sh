#!/bin/bash
# Programs and bindings as Debian has them: PHP, Python, R, perl, Ruby, cmake, curl -Z. Each fetches a few URLs, the first
# request of each of which fails. Bare, it shows so; under gusset it prints what it prints of a healthy server. Without a
# rule, and in shadow, it prints and sends what it does bare.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
scripts=$(dirname "$0")/languages
python=/usr/bin/python3 # the one that Debian's python3-pycurl is for
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
rescued() {
    timeout 30 gusset run --policy standard --set retry.attempts=4 --set retry.budget.ratio=100 --set retry.budget.floor=100 \
        --set retry.backoff.base=5ms --set breaker.consecutive=100 -- "$@"
}
bare() { timeout 30 "$@"; }
unruled() { GUSSET_CONFIG=$folder/other.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 30 "$@"; }
shadowed() { GUSSET_POLICY=standard GUSSET_MODE=shadow LD_PRELOAD=$BUILD/libgusset.so timeout 30 "$@"; }

# The programs: a name, what must succeed for it to be there, and the command, which is given URLs.
curl_parallel() { $1 curl -sZ -w '%{http_code}\n' "${@:2}" 2>/dev/null | sort; }
cmake_download() {
    local list
    list=$(IFS=';' && echo "${*:2}")
    $1 cmake "-DURLS=$list" "-DTO=$folder/cmake.out" -P "$scripts/download.cmake" 2>/dev/null
}
php_exec() { $1 php "$scripts/easy.php" "${@:2}"; }
php_multi() { $1 php "$scripts/multi.php" "${@:2}"; }
pycurl_easy() { $1 $python "$scripts/easy.py" "${@:2}"; }
pycurl_multi() { $1 $python "$scripts/multi.py" "${@:2}"; }
python_ctypes() { $1 $python "$scripts/foreign.py" "${@:2}"; }
r_fetch() { $1 Rscript --vanilla "$scripts/easy.R" "${@:2}"; }
r_multi() { $1 Rscript --vanilla "$scripts/multi.R" "${@:2}"; }
perl_easy() { $1 perl "$scripts/easy.pl" "${@:2}"; }
perl_multi() { $1 perl "$scripts/multi.pl" "${@:2}"; }
ruby_ethon() { $1 ruby "$scripts/ethon.rb" "${@:2}"; }
ruby_ethon_multi() { $1 ruby "$scripts/ethon_multi.rb" "${@:2}"; }
ruby_curb() { $1 ruby "$scripts/curb.rb" "${@:2}"; }
ruby_curb_multi() { $1 ruby "$scripts/curb_multi.rb" "${@:2}"; }

programs=(
    curl_parallel "curl --version"
    cmake_download "cmake --version"
    php_exec "php -r curl_version();"
    php_multi "php -r curl_version();"
    pycurl_easy "$python -c import+pycurl"
    pycurl_multi "$python -c import+pycurl"
    python_ctypes "$python -c import+ctypes"
    r_fetch "Rscript -e library(curl)"
    r_multi "Rscript -e library(curl)"
    perl_easy "perl -MWWW::Curl::Easy -e 1"
    perl_multi "perl -MWWW::Curl::Multi -e 1"
    ruby_ethon "ruby -rethon -e 1"
    ruby_ethon_multi "ruby -rethon -e 1"
    ruby_curb "ruby -rcurb -e 1"
    ruby_curb_multi "ruby -rcurb -e 1"
)

# PHP binds its extension deeply, the others ask dlsym: they are out of reach of a library that answers neither.
by_dlsym=" php_exec php_multi python_ctypes ruby_ethon ruby_ethon_multi "
if nm -D "$BUILD/libgusset.so" 2>/dev/null | grep -qE ' [TW] dlsym(@|$)'; then by_dlsym=; fi

# urls KEY SHAPE: five, told apart by their keys
urls() {
    list=()
    local number
    for number in 1 2 3 4 5; do list+=("$url/r?key=$1$number&text=body+$number&$2"); done
}
# heads KEY: what the server saw, in the order of the URLs
heads() {
    local number
    for number in 1 2 3 4 5; do ask "heads?key=$1$number"; done | sed "s/key=$1/key=K/"
}

for ((i = 0; i < ${#programs[@]}; i += 2)); do
    program=${programs[i]}
    read -ra probe <<<"${programs[i + 1]}"
    name=${program/_/ }
    if ! timeout 30 "${probe[@]//+/ }" >/dev/null 2>&1; then
        skip "$name" "not to be had: ${probe[*]}"
        continue
    fi
    export GUSSET_STATE=$folder/state.$program
    (
        urls "$program.well" ""
        $program bare "${list[@]}" >"$folder/$program.wanted" 2>&1
        heads "$program.well" >"$folder/$program.heads"
        for mode in unruled shadowed; do
            urls "$program.$mode" ""
            $program $mode "${list[@]}" >"$folder/$program.$mode" 2>&1
            heads "$program.$mode" >"$folder/$program.$mode.heads"
        done
        for fault in status=503 reset=headers; do
            urls "$program.bare.$fault" "first=1&$fault"
            $program bare "${list[@]}" >"$folder/$program.bare.$fault" 2>&1
            urls "$program.helped.$fault" "first=1&$fault"
            $program rescued "${list[@]}" >"$folder/$program.helped.$fault" 2>&1
            sed -i "s/key=[^&]*/key=K/g" "$folder/$program".*.$fault
        done
        # Ruby's mime-types says now and then, bare, too, of a type that it has it already.
        sed -i '/is already registered as a variant of/d' "$folder/$program".*
    ) &
    ((i % 4)) || continue # two at once, for two cores
    wait_for_all
done
wait_for_all
for ((i = 0; i < ${#programs[@]}; i += 2)); do
    program=${programs[i]}
    name=${program//_/ }
    [ -e "$folder/$program.wanted" ] || continue
    is "$name: of a healthy server it prints all bodies" "$(grep -cx 'body [1-5]' "$folder/$program.wanted")" 5
    for mode in unruled shadowed; do
        is "$name, $mode: it prints what it does bare" "$(cat "$folder/$program.$mode")" "$(cat "$folder/$program.wanted")"
        is "$name, $mode: it sends what it does bare" "$(cat "$folder/$program.$mode.heads")" "$(cat "$folder/$program.heads")"
    done
    for fault in status=503 reset=headers; do
        ok "$name, $fault: bare it fails" test "$(cat "$folder/$program.bare.$fault")" != "$(cat "$folder/$program.wanted")"
        [[ $by_dlsym != *" $program "* ]] || { skip "$name, $fault: under gusset" "this library does not answer for dlsym"; continue; }
        is "$name, $fault: under gusset it prints what it does of a healthy server" "$(cat "$folder/$program.helped.$fault")" "$(cat "$folder/$program.wanted")"
    done
done

done_testing
