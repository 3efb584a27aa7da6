// Plays a list of steps to the broker and to the model and holds one against the other after each of them.
#pragma once

#include "tests/sim/model.h"
#include "tests/sim/player.h"
#include "tests/sim/rig.h"
#include "tests/sim/script.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sb::sim {

struct Outcome {
  std::string wrong{};         // empty: model and broker agree
  std::size_t step = 0;        // at which it went wrong
  std::uint64_t messages = 0;  // that were delivered
};

Outcome run(const Profile& profile, const std::vector<Step>& steps);

/// A part of `steps` that still goes wrong, as small as some hundred runs find.
std::vector<Step> shrink(const Profile& profile, std::vector<Step> steps);

}  // namespace sb::sim
