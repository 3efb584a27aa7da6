// CONNECT, AUTH and DISCONNECT (broker.md 2; MQTT 5.0 3.1, 3.2, 3.14, 3.15).
#include "base/log.h"
#include "broker/topic.h"
#include "mqtt/channel.h"
#include "mqtt/client_id.h"

#include <cstring>

namespace sb::mqtt {

using broker::Metric;
using codec::mqtt::ConnectView;

namespace {
/// So often an overloaded shard is asked whether it is one still.
constexpr Nanos kOverloadLook{100'000'000};

/// broker.md 2.4: reason codes of MQTT 5 as return codes of MQTT 3. The encoder writes v3 codes from these.
bool is_auth_error(ReasonCode code) {
  return code == ReasonCode::BadUserNameOrPassword || code == ReasonCode::NotAuthorized;
}

/// What a client takes for granted where CONNACK does not say it, 3.2.2.3, and what is only offered.
void leave_out_the_usual(codec::mqtt::Connack& connack) {
  connack.response_information = std::nullopt;
  if (connack.receive_maximum == 65535) connack.receive_maximum = std::nullopt;
  if (connack.topic_alias_maximum == 0) connack.topic_alias_maximum = std::nullopt;
  for (auto* available : {&connack.retain_available, &connack.wildcard_subscription_available,
                          &connack.subscription_id_available, &connack.shared_subscription_available})
    if (*available == true) *available = std::nullopt;
}
}  // namespace

Channel::Step Channel::on_connect(const Frame& frame, ByteView from_here) {
  auto& scratch = host_.shard().property_scratch;
  bool wrong_name = false;
  const auto packet = codec::mqtt::decode_connect(frame, client_.zone().strict_mode, &wrong_name, &scratch);
  if (!packet) {
    metrics().add(Metric::PacketsReceived);
    if (wrong_name) {
      end(ReasonCode::Success, "invalid_proto_name", false);
      return Step::Stop;
    }
    version_ = codec::mqtt::answer_version(frame);
    metrics().add(Metric::PacketsConnectReceived);
    if (version_ != ProtocolVersion::V5 && packet.error() != ReasonCode::UnsupportedProtocolVersion) {
      end(ReasonCode::Success, to_string(packet.error()), false);  // 3.1.1 [MQTT-3.1.4-1]: without CONNACK
      return Step::Stop;
    }
    return refuse_connect(packet.error(), to_string(packet.error()));
  }
  version_ = packet->version;
  client_max_packet_ = packet->maximum_packet_size;
  if (const net::UpgradeInfo* upgrade = stream_.upgrade_info();
      upgrade && upgrade->forwarded_peer && may_speak_for(*upgrade->forwarded_peer))
    client_.set_peer(*upgrade->forwarded_peer);

  // The final client id decides on which shard the session lives; everything else happens there.
  if (!homed_) {
    names_ = std::make_unique<Names>(names_of(*packet, stream_.peer_certificate(), client_.zone()));
    if (names_->client_id.empty()) {
      names_->client_id = new_client_id(host_.shard().broker);
      names_->assigned = true;
    }
    const unsigned home = host_.shard().broker.core().home_of(names_->client_id);
    if (home != host_.shard().broker.shard()) {
      HandOver over{stream_.detach(from_here),  client_.peer(),    client_.listener_ref(),
                    std::move(listener_state_), std::move(names_), home};
      state_ = State::Closing;
      host_.hand_over_(std::move(over));
      destroy();
      return Step::Stop;
    }
    homed_ = true;
  }
  if (overload_holds()) return Step::Suspend;

  state_ = State::Connecting;
  if (!std::exchange(connect_seen_, true)) {
    ++client_.traffic.received_packets;
    client_.traffic.received_bytes += frame.size;
    metrics().add(Metric::PacketsReceived);
    metrics().add(Metric::PacketsConnectReceived);
    metrics().add(Metric::ClientConnect);
    if (const ReasonCode code = check_connect(*packet); code != ReasonCode::Success)
      return refuse_connect(code, to_string(code));
    derive_identity(*packet);
    if (traced()) [[unlikely]]
      trace_received(frame);
    if (const ReasonCode code = client_.admit(); code != ReasonCode::Success)
      return refuse_connect(code, to_string(code));
    client_.begin_authentication();
  }

  const auto result =
      client_.authenticate(packet->password, packet->authentication_method, packet->authentication_data, resumer());
  if (!result) {
    return Step::Suspend;
  }
  if (result->code == ReasonCode::ContinueAuthentication) {
    enhanced_ = std::make_unique<Enhanced>(packet->authentication_method.value_or(std::string_view{}),
                                           as_text(ByteView(from_here.data(), frame.size)));
    connect_done_ = true;
    return send_auth(result->code, result->data);
  }
  if (result->code != ReasonCode::Success) {
    client_.refused(*result);
    return refuse_connect(result->code, to_string(result->code));
  }
  return open_session(*packet, *result);
}

// Anybody can write a header. It lifts no ban of the socket's address and makes nobody a client of this machine, for
// whom rules often allow more; the socket's address stands then.
bool Channel::may_speak_for(const net::Endpoint& client) {
  if (net::feigns_loopback(client_.peer(), client)) return false;
  const std::string host = client_.peer().host();
  access::Subject socket;
  socket.peer_host = host;
  return !host_.shard().gate.banned(socket);
}

bool Channel::overload_holds() {
  const Nanos limit = client_.zone().overload_delay;
  if (limit.count() == 0 || connect_seen_ || overload_over_ || !host_.shard().pressure) return false;
  runtime::Loop& loop = host_.shard().io.loop;
  const bool overloaded = host_.shard().pressure->overloaded(host_.shard().broker.shard());
  const bool waited = overload_since_.count() != 0;
  if (!waited && !overloaded) return false;
  if (!waited) overload_since_ = loop.now();
  const Nanos left = overload_since_ + limit - loop.now();
  overload_over_ = !overloaded || left.count() <= 0;
  if (!overload_over_) {
    loop.timers().arm(*this, loop.now(), std::min(left, kOverloadLook));
    return true;
  }
  metrics().add(overloaded ? Metric::OverloadDelayTimeout : Metric::OverloadDelayOk);
  last_activity_ = loop.now();  // the wait was ours
  runtime::TimerWheel::cancel(*this);
  if (const Nanos idle = client_.zone().idle_timeout; idle.count() > 0) loop.timers().arm(*this, loop.now(), idle);
  return false;
}

ReasonCode Channel::check_connect(const ConnectView& packet) const {
  const client::ZoneSettings& zone = client_.zone();
  // 2.1 step 4b; an id that comes from elsewhere is as good.
  if (names_->assigned && (packet.version == ProtocolVersion::V31 || !packet.clean_start))
    return ReasonCode::ClientIdentifierNotValid;
  if (packet.client_id.size() > zone.max_clientid_len) return ReasonCode::ClientIdentifierNotValid;
  if (packet.authentication_method && packet.version != ProtocolVersion::V5) return ReasonCode::ProtocolError;
  if (packet.will) {  // step 4d
    if (packet.will->qos > zone.max_qos) return ReasonCode::QosNotSupported;
    if (packet.will->retain && !zone.retain_available) return ReasonCode::RetainNotSupported;
    const auto rules = zone.strict_mode ? broker::TextRules::Strict : broker::TextRules::Lenient;
    if (const auto ok = broker::check_topic_name(packet.will->topic, rules); !ok) return ReasonCode::TopicNameInvalid;
    if (broker::count_levels(packet.will->topic) > zone.max_topic_levels) return ReasonCode::TopicNameInvalid;
  }
  if (zone.use_username_as_clientid && names_->username.empty())
    return ReasonCode::ClientIdentifierNotValid;  // step 5c
  return ReasonCode::Success;
}

void Channel::derive_identity(const ConnectView& packet) {
  const client::ZoneSettings& zone = client_.zone();
  client::ConnectInfo info;
  info.username = std::move(names_->username);
  info.client_id = std::move(names_->client_id);
  id_assigned_ = names_->assigned;
  names_ = nullptr;
  if (const net::UpgradeInfo* upgrade = stream_.upgrade_info()) info.ws_cookie = upgrade->cookie;
  if (const auto* certificate = stream_.peer_certificate()) client_.set_certificate(*certificate);
  info.protocol_name = codec::mqtt::protocol_name(packet.version);
  info.protocol_version = static_cast<int>(packet.version);
  info.clean_start = packet.clean_start;
  info.keep_alive_s = packet.keep_alive_s;
  if (packet.version == ProtocolVersion::V5)
    info.expiry_s = packet.session_expiry_s.value_or(0);
  else
    info.expiry_s = packet.clean_start ? 0 : zone.session_expiry_s;
  bridge_ = packet.bridge;
  client_.set_info(std::move(info));
}

Channel::Step Channel::refuse_connect(ReasonCode code, std::string_view reason) {
  SB_LOG(log::Level::Info, "connect_refused", kv("peername", client_.peer().to_string()),
         kv("clientid", client_.identity() ? client_.identity()->client_id : std::string()), kv("reason", reason));
  codec::mqtt::Connack connack;
  connack.reason = code;
  const std::size_t size = codec::mqtt::size_of(connack, version_);
  if (fits(size)) {
    commit(codec::mqtt::encode(reserve(size), connack, version_), Metric::PacketsConnackSent);
    metrics().add(Metric::ClientConnack);
  }
  metrics().add(Metric::PacketsConnackError);
  if (is_auth_error(code)) metrics().add(Metric::PacketsConnackAuthError);
  end(ReasonCode::Success, reason, false);
  return Step::Stop;
}

Channel::Step Channel::open_session(const ConnectView& packet, const access::Authenticated& result) {
  const client::ZoneSettings& zone = client_.zone();
  if (packet.will && !client_.mounts(packet.will->topic))
    return refuse_connect(ReasonCode::TopicNameInvalid, "topic_name_invalid");
  client_.accept(result, [this] { end(ReasonCode::NotAuthorized, "expired", true); });
  outbound_alias_max_ = packet.topic_alias_maximum;
  problem_information_ = packet.request_problem_information;
  const std::uint32_t awaiting = zone.session->max_awaiting_rel;
  receive_maximum_ = awaiting == 0 || awaiting > 65535 ? 65535 : awaiting;

  broker::OpenRequest request;
  request.identity = client_.identity();
  request.clean_start = packet.clean_start;
  request.expiry_s = client_.info().expiry_s;
  request.settings = zone.session;
  request.window = std::min(packet.receive_maximum, zone.max_inflight);
  using Opinion = access::ClientRules::Opinion;
  const Opinion will_opinion =
      packet.will ? client_.will_opinion(packet.will->topic, packet.will->qos, packet.will->retain) : Opinion::None;
  if (will_opinion == Opinion::Deny) {
    SB_LOG(log::Level::Warning, "last_will_testament_publish_denied", kv("clientid", client_.identity()->client_id),
           kv("topic", packet.will->topic));
  } else if (packet.will) {
    auto will = std::make_unique<broker::Will>();
    will->topic = client_.mount(packet.will->topic, host_.shard().scratch);
    will->payload = as_text(packet.will->payload);
    will->properties = as_text(packet.will->properties);
    will->qos = packet.will->qos;
    will->retain = packet.will->retain;
    will->delay_s = packet.will->delay_s;
    will->mount_size = static_cast<std::uint16_t>(will->topic.size() - packet.will->topic.size());
    will->trusted = will_opinion == Opinion::Allow;
    will->trusted_until_ms = will->trusted ? client_.rules_end_ms() : 0;
    client_.sign(*will);
    will->message_expiry_s = packet.will->message_expiry_s;
    request.will = std::move(will);
  }
  const std::uint32_t keep_alive =
      version_ == ProtocolVersion::V5 && zone.server_keepalive_s != 0 ? zone.server_keepalive_s : packet.keep_alive_s;
  if (request.expiry_s != 0)
    request.connection = std::make_unique<const broker::LastConnection>(broker::LastConnection{
        client_.listener().id, std::string(client_.mountpoint()), version_, client_.peer().port(),
        static_cast<std::uint16_t>(keep_alive), host_.shard().broker.loop().wall_ms()});
  codec::mqtt::Connack connack = make_connack(packet, result);
  if (!fits(codec::mqtt::size_of(connack, version_))) {
    leave_out_the_usual(connack);
    if (!fits(codec::mqtt::size_of(connack, version_))) return unsendable();
  }
  const broker::Journal* journal = host_.shard().broker.journal();
  const std::size_t changes = journal ? journal->changes() : 0;
  const auto opened = host_.shard().broker.open(std::move(request), *this);
  session_ = opened.session;
  session_->hold(true);  // until CONNACK is out and what was in flight is sent again
  client_.set_keep_alive(keep_alive);
  connack.session_present = opened.present;
  std::string encoded(codec::mqtt::size_of(connack, version_), '\0');
  codec::mqtt::encode(reinterpret_cast<std::uint8_t*>(encoded.data()), connack, version_);
  // CONNACK promises the session and its will, and that what a clean start ended is over. While the disk takes nothing
  // it promises no more than memory does.
  if (const After after = after_changes(changes); after.ticket != 0 && !journal->trouble()) {
    connect_done_ = true;
    defer(codec::mqtt::PacketType::Connack, 0, ReasonCode::Success, after, std::move(encoded));
    stream_.pause();  // what follows CONNECT is answered after CONNACK
    return Step::Pause;
  }
  begin_session(encoded);
  return state_ == State::Connected ? Step::Next : Step::Stop;
}

void Channel::begin_session(std::string_view connack) {
  state_ = State::Connected;
  set_keep_alive(client_.info().keep_alive_s);
  std::uint8_t* out = reserve(connack.size());
  std::memcpy(out, connack.data(), connack.size());
  commit(out + connack.size(), Metric::PacketsConnackSent);
  metrics().add(Metric::ClientConnack);
  client_.connected();
  if (session_) session_->begin();
}

codec::mqtt::Connack Channel::make_connack(const ConnectView& packet, const access::Authenticated& result) const {
  const client::ZoneSettings& zone = client_.zone();
  codec::mqtt::Connack connack;
  if (version_ == ProtocolVersion::V5) {  // 2.3
    connack.retain_available = zone.retain_available;
    connack.maximum_packet_size = zone.max_packet_size;
    connack.topic_alias_maximum = zone.max_topic_alias;
    connack.wildcard_subscription_available = zone.wildcard_subscription;
    connack.subscription_id_available = true;
    connack.shared_subscription_available = zone.shared_subscription;
    connack.receive_maximum = static_cast<std::uint16_t>(receive_maximum_);
    if (zone.max_qos != Qos::ExactlyOnce) connack.maximum_qos = to_int(zone.max_qos);
    if (zone.server_keepalive_s != 0) connack.server_keep_alive_s = zone.server_keepalive_s;
    if (packet.request_response_information && !zone.response_information.empty())
      connack.response_information = zone.response_information;
    if (id_assigned_) connack.assigned_client_id = client_.info().client_id;
    if (packet.authentication_method) {
      connack.authentication_method = *packet.authentication_method;
      if (!result.data.empty()) connack.authentication_data = as_bytes(result.data);
    }
  }
  return connack;
}

Channel::Step Channel::send_auth(ReasonCode code, std::string_view data) {
  const codec::mqtt::Auth auth{code, enhanced_->method, as_bytes(data)};
  const std::size_t size = codec::mqtt::size_of(auth);
  if (!fits(size)) return unsendable();
  commit(codec::mqtt::encode(reserve(size), auth), Metric::PacketsAuthSent);
  return Step::Next;
}

Channel::Step Channel::on_auth(const Frame& frame) {
  metrics().add(Metric::PacketsAuthReceived);
  if (version_ != ProtocolVersion::V5) return protocol_error(ReasonCode::ProtocolError, "protocol_error");
  const auto packet = codec::mqtt::decode_auth(frame, decode_options());
  if (!packet) return bad_frame(packet.error());
  const bool connecting = state_ == State::Connecting;
  const auto refuse = [&](ReasonCode code) {
    return connecting ? refuse_connect(code, to_string(code)) : protocol_error(code, to_string(code));
  };
  const bool continues =
      packet->reason == ReasonCode::ContinueAuthentication && (connecting || state_ == State::Reauthenticating);
  const bool begins = packet->reason == ReasonCode::ReAuthenticate && state_ == State::Connected;
  if (!enhanced_ || !(continues || begins)) return refuse(ReasonCode::ProtocolError);
  // 4.12-5: the method must not change.
  if (packet->method != enhanced_->method) return refuse(ReasonCode::BadAuthenticationMethod);
  if (begins && !suspended_) client_.begin_authentication();
  const auto result = client_.authenticate(std::nullopt, packet->method, packet->data, resumer());
  if (!result) return Step::Suspend;
  if (result->code == ReasonCode::ContinueAuthentication || (result->code == ReasonCode::Success && !connecting)) {
    if (result->code == ReasonCode::Success) {
      client_.accept(*result, [this] { end(ReasonCode::NotAuthorized, "expired", true); });
      if (const broker::Will* will = session_ ? session_->will() : nullptr) {
        const auto opinion =
            client_.will_opinion(std::string_view(will->topic).substr(will->mount_size), will->qos, will->retain);
        const bool trusted = opinion == access::ClientRules::Opinion::Allow;
        host_.shard().broker.change_will(*session_, {.keep = opinion != access::ClientRules::Opinion::Deny,
                                                     .trusted = trusted,
                                                     .trusted_until_ms = trusted ? client_.rules_end_ms() : 0});
      }
    }
    state_ = connecting ? State::Connecting
                        : (result->code == ReasonCode::Success ? State::Connected : State::Reauthenticating);
    return send_auth(result->code, result->data);
  }
  if (result->code != ReasonCode::Success) {
    client_.refused(*result);
    return refuse(result->code);
  }
  const auto again = codec::mqtt::next_frame(as_bytes(enhanced_->connect_packet), client_.zone().max_packet_size);
  const auto connect =
      codec::mqtt::decode_connect(*again, client_.zone().strict_mode, nullptr, &host_.shard().property_scratch);
  const Step step = open_session(*connect, *result);
  if (enhanced_) enhanced_->forget_connect();
  return step;
}

void Channel::Enhanced::forget_connect() {
  explicit_bzero(connect_packet.data(), connect_packet.size());
  connect_packet = {};
}

Channel::Step Channel::on_disconnect(const Frame& frame) {
  metrics().add(Metric::PacketsDisconnectReceived);
  const auto packet = codec::mqtt::decode_disconnect(frame, decode_options());
  if (!packet) return bad_frame(packet.error());
  if (packet->session_expiry_s) {
    if (client_.info().expiry_s == 0 && *packet->session_expiry_s > 0)  // 3.14.2.2.2
      return protocol_error(ReasonCode::ProtocolError, "protocol_error");
  }
  const bool normal = packet->reason == ReasonCode::Success;
  leave_session(normal ? std::string_view("normal") : to_string(packet->reason), !normal, packet->session_expiry_s);
  close_soon();
  return Step::Stop;
}

}  // namespace sb::mqtt
