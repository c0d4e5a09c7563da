/* Where a Redis is, as a URL says it. */
#ifndef GUSSET_AGENT_REDIS_URL_H
#define GUSSET_AGENT_REDIS_URL_H

enum { REDIS_URL_WORD = 256 };

struct redis_url {
    char host[REDIS_URL_WORD], port[8];
    char path[REDIS_URL_WORD];                           /* of a unix socket, instead; else "" */
    char user[REDIS_URL_WORD], password[REDIS_URL_WORD]; /* never shown; "" for none */
    char database[8];                                    /* "" for the first */
};

/*
 * Reads "redis://[[user]:password@]host[:port][/db]" or "unix://[[user]:password@]/path[?db=N]"; what stands
 * in the way of the others is percent-encoded. Returns NULL, or a sentence that holds nothing of the text.
 */
const char *redis_url_read(struct redis_url *url, const char *text);

#endif
