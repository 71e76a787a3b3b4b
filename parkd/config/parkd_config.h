// The settings of parkd.yaml, typed: only what a process needs to start. Settings of tenants are rows in SQL.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/address_policy.h"
#include "base/clock.h"
#include "base/config_reader.h"
#include "base/log.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace callpark {

struct ParkdConfig {
  ConfigTexts read_from;  // the texts of everything below
  std::string node_name;
  LogLevel log_level = LogLevel::kInfo;

  struct Sip {
    SocketAddress listen;  // an IP address, UDP and TCP
    Duration t1{};
    Duration t2{};
    Duration t4{};
    std::size_t tcp_connections_max = 0;
    Duration tcp_connect_timeout{};
    Duration tcp_message_timeout{};
    Duration tcp_idle_timeout{};
    Duration ask_talking{};
  } sip;

  enum class SipTransport { kUdp, kTcp };
  struct Kamailio {
    SocketAddress inside;  // an IP address
    SipTransport transport = SipTransport::kUdp;
    std::vector<std::string> peers;  // numeric IP addresses
  } kamailio;

  struct Mediad {
    SocketAddress control;
    Duration reconnect{};
    Duration answer_timeout{};
  } mediad;

  struct Database {
    std::string socket;
    std::string user;
    std::string password;       // also if it was read from `password_file`
    std::string password_file;  // empty if the password is in parkd.yaml
    std::string database;
    std::size_t workers = 0;
    std::size_t queue_max = 0;
    std::int64_t park_events_days = 0;
  } database;

  struct Http {
    SocketAddress listen;  // an IP address
  } http;

  struct Presence {
    Duration publication{};
    Duration compare_every{};
  } presence;

  struct Park {
    Duration bye_after_refer{};
    Duration music_retry{};
    Duration announcement_max{};
    Duration refusal_speech_max{};
    Duration already_picked_up_speech_max{};
    bool retrieve_from_other_nodes = false;
  } park;

  struct CallFlow {
    Duration first_key{};
    Duration next_key{};
    Duration call_max{};
  } call_flow;

  struct Menu {
    Duration call_max{};
  } menu;

  struct Billing {
    std::vector<IpNetwork> permitted_networks;
  } billing;

  struct Webhooks {
    std::vector<IpNetwork> permitted_networks;
    std::string ca_file;
  } webhooks;
};

/// Returns the configuration, or every error of the file.
Result<ParkdConfig, std::vector<ConfigError>> read_parkd_config_file(const std::string& path);
/// `name` is what errors call the file.
Result<ParkdConfig, std::vector<ConfigError>> read_parkd_config_text(const std::string& text, const std::string& name);

/// Returns what a start with this file would refuse: every error of the file, and addresses that are not of this host.
/// A password file in /run/credentials is not looked for if there is none: systemd makes it when it starts parkd.
std::vector<ConfigError> check_parkd_config_file(const std::string& path);

/// Makes `running` what parkd goes on with after it has read its file again: live keys as in `read`, all others as they
/// were.
ConfigChanges reload(ParkdConfig& running, const ParkdConfig& read);

/// Returns a parkd.yaml with every key at its default, and its help.
std::string parkd_config_example();

}  // namespace callpark
