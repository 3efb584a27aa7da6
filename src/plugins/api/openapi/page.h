// A page to browse the OpenAPI document with: one file, nothing from elsewhere.
#pragma once

#include <string_view>

namespace sb::plugins::api::openapi {

extern const std::string_view kPage;

}  // namespace sb::plugins::api::openapi
