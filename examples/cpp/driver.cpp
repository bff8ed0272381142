// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// An instrument driver in C++: every 50 ms it publishes a set point, while a thread
// receives readings.
//
//     driver PUBLISHER_URI SUBSCRIBER_URI [NAME ...]
//
// It prints `got <name> <topic>` for each event of the names (without any:
// FridgeReading), and after each set point `sent <n>`, until its standard input ends.
#include <juicebus.hpp>

#include <iostream>
#include <poll.h>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using std::chrono::milliseconds;

// A whole line at once: two threads write to stdout.
static void say(const std::string &line) {
    std::cout << line + "\n" << std::flush;
}

static void receive(juicebus::subscriber &sub) {
    try {
        while (auto event = sub.get(juicebus::forever))
            say("got " + std::string(event->name()) + " " + std::string(event->topic()));
    } catch (const juicebus::closed_error &) { // the other thread is done
    }
}

static bool stdin_ends_within(milliseconds period) {
    pollfd fd{STDIN_FILENO, POLLIN, 0};
    return poll(&fd, 1, static_cast<int>(period.count())) > 0;
}

static void publish(juicebus::publisher &pub) {
    int number = 0;
    do {
        std::ostringstream json; // CBOR does as well; every reader takes both
        json << R"({"kelvin": )" << 4.0 + number % 10 << "}";
        pub.publish("SetPoint", "cpp-driver", json.str());
        say("sent " + std::to_string(++number));
    } while (!stdin_ends_within(milliseconds(50)));
}

static void run(const std::vector<std::string> &arguments) {
    juicebus::publisher pub(arguments.at(0));
    juicebus::subscriber sub(arguments.at(1));
    if (arguments.size() == 2)
        sub.subscribe("FridgeReading");
    for (std::size_t i = 2; i < arguments.size(); i++)
        sub.subscribe(arguments[i]);

    std::thread receiver(receive, std::ref(sub));
    try {
        publish(pub);
    } catch (...) {
        sub.close();
        receiver.join();
        throw;
    }
    sub.close(); // wakes the receiver
    receiver.join();
    pub.close();
}

int main(int argc, char **argv) {
    if (argc < 3) {
        std::cerr << "usage: driver PUBLISHER_URI SUBSCRIBER_URI [NAME ...]\n";
        return 1;
    }
    try {
        run({argv + 1, argv + argc});
    } catch (const std::exception &error) {
        std::cerr << "driver: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
