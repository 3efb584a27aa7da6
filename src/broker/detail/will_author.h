// What is kept of a will's author beside its identity: between a Will and its record.
#pragma once

#include "broker/session.h"
#include "store/records.h"

#include <algorithm>

namespace sb::broker::detail {

inline store::WillAuthorFields author_of(const Will& will) {
  return {will.mount_size, will.trusted, will.trusted_until_ms, will.common_name, will.subject_dn, will.protocol_name};
}

inline void take_author(Will& will, const store::WillAuthorFields& author) {
  will.mount_size = static_cast<std::uint16_t>(std::min<std::size_t>(author.mount_size, will.topic.size()));
  will.trusted = author.trusted;
  will.trusted_until_ms = author.trusted_until_ms;
  will.common_name = author.common_name;
  will.subject_dn = author.subject_dn;
  will.protocol_name = author.protocol_name;
}

}  // namespace sb::broker::detail
