#include "cli/bench/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <functional>
#include <limits>

namespace sb::cli::bench {

namespace {

template <class T>
Result<T> number(const std::string& option, const std::string& text, T least, T most) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < least || out > most)
    return fail(Errc::Invalid, fmt::format("{} '{}': expected a number {}..{}", option, text, least, most));
  return out;
}

template <class T>
Result<> take(T& out, const std::string& option, const std::string& text, T least, T most) {
  SB_TRY(out, number<T>(option, text, least, most));
  return {};
}

Result<> take_flag(bool& out, const std::string& option, const std::string& text) {
  if (text != "true" && text != "false")
    return fail(Errc::Invalid, fmt::format("{} '{}': expected true or false", option, text));
  out = text == "true";
  return {};
}

constexpr double kDay = 86'400'000;

Result<> apply(Options& options, const std::string& name, const std::string& value) {
  if (name == "-h" || name == "--host") return options.host = value, Result<>();
  if (name == "-p" || name == "--port") return take<std::uint16_t>(options.port, name, value, 1, 65535);
  if (name == "-c" || name == "--count") return take<std::uint32_t>(options.clients, name, value, 1, 10'000'000);
  if (name == "-n" || name == "--startnumber")
    return take<std::uint32_t>(options.first_number, name, value, 0, 1'000'000'000);
  if (name == "-i" || name == "--interval") return take<double>(options.connect_interval_ms, name, value, 0, kDay);
  if (name == "-R" || name == "--connrate") {
    double rate = 0;
    SB_CHECKED(take<double>(rate, name, value, 0.001, 1e6));
    options.connect_interval_ms = 1000 / rate;
    return {};
  }
  if (name == "-k" || name == "--keepalive") return take<std::uint16_t>(options.keep_alive_s, name, value, 0, 65535);
  if (name == "-C" || name == "--clean") return take_flag(options.clean, name, value);
  if (name == "-x" || name == "--session-expiry")
    return take<std::uint32_t>(options.session_expiry_s, name, value, 0, kNeverExpires);
  if (name == "-u" || name == "--username") return options.username = value, Result<>();
  if (name == "-P" || name == "--password") return options.password = value, Result<>();
  if (name == "--prefix") return options.prefix = value, Result<>();
  if (name == "-t" || name == "--topic") return options.topic = value, Result<>();
  if (name == "-s" || name == "--size") return take<std::uint32_t>(options.payload_bytes, name, value, 0, 1U << 28);
  if (name == "-m" || name == "--message") return options.message = value, Result<>();
  if (name == "-I" || name == "--interval_of_msg")
    return take<double>(options.message_interval_ms, name, value, 0, kDay);
  if (name == "-L" || name == "--limit")
    return take<std::uint64_t>(options.limit, name, value, 0, std::numeric_limits<std::uint64_t>::max());
  if (name == "--seconds") return take<std::uint32_t>(options.seconds, name, value, 0, 31'536'000);
  if (name == "-r" || name == "--retain") return take_flag(options.retain, name, value);
  if (name == "--cacertfile") return options.ca_file = value, options.tls_verify = true, Result<>();
  if (name == "--certfile") return options.cert_file = value, Result<>();
  if (name == "--keyfile") return options.key_file = value, Result<>();
  if (name == "-q" || name == "--qos") {
    std::uint8_t qos = 0;
    SB_CHECKED(take<std::uint8_t>(qos, name, value, 0, 2));
    options.qos = static_cast<Qos>(qos);
    return {};
  }
  if (name == "-V" || name == "--version") {
    std::uint8_t version = 0;
    SB_CHECKED(take<std::uint8_t>(version, name, value, 3, 5));
    options.version = static_cast<ProtocolVersion>(version);
    return {};
  }
  return fail(Errc::Invalid, fmt::format("unknown option '{}'", name));
}

}  // namespace

std::string usage() {
  return "Usage: signalbox bench conn|pub|sub [OPTIONS]\n"
         "\n"
         "  -h, --host HOST             broker [127.0.0.1]\n"
         "  -p, --port PORT             [1883, with --ssl 8883]\n"
         "  -V, --version 3|4|5         protocol version [5]\n"
         "  -c, --count N               clients [200]\n"
         "  -n, --startnumber N         number of the first client [0]\n"
         "  -i, --interval MS           between two connects [10]\n"
         "  -R, --connrate N            connects a second, instead of -i\n"
         "  -k, --keepalive S           [300]\n"
         "  -C, --clean true|false      clean start [true]\n"
         "  -x, --session-expiry S      session expiry interval, MQTT 5 [0]\n"
         "  -u, --username NAME\n"
         "  -P, --password PASSWORD\n"
         "      --prefix TEXT           of client ids [bench_MODE_PID_]\n"
         "  -q, --qos 0|1|2             [0]\n"
         "  -t, --topic TOPIC           pub and sub; %i number, %c client id, %u user name [bench/%i]\n"
         "  -s, --size BYTES            payload of a message [256]\n"
         "  -m, --message TEXT          payload instead of -s\n"
         "  -I, --interval_of_msg MS    between two messages of one client; 0: as fast as it goes [1000]\n"
         "  -r, --retain true|false     [false]\n"
         "  -L, --limit N               end after so many messages in all [0 = never]\n"
         "      --seconds N             end after so long [0 = never]\n"
         "  -S, --ssl                   TLS, without checking the certificate unless --cacertfile is given\n"
         "      --cacertfile FILE, --certfile FILE, --keyfile FILE\n";
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options out;
  if (arguments.empty()) return fail(Errc::Invalid, "expected conn, pub or sub");
  if (arguments[0] == "conn")
    out.mode = Mode::Connect;
  else if (arguments[0] == "pub")
    out.mode = Mode::Publish;
  else if (arguments[0] == "sub")
    out.mode = Mode::Subscribe;
  else
    return fail(Errc::Invalid, fmt::format("'{}': expected conn, pub or sub", arguments[0]));
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    if (name == "-S" || name == "--ssl") {
      out.tls = true;
      // As a flag, or with a value.
      if (i + 1 < arguments.size() && (arguments[i + 1] == "true" || arguments[i + 1] == "false"))
        out.tls = arguments[++i] == "true";
      continue;
    }
    std::string value;
    const auto equals = name.find('=');
    if (name.starts_with("--") && equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return fail(Errc::Invalid, fmt::format("{}: expected a value", name));
    }
    SB_CHECKED(apply(out, name, value));
  }
  if (out.topic.empty()) out.topic = "bench/%i";
  if (out.prefix.empty()) out.prefix = fmt::format("bench_{}_{}_", arguments[0], getpid());
  return out;
}

std::string expand_topic(const Options& options, std::uint32_t number, const std::string& client_id) {
  std::string out;
  const std::string& text = options.topic;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '%' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'i')
      out += std::to_string(number);
    else if (next == 'c')
      out += client_id;
    else if (next == 'u')
      out += options.username;
    else {
      out += text[i];
      continue;
    }
    ++i;
  }
  return out;
}

}  // namespace sb::cli::bench
