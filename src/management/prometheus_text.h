// Writes the text exposition format 0.0.4 of Prometheus: families of TYPE, HELP and samples.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sb::management {

class PrometheusText {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;  // ours: nothing to escape
  };

  /// `node`: every sample names it; "" = none does.
  explicit PrometheusText(std::string_view node = {})
      : node_(node.empty() ? std::string() : fmt::format("node=\"{}\"", node)) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# TYPE {} {}\n# HELP {} {}\n", name, type, name, help);
  }
  template <class Number>
  void sample(Number value) {
    out_ += node_.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, node_, value);
  }
  template <class Number>
  void sample(Label label, Number value) {
    out_ +=
        fmt::format("{}{{{}{}{}=\"{}\"}} {}\n", name_, node_, node_.empty() ? "" : ",", label.name, label.value, value);
  }
  std::string take() { return std::move(out_) + '\n'; }

 private:
  std::string node_;
  std::string name_;
  std::string out_;
};

}  // namespace sb::management
