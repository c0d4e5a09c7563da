/* Each way to look a name up. */
#include "sockets.h"

#include <netdb.h>

static void dial_entry(const struct hostent *entry, const char *port)
{
    struct sockaddr_in to = address_of("0.0.0.0", port);

    memcpy(&to.sin_addr, entry->h_addr_list[0], sizeof to.sin_addr);
    int fd = stream(true);
    printf("%s\n", strerror(dial(fd, &to)));
    close(fd);
}

static void dial_list(const struct addrinfo *list)
{
    int fd = socket(list->ai_family, SOCK_STREAM, 0);
    printf("%s\n", connect(fd, list->ai_addr, list->ai_addrlen) ? strerror(errno) : "Success");
    close(fd);
}

/* names WAY NAME PORT: each way to look a name up, then a connect */
void names(void)
{
    const char *way = words[0], *name = words[1], *port = words[2];
    struct addrinfo *list = NULL, mapped = {.ai_family = AF_INET6, .ai_flags = AI_V4MAPPED};
    struct gaicb request = {.ar_name = name, .ar_service = port}, *requests[] = {&request};
    struct hostent room, *entry = NULL;
    char buffer[4096];
    int error;

    if (strcmp(way, "getaddrinfo") == 0 && getaddrinfo(name, port, NULL, &list) == 0)
        dial_list(list);
    else if (strcmp(way, "mapped") == 0 && getaddrinfo(name, port, &mapped, &list) == 0)
        dial_list(list);
    else if (strcmp(way, "gethostbyname") == 0 && (entry = gethostbyname(name)))
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname2") == 0 && (entry = gethostbyname2(name, AF_INET)))
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname_r") == 0 &&
             gethostbyname_r(name, &room, buffer, sizeof buffer, &entry, &error) == 0 && entry)
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname2_r") == 0 &&
             gethostbyname2_r(name, AF_INET, &room, buffer, sizeof buffer, &entry, &error) == 0 && entry)
        dial_entry(entry, port);
    else if (strcmp(way, "getaddrinfo_a") == 0 && getaddrinfo_a(GAI_WAIT, requests, 1, NULL) == 0)
        dial_list(request.ar_result);
    else if (strcmp(way, "gai_error") == 0 && getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL) == 0) {
        const struct gaicb *const pending[] = {&request};
        while (gai_suspend(pending, 1, NULL) != EAI_ALLDONE && gai_error(&request) == EAI_INPROGRESS)
            ;
        if (gai_error(&request) == 0)
            dial_list(request.ar_result);
    } else {
        printf("unknown\n");
    }
}
