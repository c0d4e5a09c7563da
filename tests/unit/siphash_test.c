#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/siphash.h"

static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

/* Of the table of vectors that the authors publish: the message is 00 01 02 …, the key 00 01 … 0f. */
static void the_authors_vectors_come_out(void **state)
{
    static const struct {
        size_t length;
        uint64_t hash;
    } vectors[] = {
        {0,  0x726fdb47dd0e0e31u},
        {1,  0x74f839c593dc67fdu},
        {8,  0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
    };
    unsigned char message[16];

    (void)state;
    for (unsigned char i = 0; i < sizeof message; i++)
        message[i] = i;
    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_int_equal(siphash(key, message, vectors[i].length), vectors[i].hash);
}

static void another_key_gives_another_hash(void **state)
{
    static const uint64_t other[2] = {0x0706050403020101u, 0x0f0e0d0c0b0a0908u};

    (void)state;
    assert_int_not_equal(siphash(key, "secret", 6), siphash(other, "secret", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_authors_vectors_come_out),
        cmocka_unit_test(another_key_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
