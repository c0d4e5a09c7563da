#include "core/breaker.h"

enum {
    UNTIL_BITS = 39,
    OPENS_AT = 39,
    OPENS_MAX = 31,
    PASSED_AT = 44,
    PASSED_MAX = 63,
    COUNT_AT = 50,
    COUNT_MAX = 4095,
    STATE_AT = 62
};

/* Beside the enum's: held closed by hand. To all who ask for the state it is closed. */
enum { HELD = 3 };

/* Calm: how often it had opened, above the moment when it closed. */
enum { CALM_OPENS_AT = UNTIL_BITS };

/* The count of an open circuit that was opened by hand: its time is not bound by the rule's cap. */
enum { BY_HAND = COUNT_MAX };

/*
 * Callers read the clock one by one and are then held up: to a late one, until lies further ahead than
 * the rule sets it. Only what is further off than this is a jump or damage.
 */
static const uint64_t slack_ms = 5000;

static const uint64_t until_mask = (UINT64_C(1) << UNTIL_BITS) - 1;

/* A word taken apart. */
struct circuit {
    enum breaker_state state;
    uint32_t count;
    uint32_t passed;
    uint32_t opens;
    uint64_t until;
};

static struct circuit unpack(uint64_t word)
{
    return (struct circuit){
        .state = breaker_state(word),
        .count = word >> COUNT_AT & COUNT_MAX,
        .passed = word >> PASSED_AT & PASSED_MAX,
        .opens = word >> OPENS_AT & OPENS_MAX,
        .until = word & until_mask,
    };
}

static uint64_t pack(struct circuit circuit)
{
    return (uint64_t)circuit.state << STATE_AT | (uint64_t)circuit.count << COUNT_AT |
           (uint64_t)circuit.passed << PASSED_AT | (uint64_t)circuit.opens << OPENS_AT | circuit.until;
}

/* A moment as until holds it; never 0, which says something else in either state. */
static uint64_t moment(uint64_t now_ms, uint64_t later_ms)
{
    uint64_t until = (now_ms + later_ms) & until_mask;
    return until != 0 ? until : 1;
}

/*
 * Milliseconds from now to until, 0 when that is past or further off than limit. The clock is taken
 * modulo 2^39 as until is, so that any clock serves; a past moment is then a very distant one.
 */
static uint64_t ahead_ms(uint64_t until, uint64_t now_ms, uint64_t limit_ms)
{
    uint64_t ahead = (until - now_ms) & until_mask;
    return ahead <= limit_ms + slack_ms ? ahead : 0;
}

/* A round is known by when its lease ends; opens keeps two of the same millisecond apart. */
static uint64_t round_of(uint64_t word)
{
    return word & ((UINT64_C(1) << PASSED_AT) - 1);
}

static bool is_round(uint64_t word, uint64_t round)
{
    return breaker_state(word) == BREAKER_HALF_OPEN && (word & until_mask) != 0 && round_of(word) == round;
}

static uint32_t probes_of(const struct breaker_rule *rule)
{
    return rule->probes < PASSED_MAX ? rule->probes : PASSED_MAX;
}

static uint64_t open_time_ms(const struct breaker_rule *rule, uint32_t opens)
{
    uint64_t open_ms = (uint64_t)rule->open_ms << opens;
    return open_ms < rule->open_cap_ms ? open_ms : rule->open_cap_ms;
}

uint64_t breaker_opened(const struct breaker_rule *rule, uint64_t now_ms, uint32_t opens, uint32_t random32)
{
    struct circuit circuit = {.state = BREAKER_OPEN, .opens = opens < OPENS_MAX ? opens : OPENS_MAX};
    uint64_t open_ms = open_time_ms(rule, circuit.opens);

    circuit.until = moment(now_ms, open_ms - (open_ms / 10 * (UINT32_MAX - random32) >> 32));
    return pack(circuit);
}

static uint64_t opened(const struct breaker_rule *rule, uint64_t now_ms, uint32_t opens)
{
    return breaker_opened(rule, now_ms, opens, UINT32_MAX);
}

static uint64_t probe(struct circuit circuit, struct breaker_admission *admission)
{
    uint64_t word = pack(circuit);

    admission->answer = BREAKER_PROBES;
    admission->round = round_of(word);
    return word;
}

/*
 * The first probe of a round. Probes of an earlier round that passed still count, so that only the
 * places of those that never came back are given away.
 */
static uint64_t first_probe(struct circuit circuit, uint64_t now_ms, uint32_t lease_ms,
                            struct breaker_admission *admission)
{
    circuit.count = circuit.passed + 1;
    circuit.state = BREAKER_HALF_OPEN;
    circuit.until = moment(now_ms, lease_ms > 0 ? lease_ms : 1);
    return probe(circuit, admission);
}

static uint64_t refuse(uint64_t word, uint64_t retry_ms, struct breaker_admission *admission)
{
    admission->answer = BREAKER_REFUSES;
    admission->retry_ms = retry_ms;
    return word;
}

static uint64_t admit_open(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, uint32_t lease_ms,
                           struct breaker_admission *admission)
{
    struct circuit circuit = unpack(word);
    uint64_t limit_ms = circuit.count == BY_HAND ? UINT32_MAX : rule->open_cap_ms;
    uint64_t retry_ms = ahead_ms(circuit.until, now_ms, limit_ms);

    if (circuit.until == 0)
        return refuse(word, 0, admission);
    if (retry_ms > 0)
        return refuse(word, retry_ms, admission);
    return first_probe(circuit, now_ms, lease_ms, admission);
}

static uint64_t admit_half_open(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms,
                                uint32_t lease_ms, struct breaker_admission *admission)
{
    struct circuit circuit = unpack(word);
    /* Another caller's lease may be longer than ours: only what neither setting explains is damage. */
    uint64_t limit_ms = lease_ms > rule->open_cap_ms ? lease_ms : rule->open_cap_ms;
    uint64_t retry_ms = ahead_ms(circuit.until, now_ms, limit_ms);

    if (circuit.until == 0 || retry_ms == 0)
        return first_probe(circuit, now_ms, lease_ms, admission);
    if (circuit.count >= probes_of(rule))
        return refuse(word, retry_ms, admission);
    circuit.count++;
    return probe(circuit, admission);
}

static bool is_held(uint64_t word)
{
    return word >> STATE_AT == HELD;
}

static uint64_t without_past_hold(uint64_t word, uint64_t now_ms)
{
    uint64_t left_ms;
    return is_held(word) && !breaker_is_held(word, now_ms, &left_ms) ? breaker_closed() : word;
}

uint64_t breaker_admit(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, uint32_t lease_ms,
                       struct breaker_admission *admission)
{
    *admission = (struct breaker_admission){BREAKER_ADMITS, 0, 0};
    switch (breaker_state(word)) {
    case BREAKER_CLOSED:
        return without_past_hold(word, now_ms);
    case BREAKER_OPEN:
        return admit_open(word, rule, now_ms, lease_ms, admission);
    case BREAKER_HALF_OPEN:
        return admit_half_open(word, rule, now_ms, lease_ms, admission);
    }
    return word;
}

/* The count ends at COUNT_MAX, so a larger threshold is reached there. */
static bool reaches(uint32_t failures, uint32_t threshold)
{
    return failures >= (threshold < COUNT_MAX ? threshold : COUNT_MAX);
}

/*
 * A shared breaker with a low threshold turns a brownout into an outage, so the share of failures
 * decides where there is traffic, and failures in a row only where there is little.
 */
static bool trips(const struct breaker_rule *rule, uint32_t failures, struct window_sum window)
{
    bool busy = rule->percent_bp > 0 && window.all >= rule->minimum;

    if (!busy && rule->consecutive > 0 && reaches(failures, rule->consecutive))
        return true;
    if (rule->percent_bp > 0 && reaches(failures, rule->minimum))
        return true;
    return busy && window.marked * UINT64_C(10000) >= (uint64_t)rule->percent_bp * window.all;
}

static uint64_t ended_closed(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, bool failed,
                             struct window_sum window)
{
    uint32_t failures = breaker_failures(word);

    word = without_past_hold(word, now_ms);
    if (is_held(word))
        return word;
    if (!failed)
        return failures == 0 ? word : breaker_closed(); /* the usual case writes nothing */
    if (failures < COUNT_MAX)
        failures++;
    if (trips(rule, failures, window))
        return opened(rule, now_ms, 0);
    return pack((struct circuit){.state = BREAKER_CLOSED, .count = failures});
}

/* Once no probe is out, the lease is over: the next probe gets one of its own. */
static uint64_t settled(struct circuit circuit)
{
    if (circuit.count <= circuit.passed)
        circuit.until = 0;
    return pack(circuit);
}

static uint64_t ended_half_open(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, bool failed)
{
    struct circuit circuit = unpack(word);

    if (failed)
        return opened(rule, now_ms, circuit.opens < OPENS_MAX ? circuit.opens + 1 : OPENS_MAX);
    if (circuit.passed + 1 >= probes_of(rule))
        return breaker_closed();
    circuit.passed++;
    return settled(circuit);
}

uint64_t breaker_ended(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, uint64_t round,
                       bool failed, struct window_sum window)
{
    switch (breaker_state(word)) {
    case BREAKER_CLOSED:
        return ended_closed(word, rule, now_ms, failed, window);
    case BREAKER_OPEN:
        return word;
    case BREAKER_HALF_OPEN:
        return is_round(word, round) ? ended_half_open(word, rule, now_ms, failed) : word;
    }
    return word;
}

uint64_t breaker_withdraw(uint64_t word, uint64_t round)
{
    struct circuit circuit = unpack(word);

    if (!is_round(word, round))
        return word;
    if (circuit.count > circuit.passed)
        circuit.count--;
    return settled(circuit);
}

uint64_t breaker_forced_open(uint64_t now_ms, uint32_t open_ms)
{
    struct circuit circuit = {.state = BREAKER_OPEN, .count = BY_HAND};

    if (open_ms > 0)
        circuit.until = moment(now_ms, open_ms);
    return pack(circuit);
}

bool breaker_is_by_hand(uint64_t word)
{
    struct circuit circuit = unpack(word);
    return circuit.state == BREAKER_OPEN && (circuit.count == BY_HAND || circuit.until == 0);
}

uint64_t breaker_held_closed(uint64_t now_ms, uint32_t hold_ms)
{
    return (uint64_t)HELD << STATE_AT | (hold_ms > 0 ? moment(now_ms, hold_ms) : 0);
}

bool breaker_is_held(uint64_t word, uint64_t now_ms, uint64_t *left_ms)
{
    uint64_t until = word & until_mask;

    *left_ms = until ? ahead_ms(until, now_ms, UINT32_MAX) : UINT64_MAX;
    return is_held(word) && *left_ms > 0;
}

bool breaker_is_slow(const struct breaker_rule *rule, struct window_sum slow)
{
    return rule->slow_ms > 0 && rule->slow_bp > 0 && slow.marked > 0 && slow.all >= rule->minimum &&
           slow.marked * UINT64_C(10000) >= (uint64_t)rule->slow_bp * slow.all;
}

uint32_t breaker_opens(uint64_t word)
{
    return breaker_state(word) == BREAKER_CLOSED ? 0 : unpack(word).opens;
}

uint64_t breaker_calm(uint64_t now_ms, uint32_t opens)
{
    return (uint64_t)(opens + 1) << CALM_OPENS_AT | (now_ms & until_mask);
}

uint32_t breaker_opens_after(uint64_t calm, const struct breaker_rule *rule, uint64_t now_ms)
{
    uint64_t opens = calm >> CALM_OPENS_AT, calm_ms = (now_ms - calm) & until_mask;

    for (opens = opens < OPENS_MAX ? opens : OPENS_MAX; opens > 0; opens--) {
        uint64_t open_ms = open_time_ms(rule, (uint32_t)opens - 1);
        if (calm_ms < open_ms)
            break;
        calm_ms -= open_ms;
    }
    return (uint32_t)opens;
}

enum breaker_state breaker_state(uint64_t word)
{
    unsigned state = (unsigned)(word >> STATE_AT);
    return state <= BREAKER_HALF_OPEN ? (enum breaker_state)state : BREAKER_CLOSED;
}

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "closed";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half open";
    }
    return "closed";
}

uint64_t breaker_remaining_ms(uint64_t word, uint64_t now_ms)
{
    struct circuit circuit = unpack(word);

    if (circuit.state != BREAKER_OPEN)
        return 0;
    if (circuit.until == 0)
        return UINT64_MAX;
    return ahead_ms(circuit.until, now_ms, UINT32_MAX);
}

uint32_t breaker_failures(uint64_t word)
{
    struct circuit circuit = unpack(word);
    bool sound = word >> STATE_AT == BREAKER_CLOSED;

    return sound ? circuit.count : 0;
}
