// The files of the dashboard, embedded by the build (web/); none when it was built with SB_DASHBOARD=OFF.
#pragma once

#include <string_view>
#include <vector>

namespace sb::app {

struct DashboardFile {
  std::string_view path;  // "/index.html"
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;
  std::string_view etag;   // quoted
  bool immutable = false;  // the name holds a hash of the content
};

/// Views of what lies in the program itself.
std::vector<DashboardFile> dashboard_files();

}  // namespace sb::app
