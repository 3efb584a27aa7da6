#include "codec/websocket/deflate.h"

#include <gtest/gtest.h>

namespace sb::codec::websocket {
namespace {

using Outcome = Inflater::Outcome;
constexpr std::uint64_t kUnbounded = UINT64_MAX;

struct Inflated {
  Outcome outcome;
  std::string text;
  std::size_t consumed;
};

/// Feeds a message in pieces of `piece` bytes with `room` bytes to write to.
Inflated inflate_all(Inflater& inflater, std::string_view message, std::size_t piece = SIZE_MAX,
                     std::size_t room = 4096, std::uint64_t bound = kUnbounded) {
  Inflated result{Outcome::NeedInput, "", 0};
  std::vector<std::uint8_t> out(room);
  do {
    const std::string_view part = message.substr(result.consumed, piece);
    const bool last = result.consumed + part.size() == message.size();
    const auto step = inflater.inflate(as_bytes(part), last, out, bound);
    result.outcome = step.outcome;
    result.consumed += step.consumed;
    result.text.append(reinterpret_cast<const char*>(out.data()), step.produced);
  } while (result.outcome == Outcome::NeedInput || result.outcome == Outcome::NeedRoom);
  return result;
}

std::string deflate_all(Deflater& deflater, std::string_view message) {
  std::string out;
  deflater.add(as_bytes(message), out);
  deflater.finish(out);
  return out;
}

std::string sample(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += "value " + std::to_string(i * 2654435761u) + ";";
  text.resize(size);
  return text;
}

TEST(Negotiate, FollowsTheOffer) {  // RFC 7692 5.1, 7.1
  const DeflateConfig config;
  const auto header = [&](std::string_view offers, const DeflateConfig& with) {
    const auto params = negotiate(offers, with);
    return params ? to_header(*params) : "none";
  };
  EXPECT_EQ(header("", config), "none");
  EXPECT_EQ(header("x-webkit-deflate-frame", config), "none");
  EXPECT_EQ(header("permessage-deflate", config), "permessage-deflate");
  EXPECT_EQ(header("permessage-deflate; client_max_window_bits", config), "permessage-deflate");
  EXPECT_EQ(header("permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"11\"", config),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10");
  EXPECT_EQ(header("permessage-deflate; server_no_context_takeover; client_no_context_takeover", config),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(header("foo, permessage-deflate; server_max_window_bits=8, permessage-deflate", config),
            "permessage-deflate");

  DeflateConfig small;
  small.server_context_takeover = small.client_context_takeover = false;
  small.server_max_window_bits = 8;
  small.client_max_window_bits = 9;
  EXPECT_EQ(header("permessage-deflate", small),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9");
  EXPECT_EQ(negotiate("permessage-deflate", small)->client_max_window_bits, 15);  // the client cannot be told
  EXPECT_EQ(negotiate("permessage-deflate; client_max_window_bits", small)->client_max_window_bits, 9);
}

TEST(Negotiate, DeclinesBadOffers) {  // RFC 7692 7.1
  const DeflateConfig config;
  for (const char* offer :
       {"permessage-deflate; unknown", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate;",
        "Permessage-Deflate"})
    EXPECT_FALSE(negotiate(offer, config).has_value()) << offer;
}

TEST(Inflater, ReadsTheExamplesOfTheSpecification) {  // RFC 7692 7.2.3
  ZlibPool pool;
  Inflater inflater(pool, {});
  EXPECT_EQ(inflate_all(inflater, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)).text, "Hello");
  EXPECT_EQ(inflate_all(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)).text, "Hello");  // shared window
  EXPECT_EQ(inflate_all(inflater, std::string_view("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)).text,
            "Hello");                                                                                       // stored
  EXPECT_EQ(inflate_all(inflater, std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)).text, "Hello");  // BFINAL
  EXPECT_EQ(inflate_all(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)).text,
            "Hello");                                                                          // the window outlived it
  EXPECT_EQ(inflate_all(inflater, std::string_view("\x00", 1)).outcome, Outcome::MessageEnd);  // empty
}

TEST(Inflater, GivesTheSameForEverySplitAndRoom) {
  ZlibPool pool;
  const DeflateConfig config;
  Deflater deflater(pool, config, {});
  Inflater inflater(pool, {});
  const std::string text = sample(5000);
  for (const std::size_t piece : {1, 2, 7, 100, 100000}) {
    for (const std::size_t room : {1, 3, 64, 5000, 100000}) {
      const std::string message = deflate_all(deflater, text);
      const Inflated result = inflate_all(inflater, message, piece, room);
      ASSERT_EQ(result.outcome, Outcome::MessageEnd) << piece << " " << room;
      ASSERT_EQ(result.text, text) << piece << " " << room;
    }
  }
}

TEST(Inflater, KeepsOrForgetsTheWindow) {
  ZlibPool pool;
  const DeflateConfig config;
  const std::string text = sample(300);
  Deflater keeping(pool, config, {});
  const std::string first = deflate_all(keeping, text);
  const std::string second = deflate_all(keeping, text);
  EXPECT_LT(second.size(), first.size() / 2);

  DeflateParams params;
  params.server_no_context_takeover = params.client_no_context_takeover = true;
  Deflater forgetting(pool, config, params);
  EXPECT_EQ(deflate_all(forgetting, text), deflate_all(forgetting, text));
  Inflater forgetful(pool, params);
  EXPECT_EQ(inflate_all(forgetful, first).text, text);
  EXPECT_EQ(inflate_all(forgetful, second).outcome, Outcome::BadData);
}

TEST(Inflater, IsBoundedWhateverComesIn) {
  ZlibPool pool;
  const DeflateConfig config;
  Deflater deflater(pool, config, {});
  const std::string bomb = deflate_all(deflater, std::string(10 << 20, '\0'));
  EXPECT_LT(bomb.size(), 20000u);
  Inflater inflater(pool, {});
  const Inflated result = inflate_all(inflater, bomb, SIZE_MAX, 4096, 100000);
  EXPECT_EQ(result.outcome, Outcome::TooLarge);
  EXPECT_LE(result.text.size(), 100000u + 4096);
  Inflater exact(pool, {});
  EXPECT_EQ(inflate_all(exact, bomb, SIZE_MAX, 4096, 10 << 20).outcome, Outcome::MessageEnd);
}

TEST(Inflater, RefusesGarbage) {
  ZlibPool pool;
  Inflater inflater(pool, {});
  EXPECT_EQ(inflate_all(inflater, "\xff\xff\xff\xff").outcome, Outcome::BadData);
}

TEST(Deflater, MarksTheEmptyMessage) {  // RFC 7692 7.2.3.6
  ZlibPool pool;
  const DeflateConfig config;
  Deflater deflater(pool, config, {});
  deflate_all(deflater, "something");
  std::string out = "before";
  deflater.finish(out);
  EXPECT_EQ(out, std::string_view("before\0", 7));
}

TEST(Deflater, ObeysEveryWindow) {
  ZlibPool pool;
  const std::string text = sample(40000);
  for (int bits = 9; bits <= 15; ++bits) {
    DeflateParams params;
    params.server_max_window_bits = params.client_max_window_bits = static_cast<std::uint8_t>(bits);
    const DeflateConfig config;
    Deflater deflater(pool, config, params);
    Inflater inflater(pool, params);
    EXPECT_EQ(inflate_all(inflater, deflate_all(deflater, text)).text, text) << bits;
  }
}

}  // namespace
}  // namespace sb::codec::websocket
