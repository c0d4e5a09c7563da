/*
 * The gate: the engine over the shared state. A door opens a call, asks before each attempt, and tells
 * how it ended; the gate counts, decides and remembers. It knows neither HTTP nor TCP, takes no lock
 * and allocates nothing, so it may be used wherever connect(2) may.
 *
 *     gate_open → { gate_admit → attempt → gate_ended } … → gate_close
 */
#ifndef GUSSET_GATE_GATE_H
#define GUSSET_GATE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/rules.h"
#include "core/outcome.h"
#include "core/verdict.h"
#include "gate/ready.h"
#include "gate/slice.h"
#include "state/control.h"
#include "state/layout.h"

/* Which address of a service the attempt goes to, where it has several (gate/choice). */
struct gate_route {
    struct layout_host *slot; /* the address's own; NULL: none */
    uint64_t key;
    uint64_t round; /* the attempt is a probe of this round */
    uint16_t last;  /* number of the address */
    uint16_t left;  /* how many others the call has not tried */
};

/* One call of the program on its way. Caller's memory; all fields are the gate's, but those named public. */
struct gate_call {
    const struct rules_policy *policy; /* public: what holds for this call; NULL: never opened */
    uint64_t unmatched;                /* number of the rules of which none matched when it was last opened */
    bool can_reply;       /* public: a call of HTTP, which may come to a status or a body that breaks off */
    bool is_moving;       /* by a ramp: the next call may be under another policy */
    bool shadow;          /* public: decide and count, but the door must change nothing */
    uint16_t attempt;     /* public: number of the current attempt, from 1; 0 before the first */
    uint16_t repeats;     /* public: see gate_repeats */
    uint64_t deadline_us; /* public: monotonic; 0: none. A door may bring it nearer */
    struct layout_host *slot; /* public: the host's memory */
    struct layout_host *bucket;
    struct slice budget_slice;
    struct slice outcome_slice;
    struct gate_route route;
    struct layout_host *tally; /* the same host in the run's own count, or NULL */
    uint64_t key;
    uint64_t bucket_key;
    enum policy_mode rule_mode; /* what the rule says, before the environment and the switch */
    uint64_t control;           /* state/control.h: what it said when the call was opened */
    struct ready *ready;        /* what was ready then, held (gate_forget); NULL: nothing */
    uint64_t total_us;          /* the policy's limit on the whole call; 0: none */
    uint64_t opened_us;         /* public: monotonic */
    uint64_t began_us;   /* the current attempt, if it was waited for or is not the first; 0: with the call */
    uint64_t number;     /* in the record; of no meaning without one */
    uint32_t method;     /* as in the query */
    uint64_t round;      /* the current attempt is a probe of this round */
    uint32_t backoff_ms; /* the last one */
    _Atomic uint64_t *place;   /* in the bulkhead; NULL: none */
    uint64_t place_owner;      /* what stands there */
    uint64_t place_generation; /* of the process that took it: a forked child must not give it back */
    uint64_t queued_us;        /* monotonic: since when it waits for a place; 0: it does not */
    uint64_t over_us;          /* monotonic: when it ended well; 0: it has not */
    bool attempt_ended;
    bool is_answered;  /* see gate_answered */
    bool is_routine;   /* the last call was, and nothing is different in this record since */
    bool is_repeat;    /* gate_repeat or kept_open has opened it */
    bool has_waited;   /* for a token, a place, a circuit */
    bool has_token;    /* the next attempt's was taken when it was promised */
    bool would_refuse; /* shadow: this attempt would not have been made */
    uint32_t fault;    /* public: enum rehearsal_error or a status that the attempt is to come to; 0: none */
    bool failed;       /* the last attempt did, by breaker.on */
    bool is_timed;     /* it is known whether it was slow */
    bool is_slow;      /* it was, by breaker.slow */
    bool wants_answer; /* public: gate_answered is worth telling also where no event loop is */
    struct verdict last;
    struct outcome outcome;  /* of the last attempt */
    _Atomic uint64_t *aside; /* the place in the bulkhead of a second attempt beside the first (gate/race) */
    bool is_raced;           /* it is under way */
    uint64_t raced_us;       /* monotonic: since when */
    char host[PLACE_TEXT_MAX]; /* public: "name:port" */
};

/* What a door knows of an attempt that has ended. */
struct gate_attempt {
    struct outcome outcome;
    uint32_t method;   /* bit of core/method.h; 0: a connect */
    bool sent;         /* the request may have left the machine */
    bool idempotent;   /* an Idempotency-Key travels with it */
    bool replayable;   /* it can be made again exactly, and nothing of it has reached the program */
    bool is_elsewhere; /* a failure that says nothing about this host: a proxy's, or where a redirect led */
    bool replaceable;  /* nothing of it has reached the program, and there is a reply to give instead */
    int64_t retry_after_ms; /* what the peer asked for; -1: nothing */
};

/*
 * Opens a call to a place. Returns false when no rule matches or the rule is off: the call is none of
 * gusset's. Otherwise *call is ready for gate_admit. may_compile as for gate_ready.
 */
bool gate_open(struct gate_call *call, const struct rules_query *query, bool may_compile);

/*
 * The same in two steps, for a door that must look closer before a call is counted: the rule that
 * matches and is not off, then the call. gate_matches never compiles. Before the first of them the record is
 * zero, or one that was opened before; what it holds (the rules, which may be replaced meanwhile) it holds
 * until gate_forget.
 */
bool gate_matches(struct gate_call *call, const struct rules_query *query, struct rules_match *match);
bool gate_open_matched(struct gate_call *call, const struct place *place, const struct rules_match *match);

/* What gate_matches goes by: it answers the same as long as this is the same. */
struct gate_era {
    uint64_t rules;   /* their number; 0: nothing is ready */
    uint64_t control; /* state/control.h */
};
static inline struct gate_era gate_era(void)
{
    uint64_t rules = atomic_load_explicit(&ready_now.number, memory_order_acquire);
    const struct layout_header *header = atomic_load_explicit(&ready_now.header, memory_order_relaxed);
    return rules ? (struct gate_era){rules, control_word(header)} : (struct gate_era){0, 0};
}

/*
 * Opens a call once more for the same place, method and path, without searching the rules again: the
 * quick way of a handle that is used again. Returns false when something has changed; open it anew then.
 */
bool gate_reopen(struct gate_call *call);

/*
 * The program itself makes a call again that failed shortly before, for the times-th time in a row: the
 * tries become fewer, and that is counted. Right after the call was opened.
 */
void gate_repeats(struct gate_call *call, unsigned times);

/* How many tries the call has, the first included. */
uint32_t gate_attempts(const struct gate_call *call);

/* The record is not opened again: what it holds of the rules may go. All it says is worthless then. */
void gate_forget(struct gate_call *call);

/* Both, for a record on a stack or in a table. */
void gate_leave(struct gate_call *call);

/* Whether no rule matched when it was opened last, and the rules are the same: it need not be tried again. */
bool gate_is_unmatched(const struct gate_call *call);

/*
 * Whether nothing stands in the way of the first attempt: gate_admit will say GO and take neither token nor
 * probe. A door that must look closer at a call before one is refused or spent need not then.
 */
bool gate_is_clear(const struct gate_call *call);

/* Whether no attempt has failed since the last one that did not: another that ends well changes nothing. */
bool gate_is_calm(const struct gate_call *call);

/* A connect that no rule means: counted for the state as a whole. */
static inline void gate_count_unprotected(struct layout_header *header)
{
    uintptr_t anywhere = (uintptr_t)&header; /* differs by thread and process, so that few share a line */

    atomic_fetch_add_explicit(
        &header->unprotected[(anywhere >> 12 ^ anywhere >> 23) % LAYOUT_UNPROTECTED].count, 1,
        memory_order_relaxed);
}

/*
 * May the (next) attempt go? GO; where the door may_wait also WAIT (then go without asking again) and LATER
 * (then ask again); or REFUSE. In shadow always GO.
 */
struct verdict gate_admit(struct gate_call *call, bool may_wait);

/*
 * A good reply to the attempt has begun. An event loop hears of replies that failed when they begin, and of
 * good ones when they end: of a hundred side by side all the failures would come first, in a row, and open
 * the circuit.
 */
void gate_answered(struct gate_call *call);

/* The attempt, which is the call's end, was over before anybody looked; it took about so long. Before
 * gate_ended. */
void gate_took(struct gate_call *call, uint64_t took_us);

/*
 * The attempt ended, or its outcome is certain. Counts it once; asked again for the same attempt it
 * repeats its answer. STOP, AGAIN after wait_ms, or REPLACE; in shadow always STOP.
 */
struct verdict gate_ended(struct gate_call *call, const struct gate_attempt *attempt);

/*
 * The door gives the program another reply than its call came to, after VERDICT_REPLACE or where the call was
 * refused: the rule's fallback, of this status, or one that was kept, so old.
 */
void gate_fell_back(struct gate_call *call, uint32_t status);
void gate_gave_stale(struct gate_call *call, uint32_t age_s);

/* After AGAIN: the next attempt goes on where this one's body broke off, behind so many bytes. */
void gate_resumed(struct gate_call *call, uint64_t bytes);

/* The same for an attempt that ended well, and is the call's last: all of it is over but for gate_close. */
void gate_succeeded(struct gate_call *call, struct outcome outcome);

/* The call is over; latency and the last outcome are counted. */
void gate_close(struct gate_call *call);

/*
 * A call that is like the one before it on the same record takes two steps instead of four:
 *
 *     gate_repeat → attempt → gate_repeated
 *
 * Such a one ended well at its first attempt, under a policy that limits no rate, with nobody who wants more
 * written down than counts. gate_repeat opens the next call and admits its first attempt, or does nothing and
 * returns false where anything has changed since: the switch, the slot, the circuit. (gate_reopen tries it
 * first; gate_admit then says GO.) gate_repeated tells that the call ended well and is over; where it did
 * not, gate_ended and gate_close do, as ever.
 */
bool gate_repeat(struct gate_call *call);
void gate_repeated(struct gate_call *call);

/*
 * Whether another call may be opened by what is kept of this one (gate/kept): it was opened, and its first
 * attempt was admitted and has not failed.
 */
bool gate_may_repeat(const struct gate_call *call);

/* A call that kept_open has opened turns out to be none of gusset's: it is not counted, and forgotten. */
void gate_retract(struct gate_call *call);

/*
 * The call was never closed, and will not be (its program left by longjmp): gives back what others wait for.
 * Opening the record again and gate_forget do it, too.
 */
void gate_give_up(struct gate_call *call);

/*
 * The status of the reply that a refused call gets by its rule, 503 or 429; 0: an error. Making it is the
 * door's.
 */
int gate_refusal_status(const struct gate_call *call, const struct verdict *verdict);

/*
 * The sentence for a refusal or a failure, for the program's error buffer: host, reason, when it is
 * worth trying again. Returns its length; always NUL-terminated.
 */
size_t gate_explain(const struct gate_call *call, const struct verdict *verdict, char *text, size_t size);

#endif
