#include "config/roots/license.h"

namespace sb::config {

const Struct& License::schema() {
  using S = License;
  static const Struct s =
      Schema<S>("license", Hot::Y)
          .doc("The licence: how many connections the node may hold.")
          .field("key", &S::key,
                 {.def = "default",
                  .min = 1,
                  .doc = "default = the trial of 25 connections; community = no limit, for a self-hosted node; else "
                         "the text of a signed key, or file:// and the path of one.",
                  .secret = true})
          .field(
              "public_key", &S::public_key,
              {.doc = "PEM text, or file:// and a path: keys signed by its owner count too.", .since = "signalbox 0.1"})
          .field("connection_low_watermark", &S::connection_low_watermark,
                 {.def = "\"75%\"", .doc = "Below this share of the limit the alarm license_quota ends."})
          .field("connection_high_watermark", &S::connection_high_watermark,
                 {.def = "\"80%\"", .doc = "Above this share of the limit the alarm license_quota is raised."})
          .field("count_gateway_connections", &S::count_gateway_connections,
                 {.def = "true", .doc = "Whether connections of gateways count.", .since = "signalbox 0.1"})
          .finish([](Checker& c, const Value& v, S& license) {
            if (license.connection_low_watermark.value >= license.connection_high_watermark.value)
              c.broken(v, "connection_high_watermark", "bad_license_watermark", "more than connection_low_watermark",
                       {"connection_low_watermark"});
          })
          .build();
  return s;
}

}  // namespace sb::config
