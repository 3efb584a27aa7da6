#include "config/roots/guards.h"

namespace sb::config {

const Struct& FlappingDetect::schema() {
  using S = FlappingDetect;
  static const Struct s =
      Schema<S>("flapping_detect", Hot::Y)
          .doc("Bans clients that connect too often.")
          .field("enable", &S::enable, {.def = "false", .doc = "Whether flapping clients are banned."})
          .field("window_time", &S::window_time,
                 {.def = "1m", .words = "disable", .doc = "Window in which connects are counted, refused ones too."})
          .field("max_count", &S::max_count,
                 {.def = "15", .min = 1, .doc = "Connects within the window that make a client flap."})
          .field("ban_time", &S::ban_time,
                 {.def = "5m", .max = 4294967295000.0, .doc = "How long a flapping client is banned."})
          .build();
  return s;
}

const Struct& AuthenticationFailureLimit::schema() {
  using S = AuthenticationFailureLimit;
  static const Struct s =
      Schema<S>("authentication_failure_limit", Hot::Y)
          .doc(
              "Turns an address away that failed to authenticate too often. Off, because fleets sit behind one "
              "address.")
          .field("enable", &S::enable,
                 {.def = "false", .doc = "Whether failures are counted.", .since = "signalbox 0.1"})
          .field("max_failures", &S::max_failures,
                 {.def = "100",
                  .min = 1,
                  .max = 1'000'000,
                  .doc = "Failures within the window that are one too many.",
                  .since = "signalbox 0.1"})
          .field("window", &S::window,
                 {.def = "1m", .min = 1000, .max = 86'400'000, .doc = "Time they count in.", .since = "signalbox 0.1"})
          .field("block_time", &S::block_time,
                 {.def = "1m",
                  .min = 1000,
                  .max = 86'400'000,
                  .doc = "How long the address is turned away.",
                  .since = "signalbox 0.1"})
          .build();
  return s;
}

const Struct& ForceShutdown::schema() {
  using S = ForceShutdown;
  static const Struct s = Schema<S>("force_shutdown", Hot::C)
                              .doc("Ends connections that hold too much.")
                              .field("enable", &S::enable, {.def = "true", .doc = "Whether the limits apply."})
                              .field("max_mailbox_size", &S::max_mailbox_size,
                                     {.def = "1000",
                                      .min = 0,
                                      .aliases = "max_message_queue_len",
                                      .doc = "A connection is not read further while so many answers to it wait for "
                                             "the disk or another shard; 0 = no limit."})
                              .field("max_heap_size", &S::max_heap_size,
                                     {.def = "32MB",
                                      .doc = "Output that one connection leaves unread; beyond it the connection and "
                                             "its session end; 0 = no limit.",
                                      .size = true})
                              .build();
  return s;
}

const Struct& ForceGc::schema() {
  using S = ForceGc;
  static const Struct s = Schema<S>("force_gc", Hot::C)
                              .doc("Accepted for EMQX's sake: connections give memory back as it gets free.")
                              .field("enable", &S::enable, {.def = "true", .doc = "Whether memory is given back."})
                              .field("count", &S::count, {.def = "16000", .min = 0, .doc = "After this many messages."})
                              .field("bytes", &S::bytes, {.def = "16MB", .doc = "After this many bytes.", .size = true})
                              .build();
  return s;
}

const Struct& ConnCongestion::schema() {
  using S = ConnCongestion;
  static const Struct s =
      Schema<S>("conn_congestion", Hot::Y)
          .doc("Alarms for connections whose peer reads too slowly.")
          .field("enable_alarm", &S::enable_alarm, {.def = "true", .doc = "Whether congestion raises an alarm."})
          .field("min_alarm_sustain_duration", &S::min_alarm_sustain_duration,
                 {.def = "1m", .doc = "The alarm is cleared when there was no congestion for this long."})
          .build();
  return s;
}

const Struct& OverloadProtection::schema() {
  using S = OverloadProtection;
  static const Struct s =
      Schema<S>("overload_protection", Hot::Y)
          .doc("What an overloaded node puts off.")
          .field("enable", &S::enable,
                 {.def = "false",
                  .doc = "Whether an overloaded node sheds load; a shard is overloaded whose loop had no rest for "
                         "several seconds."})
          .field("backoff_delay", &S::backoff_delay,
                 {.def = "1",
                  .min = 0,
                  .doc = "How long an overloaded shard leaves a CONNECT waiting, in milliseconds.",
                  .hidden = true})
          .field(
              "backoff_gc", &S::backoff_gc,
              {.def = "false",
               .doc = "Accepted for EMQX's sake: memory is given back as it gets free, there is no trim to put off."})
          .field(
              "backoff_hibernation", &S::backoff_hibernation,
              {.def = "true",
               .doc = "Accepted for EMQX's sake: idle connections hold no buffers, there is no shrinking to put off."})
          .field("backoff_new_conn", &S::backoff_new_conn,
                 {.def = "true", .doc = "Whether an overloaded shard closes new connections."})
          .build();
  return s;
}

const Struct& Stats::schema() {
  static const Struct s =
      Schema<Stats>("stats", Hot::C)
          .doc("Statistics of single connections.")
          .field("enable", &Stats::enable,
                 {.def = "true",
                  .doc = "Accepted for EMQX's sake: the counters of a connection cost nothing and are always kept."})
          .build();
  return s;
}

}  // namespace sb::config
