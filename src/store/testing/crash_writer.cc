// Commits numbered records until it is killed, and writes each number to standard output once it is acknowledged. A
// process of its own, because a test must be able to kill it and because RocksDB's threads do not survive a fork.
//   crash_writer FOLDER process|relaxed|power FLUSH_MS
#include "store/tables.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

int main(int argc, char** argv) {
  using namespace sb::store;
  if (argc != 4) return 2;
  const std::string_view mode = argv[2];
  Options options;
  options.folder = argv[1];
  options.durability = mode == "power"     ? Durability::Power
                       : mode == "relaxed" ? Durability::Relaxed
                                           : Durability::Process;
  options.flush_interval = sb::Millis(std::atoi(argv[3]));
  options.write_buffer_bytes = 256 * 1024;  // so that kills also meet flushes and compactions
  auto store = open_rocksdb(std::move(options));
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().what.c_str());
    return 1;
  }
  std::uint64_t number = 0;
  const std::string payload(200, 'p');
  for (;;) {
    Batch batch;
    for (int i = 0; i < 16; ++i) {
      ++number;
      put(batch, MessageRecord{.message = {.id = number, .topic = "t", .payload = sb::as_bytes(payload)}});
      put(batch, QueueRecord{.session = 1, .sequence = number, .message = number});
    }
    const std::uint64_t last = number;
    const auto done = [last](sb::Result<> result, Batch) {
      // One write of 8 bytes into a pipe is whole or not there.
      if (!result || ::write(STDOUT_FILENO, &last, sizeof last) != sizeof last) ::_exit(3);
    };
    while (!(*store)->try_commit(std::move(batch), done)) std::this_thread::yield();
  }
}
