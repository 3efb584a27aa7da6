// `license`: how many connections the node may hold.
#pragma once

#include "config/schema.h"

namespace sb::config {

struct License {
  /// "default" = the trial, "community" = no limit, a key, or file:// with a key in it.
  Secret key;
  Secret public_key;  // PEM or file://; of who issues keys, beside the built-in one
  Percent connection_low_watermark, connection_high_watermark;
  bool count_gateway_connections = true;
  static const Struct& schema();
};

}  // namespace sb::config
