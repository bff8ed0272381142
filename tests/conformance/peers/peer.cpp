// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The C++ peer of the conformance matrix: peer.c over juicebus.hpp. Lines of
// `name<TAB>topic<TAB>payload in hex` come from stdin and become events ("pub"),
// or events become lines on stdout ("sub"), until stdin ends. `ready` and `flushed` lines
// tell whether the proxy confirmed subscriptions, and that events arrived.
#include <juicebus.hpp>

#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

static std::vector<unsigned char> bytes_of(const std::string &hex) {
    std::vector<unsigned char> bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
        bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
    return bytes;
}

static std::string hex_of(juicebus::bytes_view bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string hex;
    for (std::byte byte : bytes) {
        hex += digits[std::to_integer<int>(byte >> 4)];
        hex += digits[std::to_integer<int>(byte & std::byte{15})];
    }
    return hex;
}

static const std::chrono::seconds timeout(60);

static const char *answer(bool confirmed) {
    return confirmed ? "confirmed" : "unconfirmed";
}

static void publish_lines(const std::string &uri) {
    juicebus::publisher pub(uri);
    std::cout << "ready" << std::endl;
    std::string line;
    for (long sent = 1; std::getline(std::cin, line); sent++) {
        std::istringstream parts(line);
        std::string name, topic, hex;
        std::getline(parts, name, '\t');
        std::getline(parts, topic, '\t');
        std::getline(parts, hex, '\t');
        pub.publish(name, topic, bytes_of(hex));
        std::cout << "sent " << sent << std::endl;
    }
    std::cout << "flushed " << answer(pub.flush(timeout)) << std::endl;
    pub.close(std::chrono::seconds(5));
}

static void await_end_of_stdin() {
    char ignored[256];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
    }
}

static void print_events(const std::string &uri, const std::vector<std::string> &filters) {
    juicebus::subscriber sub(uri);
    for (const std::string &filter : filters) {
        std::size_t colon = filter.find(':');
        sub.subscribe(filter.substr(0, colon),
                      colon == std::string::npos ? "" : filter.substr(colon + 1));
    }
    std::cout << "ready " << answer(sub.ready(timeout)) << std::endl;
    std::thread stop([&] {
        await_end_of_stdin();
        sub.close();
    });
    try {
        for (;;)
            for (juicebus::event_view event : sub.get_many(100, juicebus::forever))
                std::cout << event.name() << '\t' << event.topic() << '\t'
                          << hex_of(event.payload()) << std::endl;
    } catch (const juicebus::closed_error &) {
        stop.join();
    }
}

int main(int argc, char **argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        if (arguments.size() == 2 && arguments[0] == "pub")
            publish_lines(arguments[1]);
        else if (arguments.size() > 2 && arguments[0] == "sub")
            print_events(arguments[1], {arguments.begin() + 2, arguments.end()});
        else
            throw std::runtime_error("usage: peer pub URI | peer sub URI name[:topic] ...");
    } catch (const std::exception &error) {
        std::cerr << "peer: " << error.what() << std::endl;
        return 1;
    }
    return 0;
}
