/* core/breaker: damaged words, a plain model of it, and real threads. The dice have a fixed seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "breaker_fixture.h"
#include "dice.h"

static struct breaker_rule any_rule(void)
{
    uint32_t open_ms = (uint32_t)(dice() >> (32 + dice() % 32));
    uint32_t more = (uint32_t)(dice() >> (32 + dice() % 32));

    return (struct breaker_rule){.consecutive = (uint32_t)(dice() % 8),
                                 .percent_bp = (uint32_t)(dice() % 10001),
                                 .minimum = (uint32_t)(dice() % 50),
                                 .open_ms = open_ms,
                                 .open_cap_ms = more > UINT32_MAX - open_ms ? UINT32_MAX : open_ms + more,
                                 .probes = (uint32_t)(dice() % 70)};
}

/* A word whose times are near now as often as not. */
static uint64_t any_word(uint64_t now_ms)
{
    const uint64_t until = (UINT64_C(1) << 39) - 1;
    uint64_t word = dice();

    if (dice() % 2)
        word = (word & ~until) | ((now_ms + dice() % 1000000 - 500000) & until);
    if (dice() % 4 == 0)
        word &= ~(UINT64_C(0x3ffff) << 44); /* no counts */
    return word;
}

/* Asks until let through, waiting once where refused: twice refused is stuck. */
static uint64_t insist(uint64_t word, const struct breaker_rule *any, uint64_t *now_ms, uint32_t lease_ms,
                       struct breaker_admission *admission)
{
    uint64_t worst_ms = (lease_ms > any->open_cap_ms ? lease_ms : any->open_cap_ms) + UINT64_C(5000);

    word = breaker_admit(word, any, *now_ms, lease_ms, admission);
    if (admission->answer == BREAKER_REFUSES) {
        assert_in_range(admission->retry_ms, 1, worst_ms);
        *now_ms += admission->retry_ms;
        word = breaker_admit(word, any, *now_ms, lease_ms, admission);
    }
    assert_int_not_equal(admission->answer, BREAKER_REFUSES);
    return word;
}

/* What trip by hand sets is meant to last; it is told by a mark of 14 bits. */
static bool is_by_hand(uint64_t word)
{
    return breaker_state(word) == BREAKER_OPEN &&
           ((word & ((UINT64_C(1) << 39) - 1)) == 0 || word >> 50 == (1 << 12 | 4095));
}

static void breaker_gets_out_of_any_damaged_word(void **state)
{
    (void)state;

    for (int i = 0; i < 300000; i++) {
        struct breaker_rule any = any_rule();
        uint64_t now_ms = dice() >> dice() % 64, word = any_word(now_ms);
        uint32_t lease_ms = (uint32_t)(dice() % 100000);
        struct breaker_admission admission;

        if (is_by_hand(word))
            continue;
        assert_true(breaker_remaining_ms(word, now_ms) <= UINT32_MAX + UINT64_C(5000));
        word = insist(word, &any, &now_ms, lease_ms, &admission);
        for (int probes = 0; probes < 64 && admission.answer == BREAKER_PROBES; probes++) {
            word = breaker_ended(word, &any, now_ms, admission.round, false, quiet);
            word = insist(word, &any, &now_ms, lease_ms, &admission);
        }
        assert_int_equal(admission.answer, BREAKER_ADMITS);
    }
}

static void breaker_survives_any_sequence_on_any_word(void **state)
{
    (void)state;

    for (int i = 0; i < 20000; i++) {
        struct breaker_rule any = any_rule();
        uint64_t now_ms = dice() >> dice() % 40, word = any_word(now_ms), round = 0;
        for (int step = 0; step < 30; step++) {
            struct breaker_admission admission = {0};
            struct window_sum sum = {(uint32_t)dice(), (uint32_t)dice()};
            switch (dice() % 4) {
            case 0:
                word = breaker_admit(word, &any, now_ms, (uint32_t)dice(), &admission);
                round = admission.round;
                break;
            case 1:
                word = breaker_ended(word, &any, now_ms, dice() % 4 ? round : dice(), dice() % 2, sum);
                break;
            case 2:
                word = breaker_withdraw(word, dice() % 4 ? round : dice());
                break;
            case 3:
                now_ms += dice() >> dice() % 64;
                break;
            }
            assert_in_range(breaker_state(word), BREAKER_CLOSED, BREAKER_HALF_OPEN);
            assert_in_range(breaker_failures(word), 0, 4095);
        }
    }
}

/* What the word should mean, kept in plain variables: a circuit that broke and is being probed. */
struct model {
    enum breaker_state state;
    uint64_t open_until, lease_until, open_ms;
    uint32_t passed, let_through; /* in this round */
    uint64_t round;               /* numbered from 1 */
};

struct prober {
    bool out;
    uint64_t model_round, round;
};

enum { PROBERS = 24 };

static enum breaker_answer model_admit(struct model *model, const struct breaker_rule *by, uint64_t now_ms)
{
    if (model->state == BREAKER_CLOSED)
        return BREAKER_ADMITS;
    if (model->state == BREAKER_OPEN && now_ms < model->open_until)
        return BREAKER_REFUSES;
    bool fresh = model->state == BREAKER_OPEN;
    if (fresh || now_ms >= model->lease_until || model->let_through == model->passed) {
        model->passed = fresh ? 0 : model->passed;
        model->let_through = model->passed;
        model->lease_until = now_ms + LEASE;
        model->round++;
        model->state = BREAKER_HALF_OPEN;
    }
    if (model->let_through == by->probes)
        return BREAKER_REFUSES;
    model->let_through++;
    return BREAKER_PROBES;
}

static void model_ended(struct model *model, const struct breaker_rule *by, uint64_t now_ms, uint64_t round,
                        bool failed)
{
    if (model->state != BREAKER_HALF_OPEN || round != model->round)
        return;
    if (failed) {
        model->state = BREAKER_OPEN;
        model->open_ms = model->open_ms * 2 < by->open_cap_ms ? model->open_ms * 2 : by->open_cap_ms;
        model->open_until = now_ms + model->open_ms;
    } else if (++model->passed == by->probes) {
        model->state = BREAKER_CLOSED;
    }
}

/* A prober asks, is killed (its place is simply never heard of again), or comes back. */
static uint64_t prober_steps(struct prober *prober, struct model *model, const struct breaker_rule *by,
                             uint64_t word, uint64_t now_ms)
{
    if (!prober->out) {
        struct breaker_admission got = admit(&word, by, now_ms);
        assert_int_equal(got.answer, model_admit(model, by, now_ms));
        *prober = (struct prober){got.answer == BREAKER_PROBES, model->round, got.round};
        return word;
    }
    prober->out = false;
    if (dice() % 3 == 0)
        return word; /* killed */
    bool failed = dice() % 8 == 0;
    model_ended(model, by, now_ms, prober->model_round, failed);
    return breaker_ended(word, by, now_ms, prober->round, failed, quiet);
}

static void breaker_agrees_with_a_plain_model_under_racing_probers(void **state)
{
    (void)state;
    int closed = 0;

    for (int run = 0; run < 2000; run++) {
        struct breaker_rule by = with_probes(1 + (uint32_t)(dice() % 8));
        struct prober probers[PROBERS] = {{0}};
        uint64_t now_ms = NOW, word = tripped(NOW);
        struct model model = {.state = BREAKER_OPEN, .open_until = NOW + 5000, .open_ms = 5000};
        for (int step = 0; step < 400 && model.state != BREAKER_CLOSED; step++) {
            now_ms += dice() % 8 ? dice() % 50 : dice() % 20000;
            word = prober_steps(&probers[dice() % PROBERS], &model, &by, word, now_ms);
            assert_int_equal(breaker_state(word), model.state);
        }
        closed += model.state == BREAKER_CLOSED;
    }
    assert_in_range(closed, 200, 2000); /* the runs went through all states */
}

/* Callers load, decide, compare and swap, as the gate does. */
struct race {
    _Atomic uint64_t word;
    struct breaker_rule rule;
    uint64_t now_ms;
    _Atomic uint32_t let_through;
};

static void *race_to_probe(void *argument)
{
    struct race *race = argument;

    for (int call = 0; call < 200; call++) {
        struct breaker_admission admission;
        uint64_t seen = atomic_load(&race->word), next;
        do {
            next = breaker_admit(seen, &race->rule, race->now_ms, LEASE, &admission);
        } while (next != seen && !atomic_compare_exchange_weak(&race->word, &seen, next));
        if (admission.answer == BREAKER_PROBES)
            atomic_fetch_add(&race->let_through, 1);
    }
    return NULL;
}

static uint32_t run_race(struct race *race)
{
    pthread_t threads[8];

    atomic_store(&race->let_through, 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_to_probe, race), 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    return atomic_load(&race->let_through);
}

static void breaker_lets_exactly_its_probes_through_though_all_are_killed(void **state)
{
    (void)state;

    for (uint32_t probes = 1; probes <= 63; probes += 31) {
        struct race race = {.word = tripped(NOW), .rule = with_probes(probes), .now_ms = NOW + 5000};
        for (int round = 0; round < 5; round++, race.now_ms += LEASE) {
            assert_int_equal(run_race(&race), probes);
            race.now_ms += LEASE - 1;
            assert_int_equal(run_race(&race), 0); /* none more, to the last millisecond of the lease */
            race.now_ms -= LEASE - 1;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker_gets_out_of_any_damaged_word),
        cmocka_unit_test(breaker_survives_any_sequence_on_any_word),
        cmocka_unit_test(breaker_agrees_with_a_plain_model_under_racing_probers),
        cmocka_unit_test(breaker_lets_exactly_its_probes_through_though_all_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
