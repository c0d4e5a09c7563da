#!/bin/bash
# What a program may do while its call is under way it may do while a second attempt runs beside it (hedge), while that one is waited
# for, and while its reply comes in: clean up in any order, fork, exit, throw its callbacks' work down. It sees what it sees
# bare, and under valgrind nothing is touched that has gone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
if ! command -v python3 >/dev/null; then
    skip "leaving a call that is made twice" "python3 is not installed"
    done_testing
fi
start_upstream
start_planned
planned=http://127.0.0.1:$planned_port
other=http://127.0.0.1:$port/other
config "$folder/p.cfg" <<'CFG'
version = 1;
policies: { p: { hedge: { after = "50ms"; }; retry: { budget: { floor = 1000; }; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; } );
CFG
gusseted=(env GUSSET_CONFIG="$folder/p.cfg" LD_PRELOAD="$BUILD/libgusset.so")

# What becomes of the two, and what a bare program's one request is like
ways=("both under way=400-200,5000-200=400-200" "the second is to answer=5000-200,350-200=400-200" "the second is waited for=100-reset,350-200=400-200"
    "its reply comes in=5000-slow,slow=50-slow")
deeds=(child child_exit end global removed cleaned multi_first twice copied redirected jump recursive recursive_late told_removed told_cleaned told_over)

# leave NAME DEED PLAN COMMAND...: what the program says; how much of a body that flows has come by then says nothing
leave() {
    timeout 20 "${@:4}" "$BUILD/clients/leave" "$2" "$planned/$1?plan=$3" "$other" 150 2>&1 | sed 's/^[0-9a-f]*//' >"$folder/$1"
    echo "exit ${PIPESTATUS[0]}" >>"$folder/$1"
}
for deed in "${deeds[@]}"; do
    for way in "${!ways[@]}"; do
        IFS='=' read -r _ plan bare <<<"${ways[way]}"
        leave "$deed-$way-bare" "$deed" "$bare" env &
        leave "$deed-$way-under" "$deed" "$plan" "${gusseted[@]}" &
    done
    while [ "$(jobs -pr | wc -l)" -ge $((${#servers[@]} + 16)) ]; do sleep 0.02; done
done
wait_for_all
for way in "${!ways[@]}"; do
    differing=
    for deed in "${deeds[@]}"; do
        cmp -s "$folder/$deed-$way-bare" "$folder/$deed-$way-under" && continue
        leave "$deed-$way-bare" "$deed" "$(cut -d = -f 3 <<<"${ways[way]}")" env # once more, with the machine to itself
        leave "$deed-$way-under" "$deed" "$(cut -d = -f 2 <<<"${ways[way]}")&again" "${gusseted[@]}"
        cmp -s "$folder/$deed-$way-bare" "$folder/$deed-$way-under" || differing="$differing $deed: $(diff "$folder/$deed-$way-bare" "$folder/$deed-$way-under" | head -n 4)"
    done
    is "${ways[way]%%=*}: ${#deeds[@]} deeds as bare" "$differing" ""
done
at_least "second attempts were there" "$(counted hedged)" 50

for way in write header progress clean again nest change inside; do
    timeout 20 "$BUILD/clients/jump" $way "$planned/bare$way" "$other" >"$folder/bare" 2>&1
    timeout 20 "${gusseted[@]}" "$BUILD/clients/jump" $way "$planned/jump$way?plan=5000-200,200" "$other" >"$folder/under" 2>&1
    is "$way: out of curl_easy_perform by another door, as bare" "$(cat "$folder/under")" "$(cat "$folder/bare")"
done

# ---- memcheck ----
if ! command -v valgrind >/dev/null; then
    skip "memcheck finds nothing" "valgrind is not installed"
    done_testing
fi
sed -i 's/50ms/300ms/' "$folder/p.cfg"
# check NAME COMMAND...
check() {
    "${gusseted[@]}" timeout 60 valgrind --quiet -v --leak-check=full --child-silent-after-fork=yes --log-file="$folder/$1.memory" "${@:2}" >/dev/null 2>&1
}
check curl curl -s -b a=b -c "$folder/jar" "$planned/m1?plan=9000-200,chunked&size=300000" "$planned/m2?plan=9000-200,half&size=300000" "$planned/m3?plan=500-reset,500-200" \
    "$planned/m4?plan=500-reset,400-503,200" "$planned/m5?plan=900-200,503" "$planned/m6?plan=900-200,9000-200" &
check curl-Z curl -sZ "$planned/n1?plan=9000-200,chunked&size=300000" "$planned/n2?plan=9000-200,half&size=300000" "$planned/n3?plan=500-reset,500-200" \
    "$planned/n4?plan=500-reset,400-503,200" "$planned/n5?plan=900-200,503" "$planned/n6?plan=900-200,9000-200" &
wait_for_all
check aborted-loop "$BUILD/clients/callbacks" "$planned/o2?plan=9000-200" abort=3 via=socket &
for deed in removed multi_first; do
    check $deed "$BUILD/clients/leave" $deed "$planned/p$deed?plan=9000-200,2000-200" "$other" 1200 &
    [ "$(jobs -pr | wc -l)" -lt $((${#servers[@]} + 2)) ] || wait -n
done
wait_for_all
for name in curl curl-Z aborted-loop removed multi_first; do
    is "$name, memcheck: no error, nothing lost" "$(grep -cE 'Invalid|uninit|Mismatch|overlap' "$folder/$name.memory") $(grep -c 'definitely lost in' "$folder/$name.memory")" "0 0"
done
done_testing
