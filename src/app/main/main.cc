#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/node.h"

/// Gives memory back after a burst; see docs/decisions.
extern "C" const char* malloc_conf;
extern "C" {
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:1000";
}

int main(int argc, char** argv) {
  sb::app::NodeOptions options;
  const char* bind = argc > 1 ? argv[1] : "127.0.0.1:1883";
  if (argc > 2) options.shards = static_cast<unsigned>(std::atoi(argv[2]));
  auto endpoint = sb::net::Endpoint::parse(bind);
  if (!endpoint) {
    std::fprintf(stderr, "signalbox: %s\n", endpoint.error().what.c_str());
    return 1;
  }
  sb::app::ListenerOptions listener;
  listener.bind = *endpoint;
  listener.settings.id = "tcp:default";
  auto zone = std::make_shared<sb::client::ZoneSettings>();
  auto session = std::make_shared<sb::broker::SessionSettings>();
  session->queue.messages = 0;
  session->queue.bytes = 0;
  session->window = 65535;
  session->max_awaiting_rel = 0;
  zone->max_inflight = 65535;
  zone->session = session;
  listener.settings.zone = zone;
  options.listeners.push_back(listener);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  sb::app::Node node(std::move(options));
  if (const auto started = node.start(); !started) {
    std::fprintf(stderr, "signalbox: %s\n", started.error().what.c_str());
    node.stop();
    return 1;
  }
  std::printf("Listener tcp:default on %s started.\n", node.bound()[0].to_string().c_str());
  std::fflush(stdout);
  int got = 0;
  sigwait(&signals, &got);
  node.stop();
  return 0;
}
