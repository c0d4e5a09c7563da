/* core/srv: SRV records in a DNS message, read with care; the choice among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/srv.h"

/* A message that is being written. */
struct writer {
    uint8_t bytes[1024];
    size_t length;
};

static void put_8(struct writer *writer, unsigned value)
{
    writer->bytes[writer->length++] = (uint8_t)value;
}

static void put_16(struct writer *writer, unsigned value)
{
    put_8(writer, value >> 8);
    put_8(writer, value & 255);
}

static void put_name(struct writer *writer, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        put_8(writer, (unsigned)length);
        memcpy(writer->bytes + writer->length, name, length);
        writer->length += length;
        name += length + (name[length] == '.');
    }
    put_8(writer, 0);
}

enum { QUESTION_AT = 12 };

/* A reply to a question, with so many answers to come. */
static struct writer reply(unsigned rcode, unsigned answers)
{
    struct writer writer = {.length = 0};
    put_16(&writer, 0x1234);
    put_16(&writer, 0x8180 | rcode);
    put_16(&writer, 1);
    put_16(&writer, answers);
    put_16(&writer, 0);
    put_16(&writer, 0);
    put_name(&writer, "_http._tcp.users.internal");
    put_16(&writer, 33);
    put_16(&writer, 1);
    return writer;
}

static void put_answer(struct writer *writer, unsigned type, unsigned ttl, unsigned size)
{
    put_16(writer, 0xc000 | QUESTION_AT); /* the owner stands in the question */
    put_16(writer, type);
    put_16(writer, 1);
    put_16(writer, 0);
    put_16(writer, ttl);
    put_16(writer, size);
}

static void put_record(struct writer *writer, unsigned ttl, unsigned priority, unsigned weight, unsigned port,
                       const char *target)
{
    put_answer(writer, 33, ttl, 6 + (unsigned)strlen(target) + (*target ? 2 : 1));
    put_16(writer, priority);
    put_16(writer, weight);
    put_16(writer, port);
    put_name(writer, target);
}

static enum srv_verdict read(struct srv_answer *answer, const struct writer *writer)
{
    uint8_t *exact = malloc(writer->length); /* so that a sanitizer sees a byte too many */
    memcpy(exact, writer->bytes, writer->length);
    enum srv_verdict verdict = srv_read(answer, exact, writer->length);
    free(exact);
    return verdict;
}

static void srv_reads_records_in_the_order_of_their_priority(void **state)
{
    struct writer writer = reply(0, 3);
    struct srv_answer answer;
    (void)state;

    put_record(&writer, 60, 20, 5, 8002, "B.internal");
    put_record(&writer, 30, 10, 0, 8001, "a.internal");
    put_record(&writer, 90, 20, 1, 8001, "b.internal");
    assert_int_equal(read(&answer, &writer), SRV_FOUND);
    assert_int_equal(answer.count, 3);
    assert_int_equal(answer.ttl_s, 30);
    assert_string_equal(answer.records[0].place.name, "a.internal");
    assert_int_equal(answer.records[0].place.port, 8001);
    assert_string_equal(answer.records[1].place.name, "b.internal");
    assert_int_equal(answer.records[1].place.port, 8001);
    assert_int_equal(answer.records[2].place.port, 8002);
    assert_int_equal(answer.records[2].weight, 5);
}

static void srv_passes_over_other_records(void **state)
{
    struct writer writer = reply(0, 2);
    struct srv_answer answer;
    (void)state;

    put_answer(&writer, 5, 60, 2); /* CNAME */
    put_16(&writer, 0xc000 | QUESTION_AT);
    put_record(&writer, 60, 1, 1, 80, "a.internal");
    assert_int_equal(read(&answer, &writer), SRV_FOUND);
    assert_int_equal(answer.count, 1);
}

static void srv_tells_none_from_refused_from_broken(void **state)
{
    struct srv_answer answer;
    struct writer writer = reply(0, 0);
    (void)state;

    assert_int_equal(read(&answer, &writer), SRV_NONE);
    writer = reply(3, 0);
    assert_int_equal(read(&answer, &writer), SRV_NONE);
    writer = reply(2, 0);
    assert_int_equal(read(&answer, &writer), SRV_BROKEN);
    writer = reply(0, 1);
    put_record(&writer, 60, 0, 0, 0, "");
    assert_int_equal(read(&answer, &writer), SRV_REFUSED);
    writer = reply(0, 1);
    writer.bytes[2] = 1; /* a question */
    assert_int_equal(read(&answer, &writer), SRV_BROKEN);
}

static void srv_takes_no_target_that_is_no_host(void **state)
{
    struct writer writer = reply(0, 3);
    struct srv_answer answer;
    (void)state;

    put_record(&writer, 60, 1, 1, 80, "a b.internal");
    put_record(&writer, 60, 1, 1, 80, "a/x?@b.internal");
    put_record(&writer, 60, 1, 1, 0, "a.internal");
    assert_int_equal(read(&answer, &writer), SRV_NONE);
}

static void srv_follows_no_circle(void **state)
{
    struct writer writer = reply(0, 1);
    struct srv_answer answer;
    (void)state;

    put_answer(&writer, 33, 60, 8);
    put_16(&writer, 1);
    put_16(&writer, 1);
    put_16(&writer, 80);
    put_16(&writer, 0xc000 | (unsigned)writer.length); /* to itself */
    assert_int_equal(read(&answer, &writer), SRV_NONE);
}

static void srv_takes_a_cut_message_for_what_it_holds(void **state)
{
    struct writer writer = reply(0, 2), cut;
    struct srv_answer answer;
    (void)state;

    put_record(&writer, 60, 1, 1, 80, "a.internal");
    size_t whole = writer.length;
    put_record(&writer, 60, 2, 1, 80, "b.internal");
    for (size_t length = 0; length < writer.length; length++) {
        cut = writer;
        cut.length = length;
        enum srv_verdict verdict = read(&answer, &cut);
        assert_int_equal(verdict, length < whole ? SRV_BROKEN : SRV_FOUND);
        assert_int_equal(answer.count, length < whole ? 0 : 1);
    }
}

static void srv_survives_any_bytes(void **state)
{
    struct writer writer = reply(0, 2), changed;
    struct srv_answer answer;
    uint32_t seed = 1;
    (void)state;

    put_record(&writer, 60, 1, 1, 80, "a.internal");
    put_record(&writer, 60, 2, 1, 80, "b.internal");
    for (int i = 0; i < 200000; i++) {
        changed = writer;
        for (int j = 0; j < 3; j++) {
            seed = seed * 1664525 + 1013904223;
            changed.bytes[(seed >> 8) % changed.length] = (uint8_t)(seed >> 24);
        }
        read(&answer, &changed);
        assert_true(answer.count <= SRV_MOST);
    }
}

static void srv_picks_by_weight(void **state)
{
    const uint16_t weights[] = {30, 10, 0};
    unsigned picked[3] = {0};
    (void)state;

    for (uint64_t dice = 0; dice < 1u << 16; dice++)
        picked[srv_pick(weights, 3, (uint32_t)(dice << 16))]++;
    assert_in_range(picked[0], 49000, 49200);
    assert_in_range(picked[1], 16300, 16450);
    assert_in_range(picked[2], 1, 20);
    const uint16_t none[] = {0, 0};
    assert_int_equal(srv_pick(none, 2, 0), 0);
    assert_int_equal(srv_pick(none, 2, UINT32_MAX), 1);
    assert_int_equal(srv_pick(none, 1, UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srv_reads_records_in_the_order_of_their_priority),
        cmocka_unit_test(srv_passes_over_other_records),
        cmocka_unit_test(srv_tells_none_from_refused_from_broken),
        cmocka_unit_test(srv_takes_no_target_that_is_no_host),
        cmocka_unit_test(srv_follows_no_circle),
        cmocka_unit_test(srv_takes_a_cut_message_for_what_it_holds),
        cmocka_unit_test(srv_survives_any_bytes),
        cmocka_unit_test(srv_picks_by_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
