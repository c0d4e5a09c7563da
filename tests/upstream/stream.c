#include "stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_note(struct stream *stream, uint32_t epoll_events)
{
    if (epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->readable = true;
    if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->peer_done = true;
    if (epoll_events & (EPOLLHUP | EPOLLERR))
        stream->broken = true;
}

enum stream_outcome stream_receive(struct stream *stream, size_t want)
{
    if (!stream->readable)
        return STREAM_WAITS;
    char *to = buffer_reserve(&stream->in, want);
    size_t spare = buffer_spare(&stream->in);
    ssize_t got = recv(stream->fd, to, spare, 0);
    if (got > 0) {
        buffer_commit(&stream->in, (size_t)got);
        /* A short read emptied the socket, and what comes later is a new event: epoll(7). A FIN that
         * came before the read is not. */
        if ((size_t)got < spare && !stream->peer_done)
            stream->readable = false;
        return STREAM_MOVED;
    }
    if (got < 0 && errno == EINTR)
        return STREAM_MOVED;
    if (got == 0 || errno != EAGAIN)
        return STREAM_ENDED;
    stream->readable = false;
    return STREAM_WAITS;
}

enum stream_outcome stream_flush(struct stream *stream, uint64_t now_ns)
{
    uint64_t allowed = pace_allowance(&stream->pace, now_ns);
    size_t length = buffer_length(&stream->out);
    if (length > stream->unpaced && length - stream->unpaced > allowed)
        length = stream->unpaced + (size_t)allowed;
    if (length == 0)
        return STREAM_PACED;
    ssize_t sent = send(stream->fd, buffer_front(&stream->out), length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
        return STREAM_MOVED;
    if (sent < 0)
        return errno == EAGAIN ? STREAM_WAITS : STREAM_ENDED;
    size_t head = (size_t)sent < stream->unpaced ? (size_t)sent : stream->unpaced;
    stream->unpaced -= head;
    stream->pace.spent += (size_t)sent - head;
    buffer_drop(&stream->out, (size_t)sent);
    return STREAM_MOVED;
}

bool stream_is_drained(const struct stream *stream)
{
    int unacknowledged = 0;
    return ioctl(stream->fd, SIOCOUTQ, &unacknowledged) < 0 || unacknowledged == 0;
}

static void make_reset(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0}; /* close() then sends RST: socket(7) */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void stream_reset_fd(int fd)
{
    make_reset(fd);
    close(fd);
}

void stream_close(struct stream *stream, bool reset)
{
    if (reset)
        make_reset(stream->fd);
    close(stream->fd);
    stream->fd = -1;
}

void stream_clear(struct stream *stream)
{
    buffer_clear(&stream->in);
    buffer_clear(&stream->out);
}
