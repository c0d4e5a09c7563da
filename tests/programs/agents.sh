# Sourced by tests of the agent, after lib.sh: agents that are started and ended, and patience.
# shellcheck shell=bash

# until_true COMMAND...: within ten seconds
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    return 1
}
has() { grep -qE -- "$2" "$1"; }

# Where memcheck is, an agent can run under it: it ends with 99 when it finds something.
memcheck=() under=()
! command -v valgrind >/dev/null || memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
    --log-file="$folder/memcheck")

# start_agent NAME OPTION...: under "${under[@]}"; its log goes to $folder/NAME, its number to $agent, its page to $url
start_agent() {
    local name=$1
    shift
    : >"$folder/$name" # the redirection below may come later than the first look
    "${under[@]}" gusset agent "$@" 2>>"$folder/$name" &
    agent=$!
    servers+=("$agent")
    [[ " $* " != *" --listen "* ]] || until_true has "$folder/$name" 'event"?[=:]"?listening'
    url=$(grep -oE 'http://[^" ]+/' "$folder/$name" | head -n 1)
}
end_agent() {
    kill -TERM "$agent"
    wait "$agent"
}
