/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What the kernel knows of a connection that libzmq owns, and how to end it. libzmq
 * names connections by their file descriptors, and a number that it has closed may be
 * a stranger's by now; the inode of a socket is never given to another one.
 */
#ifndef JB_FLOW_H
#define JB_FLOW_H

#include <stdint.h>

/* The inode of a socket; 0 if fd is anything else. */
uint64_t jb_inode(int fd);

struct jb_flow {
    uint64_t read;   /* bytes that libzmq has read */
    uint64_t acked;  /* bytes that the other side's kernel has taken */
    uint64_t queued; /* bytes that it has not taken yet */
};

/* Tells how far a connection has come. Over anything but TCP, only queued is known.
 * Returns 1 over TCP, 0 over anything else, a negative errno if fd is not the socket
 * with this inode. */
int jb_flow(int fd, uint64_t inode, struct jb_flow *flow);

/* Ends a connection, so that libzmq closes it. Returns 1; 0 if fd is not the socket with
 * this inode. */
int jb_end(int fd, uint64_t inode);

#endif
