// Requests do not depend on how the stream is cut into pieces, and never exceed the limits.
#include "http/parser.h"

#include <cstdlib>
#include <vector>

namespace {
using namespace sb::http;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr RequestParser::Limits kLimits{.head = 2048, .body = 4096};

struct Outcome {
  std::vector<Request> requests;
  unsigned refused = 0;  // status of the answer to what is no request
};

/// Everything that `parser` can tell now. False: the stream is of no more use.
bool drain(RequestParser& parser, Outcome& out) {
  for (;;) {
    Request request;
    Response error;
    switch (parser.next(request, error)) {
      case RequestParser::Status::NeedMore:
        return true;
      case RequestParser::Status::Bad:
        require(error.status >= 400 && error.status < 600);
        out.refused = error.status;
        return false;
      case RequestParser::Status::Ready:
        require(!request.method.empty() && request.path.starts_with('/') && request.body.size() <= kLimits.body);
        out.requests.push_back(std::move(request));
        break;
    }
  }
}

Outcome parse(std::string_view bytes, std::size_t piece) {
  RequestParser parser(kLimits);
  Outcome out;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    parser.feed(part);
    if (!drain(parser, out)) break;
    require(parser.pending() <= kLimits.head + 4 + kLimits.body + part.size());
  }
  return out;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(bytes, size == 0 ? 1 : size);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Outcome cut = parse(bytes, piece);
    require(cut.requests.size() == whole.requests.size() && cut.refused == whole.refused);
    for (std::size_t i = 0; i < cut.requests.size(); ++i) {
      require(cut.requests[i].method == whole.requests[i].method);
      require(cut.requests[i].path == whole.requests[i].path);
      require(cut.requests[i].body == whole.requests[i].body);
    }
  }
  return 0;
}
