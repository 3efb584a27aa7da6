#include "base/mqtt_types.h"

namespace sb {

std::string_view to_string(ReasonCode code) {
  switch (code) {
    case ReasonCode::Success:
      return "success";
    case ReasonCode::GrantedQos1:
      return "granted_qos1";
    case ReasonCode::GrantedQos2:
      return "granted_qos2";
    case ReasonCode::DisconnectWithWillMessage:
      return "disconnect_with_will_message";
    case ReasonCode::NoMatchingSubscribers:
      return "no_matching_subscribers";
    case ReasonCode::NoSubscriptionExisted:
      return "no_subscription_existed";
    case ReasonCode::ContinueAuthentication:
      return "continue_authentication";
    case ReasonCode::ReAuthenticate:
      return "re_authenticate";
    case ReasonCode::UnspecifiedError:
      return "unspecified_error";
    case ReasonCode::MalformedPacket:
      return "malformed_packet";
    case ReasonCode::ProtocolError:
      return "protocol_error";
    case ReasonCode::ImplementationSpecificError:
      return "implementation_specific_error";
    case ReasonCode::UnsupportedProtocolVersion:
      return "unsupported_protocol_version";
    case ReasonCode::ClientIdentifierNotValid:
      return "client_identifier_not_valid";
    case ReasonCode::BadUserNameOrPassword:
      return "bad_username_or_password";
    case ReasonCode::NotAuthorized:
      return "not_authorized";
    case ReasonCode::ServerUnavailable:
      return "server_unavailable";
    case ReasonCode::ServerBusy:
      return "server_busy";
    case ReasonCode::Banned:
      return "banned";
    case ReasonCode::ServerShuttingDown:
      return "server_shutting_down";
    case ReasonCode::BadAuthenticationMethod:
      return "bad_authentication_method";
    case ReasonCode::KeepAliveTimeout:
      return "keepalive_timeout";
    case ReasonCode::SessionTakenOver:
      return "session_taken_over";
    case ReasonCode::TopicFilterInvalid:
      return "topic_filter_invalid";
    case ReasonCode::TopicNameInvalid:
      return "topic_name_invalid";
    case ReasonCode::PacketIdentifierInUse:
      return "packet_identifier_inuse";
    case ReasonCode::PacketIdentifierNotFound:
      return "packet_identifier_not_found";
    case ReasonCode::ReceiveMaximumExceeded:
      return "receive_maximum_exceeded";
    case ReasonCode::TopicAliasInvalid:
      return "topic_alias_invalid";
    case ReasonCode::PacketTooLarge:
      return "packet_too_large";
    case ReasonCode::MessageRateTooHigh:
      return "message_rate_too_high";
    case ReasonCode::QuotaExceeded:
      return "quota_exceeded";
    case ReasonCode::AdministrativeAction:
      return "administrative_action";
    case ReasonCode::PayloadFormatInvalid:
      return "payload_format_invalid";
    case ReasonCode::RetainNotSupported:
      return "retain_not_supported";
    case ReasonCode::QosNotSupported:
      return "qos_not_supported";
    case ReasonCode::UseAnotherServer:
      return "use_another_server";
    case ReasonCode::ServerMoved:
      return "server_moved";
    case ReasonCode::SharedSubscriptionsNotSupported:
      return "shared_subscriptions_not_supported";
    case ReasonCode::ConnectionRateExceeded:
      return "connection_rate_exceeded";
    case ReasonCode::MaximumConnectTime:
      return "maximum_connect_time";
    case ReasonCode::SubscriptionIdentifiersNotSupported:
      return "subscription_identifiers_not_supported";
    case ReasonCode::WildcardSubscriptionsNotSupported:
      return "wildcard_subscriptions_not_supported";
  }
  return "unknown_reason";
}

}  // namespace sb
