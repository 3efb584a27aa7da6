// Replies of a Redis server: the same whether they come at once or in pieces, within their bounds; and whatever a reply
// holds is one word once it is a command.
#include "driver/redis/resp.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace {
using namespace sb::driver::redis;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  std::string text;  // of all replies
  std::size_t replies = 0;
  bool corrupt = false;
};

void print(const Reply& reply, unsigned depth, Outcome& out) {
  require(depth <= Reader::kDepthMax && reply.elements.size() <= Reader::kElementsMax);
  require(reply.kind == Reply::Kind::Array || reply.elements.empty());
  out.text += static_cast<char>('0' + static_cast<int>(reply.kind));
  out.text += reply.text;
  out.text += ';';
  for (const Reply& element : reply.elements) print(element, depth + 1, out);
}

Outcome read(std::string_view bytes, std::size_t piece) {
  Reader reader;
  Outcome out;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    reader.feed(part);
    for (;;) {
      auto reply = reader.next();
      if (!reply) {
        out.corrupt = true;
        return out;
      }
      if (!*reply) break;
      ++out.replies;
      print(**reply, 0, out);
    }
  }
  return out;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(bytes, size == 0 ? 1 : size);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}}) {
    const Outcome cut = read(bytes, piece);
    require(cut.corrupt == whole.corrupt && cut.replies == whole.replies && cut.text == whole.text);
  }
  Reader echo;
  echo.feed(encode({"GET", std::string(bytes)}));
  auto command = echo.next();
  require(command && *command && (*command)->elements.size() == 2 && (*command)->elements[1].text == bytes);
  require(echo.empty());
  return 0;
}
