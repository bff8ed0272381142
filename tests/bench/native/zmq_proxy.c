/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy that libzmq brings, as anybody would write it around zmq_proxy(). Without
 * bounds on its queues: at the default bound it drops, and no cell may lose anything.
 *
 *     zmq_proxy PUB_URI SUB_URI
 *
 * It prints `ready pub=URI sub=URI` with the real ports, and runs until SIGTERM.
 */
#include <zmq.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void stop(int signal_number) {
    (void)signal_number;
    _exit(0);
}

static void *listen_at(void *context, int type, const char *uri, char *real, size_t size) {
    const int unbounded = 0;
    void *socket = zmq_socket(context, type);
    if (zmq_setsockopt(socket, ZMQ_SNDHWM, &unbounded, sizeof unbounded) != 0 ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &unbounded, sizeof unbounded) != 0 ||
        zmq_bind(socket, uri) != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, real, &size) != 0) {
        fprintf(stderr, "zmq_proxy: %s: %s\n", uri, zmq_strerror(zmq_errno()));
        _exit(1);
    }
    return socket;
}

int main(int argc, char **argv) {
    char pub_uri[256], sub_uri[256];
    if (argc != 3) {
        fprintf(stderr, "usage: zmq_proxy PUB_URI SUB_URI\n");
        return 1;
    }
    signal(SIGTERM, stop);
    void *context = zmq_ctx_new();
    void *publishers = listen_at(context, ZMQ_XSUB, argv[1], pub_uri, sizeof pub_uri);
    void *subscribers = listen_at(context, ZMQ_XPUB, argv[2], sub_uri, sizeof sub_uri);
    printf("ready pub=%s sub=%s\n", pub_uri, sub_uri);
    fflush(stdout);
    zmq_proxy(publishers, subscribers, NULL);
    return 1;
}
