/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The system calls behind flow.go; flow.h has what they promise.
 */
#define _GNU_SOURCE
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t jb_inode(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

int jb_flow(int fd, uint64_t inode, struct jb_flow *flow) {
    memset(flow, 0, sizeof *flow);
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    socklen_t size = sizeof info;
    int queued = 0, unread = 0;
    int is_tcp = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    ioctl(fd, SIOCOUTQ, &queued);
    if (is_tcp) {
        ioctl(fd, SIOCINQ, &unread);
        /* What has arrived since is unread too. */
        if (info.tcpi_bytes_received > (uint64_t)unread)
            flow->read = info.tcpi_bytes_received - (uint64_t)unread;
        flow->acked = info.tcpi_bytes_acked;
    }
    flow->queued = (uint64_t)queued;
    /* Asked last: an inode never comes back, so it was this socket all the time. */
    return inode != 0 && jb_inode(fd) == inode ? is_tcp : -EBADF;
}

int jb_end(int fd, uint64_t inode) {
    /* Keeps the socket what it is meanwhile, as libzmq may close its fd at any time. */
    int grip = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (grip < 0)
        return 0;
    const int is_it = inode != 0 && jb_inode(grip) == inode;
    if (is_it) {
        /* libzmq's close then resets it, and the kernel keeps nothing of what waits. */
        const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(grip, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        shutdown(grip, SHUT_RDWR);
        /* From now on TCP takes no more in. What libzmq has not read yet can cost it many
         * times its size, so that goes at once: a part of it would read as something else. */
        recv(grip, NULL, 1 << 30, MSG_TRUNC | MSG_DONTWAIT);
    }
    close(grip);
    return is_it;
}
