// The endpoint table: the one way to manage a node. It routes, checks and documents what the endpoints declare; it
// knows no sockets. Filled before use, immutable while it serves; handle() belongs to the thread that owns the
// handlers' services.
#pragma once

#include "base/clock.h"
#include "http/endpoint.h"
#include "http/parser.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::http {

struct Audited {
  const Endpoint& endpoint;
  const Call& call;
  const Response& response;
  Nanos took;
};

class Table {
 public:
  explicit Table(const Clock& clock) : clock_(clock) {}

  /// Path and method must be new.
  void add(Endpoint endpoint);

  /// Log-in and role (management-api 1.2, step 3): a response refuses. May set `user`. None: everything is allowed, as
  /// over the local socket.
  /// The path's parameters are as sent.
  using Raw = std::vector<std::pair<std::string, std::string>>;
  using Gate = std::function<std::optional<Response>(Request&, const Endpoint&, const Raw& parameters)>;
  void set_gate(Gate gate) { gate_ = std::move(gate); }
  /// Where uploads are kept while they come; without it they are refused.
  void set_upload_folder(std::string folder) { upload_folder_ = std::move(folder); }
  /// Told of each answered operation that may change something, refused ones included.
  using Audit = std::function<void(const Audited&)>;
  void set_audit(Audit audit) { audit_ = std::move(audit); }

  /// Calls back when what was changed on the shards so far is on disk; false: the disk takes nothing at present.
  /// Without it nothing is kept on disk.
  using Keeper = std::function<void(std::function<void(bool kept)>)>;
  void set_keeper(Keeper keeper) { keeper_ = std::move(keeper); }

  /// Order of checks: path, method, log-in and role, body, parameters, handler.
  void handle(Request request, Reply reply) const;
  /// What is taken of a body, from the request's head. A large one is refused before it comes if its sender may not
  /// send it.
  BodyPlan plan_body(Request& head) const;

  json::value openapi() const;
  const std::vector<std::unique_ptr<const Endpoint>>& endpoints() const { return endpoints_; }

 private:
  struct Segment {
    std::string literal;  // or
    std::string parameter;
  };
  struct Route {
    std::vector<Segment> segments;
    std::vector<const Endpoint*> endpoints;  // one a method
  };
  struct Match {
    const Route* route = nullptr;
    std::vector<std::pair<std::string, std::string>> parameters;
  };
  static std::vector<Segment> split(std::string_view path);
  std::optional<Match> find(std::string_view path) const;
  static const Endpoint* choose(const Match& match, std::string_view method);
  static std::optional<Response> read(const Endpoint& endpoint, const Match& match, Call& call);
  static void run(const Endpoint& endpoint, Call call, const Reply& reply);
  /// If-Match: only while the GET of the same path answers what the request was made from.
  static void run_if_unchanged(const Endpoint& endpoint, const Match& match, Call call, const Reply& reply);
  /// Conditional requests for one path go one after the other: the state that one of them compares with must not be
  /// changed by another before it is done.
  void in_turn(const std::string& path, std::function<void()> start) const;
  void next_turn(const std::string& path) const;

  const Clock& clock_;
  std::vector<std::unique_ptr<const Endpoint>> endpoints_;
  std::vector<Route> routes_;
  Gate gate_;
  std::string upload_folder_;
  Audit audit_;
  Keeper keeper_;
  mutable std::map<std::string, std::deque<std::function<void()>>> turns_;  // the first one is under way
};

}  // namespace sb::http
