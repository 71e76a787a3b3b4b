#include "parkd/app.h"

#include <csignal>
#include <functional>
#include <stdexcept>

#include "base/config_reload.h"
#include "base/event_loop.h"
#include "base/http_server.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/service_manager.h"
#include "parkd/authz/billing_client.h"
#include "parkd/http/operations_handlers.h"
#include "parkd/leg/sip_user_agent.h"
#include "parkd/media/media_client.h"
#include "parkd/pager/call_questions.h"
#include "parkd/pager/pager_messages.h"
#include "parkd/presence/call_info_notifier.h"
#include "parkd/presence/lamp_board.h"
#include "parkd/presence/lamp_questions.h"
#include "parkd/presence/publisher.h"
#include "parkd/service/flow_schedules.h"
#include "parkd/service/switchboard.h"
#include "parkd/store/schema.h"
#include "parkd/store/sql_flow_store.h"
#include "parkd/store/sql_menu_store.h"
#include "parkd/store/sql_presence_store.h"
#include "parkd/store/sql_schedule_store.h"
#include "parkd/store/sql_store.h"
#include "parkd/store/sql_webhook_store.h"
#include "parkd/store/unregistered_trunks.h"
#include "parkd/transaction/transaction_layer.h"
#include "parkd/transport/transport_layer.h"
#include "parkd/webhooks/webhook_sender.h"

namespace callpark {
namespace {

constexpr Duration kStatusPeriod{5000};

sip::Endpoint endpoint_of(sip::TransportProtocol protocol, const SocketAddress& address) {
  const auto ip = sip::IpAddress::parse(address.host());
  if (!ip) throw std::invalid_argument(address.to_string() + " is no IP address and port");
  return {protocol, *ip, address.port()};
}

sip::TransportSettings transport_settings(const ParkdConfig& config) {
  sip::TransportSettings settings;
  settings.listen = {endpoint_of(sip::TransportProtocol::kUdp, config.sip.listen),
                     endpoint_of(sip::TransportProtocol::kTcp, config.sip.listen)};
  for (const std::string& peer : config.kamailio.peers) settings.peers.push_back(*sip::IpAddress::parse(peer));
  settings.peer_socket = endpoint_of(sip::TransportProtocol::kUdp, config.kamailio.inside);
  settings.tcp_connections_max = config.sip.tcp_connections_max;
  settings.tcp_connect_timeout = config.sip.tcp_connect_timeout;
  settings.tcp_message_timeout = config.sip.tcp_message_timeout;
  settings.tcp_idle_timeout = config.sip.tcp_idle_timeout;
  return settings;
}

sip::TransactionTimers timers_of(const ParkdConfig::Sip& sip) {
  sip::TransactionTimers timers;
  timers.t1 = sip.t1;
  timers.t2 = sip.t2;
  timers.t4 = sip.t4;
  return timers;
}

// In the order in which mediad's codecs are offered to a party with unknown codecs: those of every phone and trunk
// first.
std::vector<leg::PlayableCodec> playable_codecs() {
  return {{"PCMA", 8000, 8}, {"PCMU", 8000, 0}, {"G722", 8000, 9}, {"opus", 48000, std::nullopt}};
}

sip::Endpoint kamailio_of(const ParkdConfig& config) {
  const bool tcp = config.kamailio.transport == ParkdConfig::SipTransport::kTcp;
  return endpoint_of(tcp ? sip::TransportProtocol::kTcp : sip::TransportProtocol::kUdp, config.kamailio.inside);
}

std::string contact_of(const ParkdConfig& config) {
  const auto protocol = kamailio_of(config).protocol;
  return "<sip:parkd@" + endpoint_of(protocol, config.sip.listen).host_and_port() +
         (protocol == sip::TransportProtocol::kTcp ? ";transport=tcp>" : ">");
}

leg::UserAgent user_agent(const ParkdConfig& config, EventLoop& loop, sip::TransactionLayer& transactions) {
  return {loop,
          transactions,
          kamailio_of(config),
          contact_of(config),
          playable_codecs(),
          timers_of(config.sip),
          config.sip.ask_talking,
          {},
          {endpoint_of(sip::TransportProtocol::kUdp, config.sip.listen),
           endpoint_of(sip::TransportProtocol::kUdp, config.kamailio.inside)}};
}

ParkSettings park_settings(const ParkdConfig& config) {
  ParkSettings settings;
  settings.node_name = config.node_name;
  settings.parker_bye_timeout = config.park.bye_after_refer;
  settings.music_retry = config.park.music_retry;
  settings.announcement_max = config.park.announcement_max;
  settings.refusal_speech_max = config.park.refusal_speech_max;
  settings.already_picked_up_speech_max = config.park.already_picked_up_speech_max;
  settings.flow_first_key = config.call_flow.first_key;
  settings.flow_next_key = config.call_flow.next_key;
  settings.flow_call_max = config.call_flow.call_max;
  settings.menu_call_max = config.menu.call_max;
  return settings;
}

SqlStore::Settings store_settings(const ParkdConfig& config) {
  SqlStore::Settings settings;
  settings.address = {config.database.socket, config.database.user, config.database.password, config.database.database};
  settings.node_name = config.node_name;
  settings.wins_calls_of_others = config.park.retrieve_from_other_nodes;
  settings.workers = config.database.workers;
  settings.queue_max = config.database.queue_max;
  settings.park_events_days = config.database.park_events_days;
  return settings;
}

SqlFlowStore::Settings flow_store_settings(const ParkdConfig& config) {
  SqlFlowStore::Settings settings;
  settings.address = store_settings(config).address;
  return settings;
}

SqlScheduleStore::Settings schedule_store_settings(const ParkdConfig& config) {
  SqlScheduleStore::Settings settings;
  settings.address = store_settings(config).address;
  return settings;
}

SqlPresenceStore::Settings presence_store_settings(const ParkdConfig& config) {
  SqlPresenceStore::Settings settings;
  settings.address = store_settings(config).address;
  settings.node_name = config.node_name;
  return settings;
}

SqlWebhookStore::Settings webhook_store_settings(const ParkdConfig& config) {
  SqlWebhookStore::Settings settings;
  settings.address = store_settings(config).address;
  return settings;
}

webhooks::WebhookSender::Settings webhook_settings(const ParkdConfig& config) {
  webhooks::WebhookSender::Settings settings;
  settings.http.ca_file = config.webhooks.ca_file;
  settings.http.addresses = AddressPolicy(config.webhooks.permitted_networks);
  return settings;
}

presence::PublisherSettings publisher_settings(const ParkdConfig& config) {
  presence::PublisherSettings settings;
  settings.expires = config.presence.publication;
  return settings;
}

// SUBSCRIBEs for parkd's own package go to its notifier, questions for lamps to the board, questions about calls to the
// billing system, everything else to the user agent.
class RequestRouter final : public sip::TransactionUser {
 public:
  RequestRouter(sip::TransactionUser& agent, presence::CallInfoNotifier& notifier, presence::LampQuestions& of_lamps,
                CallQuestions& of_calls)
      : agent_(agent), notifier_(notifier), of_lamps_(of_lamps), of_calls_(of_calls) {}

  void on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint& source) override {
    if (presence::CallInfoNotifier::serves(request)) {
      notifier_.on_subscribe(key, request);
    } else if (presence::LampQuestions::serves(request)) {
      of_lamps_.on_publish(key, request);
    } else if (CallQuestions::serves(request)) {
      of_calls_.on_message(key, request);
    } else {
      agent_.on_request(key, request, source);
    }
  }
  void on_ack(const sip::SipMessage& ack, const sip::Endpoint& source) override { agent_.on_ack(ack, source); }
  void on_cancel(sip::ServerTransactionKey invite) override { agent_.on_cancel(invite); }
  void on_server_transaction_failure(sip::ServerTransactionKey key, sip::ServerFailure failure) override {
    agent_.on_server_transaction_failure(key, failure);
  }
  void on_stray_2xx(const sip::SipMessage& response) override { agent_.on_stray_2xx(response); }

 private:
  sip::TransactionUser& agent_;
  presence::CallInfoNotifier& notifier_;
  presence::LampQuestions& of_lamps_;
  CallQuestions& of_calls_;
};

// Counters that their owners keep as plain numbers are copied when they are read.
class LayerMetrics {
 public:
  LayerMetrics(Metrics& metrics, const sip::TransportLayer& transport, const sip::TransactionLayer& transactions,
               const Switchboard& service)
      : transport_(transport),
        transactions_(transactions),
        service_(service),
        received_(metrics.gauge("callpark_sip_messages_received", "Well-formed SIP messages received")),
        malformed_dropped_(metrics.gauge("callpark_sip_malformed_dropped", "Malformed SIP messages dropped")),
        malformed_answered_(metrics.gauge("callpark_sip_malformed_answered", "Malformed SIP requests answered 400")),
        unknown_peers_dropped_(
            metrics.gauge("callpark_sip_unknown_peers_dropped", "Messages of unknown peers dropped")),
        live_transactions_(metrics.gauge("callpark_sip_transactions", "Live SIP transactions")),
        client_timeouts_(metrics.gauge("callpark_sip_client_timeouts", "Requests without an answer")),
        calls_(metrics.gauge("callpark_calls", "Calls in parkd's hands, parked or retrieved")),
        parked_calls_(metrics.gauge("callpark_parked_calls", "Calls that hold an orbit")) {}

  void refresh() {
    const auto& messages = transport_.counters();
    received_.set(static_cast<double>(messages.received));
    malformed_dropped_.set(static_cast<double>(messages.malformed_dropped));
    malformed_answered_.set(static_cast<double>(messages.malformed_answered));
    unknown_peers_dropped_.set(static_cast<double>(messages.unknown_peers_dropped));
    const auto live = transactions_.live();
    live_transactions_.set(
        static_cast<double>(live.invite_client + live.invite_server + live.non_invite_client + live.non_invite_server));
    client_timeouts_.set(static_cast<double>(transactions_.counters().client_timeouts));
    calls_.set(static_cast<double>(service_.calls()));
    parked_calls_.set(static_cast<double>(service_.parked_calls()));
  }

 private:
  const sip::TransportLayer& transport_;
  const sip::TransactionLayer& transactions_;
  const Switchboard& service_;
  Gauge received_;
  Gauge malformed_dropped_;
  Gauge malformed_answered_;
  Gauge unknown_peers_dropped_;
  Gauge live_transactions_;
  Gauge client_timeouts_;
  Gauge calls_;
  Gauge parked_calls_;
};

Histogram round_trip_seconds(Metrics& metrics) {
  return metrics.histogram("callpark_sip_round_trip_seconds",
                           "Time until the final answer to a request of parkd's within a dialog",
                           {0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5});
}

}  // namespace

void run_parkd(ParkdConfig config, const std::string& file) {
  EventLoop loop;
  Metrics metrics;
  ServiceManager manager(loop);
  std::function<void()> read_again;
  const auto on_term = loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
  const auto on_int = loop.on_signal(SIGINT, [&loop] { loop.stop(); });
  const auto on_hangup = loop.on_signal(SIGHUP, [&read_again] { read_again(); });

  if (const auto problem = schema_problem(store_settings(config).address)) throw std::runtime_error(*problem);

  sip::TransportLayer transport(loop, transport_settings(config));
  sip::LoopAlarmClock clock(loop);
  sip::TransactionLayer transactions(transport, clock, timers_of(config.sip));
  leg::SipUserAgent agent(user_agent(config, loop, transactions));
  MediaClient media(loop,
                    {config.mediad.control, config.mediad.reconnect, config.mediad.answer_timeout, config.node_name});
  SqlStore store(loop, store_settings(config));
  SqlFlowStore flow_store(loop, flow_store_settings(config));
  SqlMenuStore menu_store(loop, store);
  authz::BillingClient billing(loop, metrics, AddressPolicy(config.billing.permitted_networks));
  PagerMessages messages(transactions, kamailio_of(config), metrics);
  Switchboard service({loop, store, flow_store, menu_store, store, messages, media, agent.calls(),
                       agent.conversations(), agent.referrals(), billing, metrics},
                      park_settings(config));
  agent.set_listeners({&service, &service, &service});
  agent.set_park_rate([&service] { return service.park_rate(); });
  transactions.set_on_round_trip([&service, round_trips = round_trip_seconds(metrics)](Duration took) mutable {
    service.note_round_trip(took);
    round_trips.observe(std::chrono::duration<double>(took).count());
  });

  SqlPresenceStore presence_store(loop, presence_store_settings(config));
  const presence::SipWay presence_way{loop, transactions, kamailio_of(config), contact_of(config)};
  presence::Publisher publisher(presence_way, presence_store, metrics, publisher_settings(config));
  presence::LampBoard lamps(loop, presence_store, publisher, metrics, {.compare_every = config.presence.compare_every});
  presence::CallInfoNotifier notifier(presence_way, presence_store, metrics,
                                      {.compare_every = config.presence.compare_every});
  store.set_on_changed([&](const CallChange& change) {
    lamps.on_call_changed(change);
    notifier.on_call_changed(change);
  });
  service.set_on_flow_toggled([&lamps] { lamps.on_flow_toggled(); });
  SqlScheduleStore schedule_store(loop, schedule_store_settings(config));
  FlowSchedules schedules(loop, schedule_store, {});
  schedules.set_on_switched([&lamps] { lamps.on_flow_toggled(); });
  presence::LampQuestions questions_of_lamps(presence_way, lamps);
  CallQuestions questions_of_calls(transactions, store, billing);
  RequestRouter router(agent, notifier, questions_of_lamps, questions_of_calls);

  SqlWebhookStore webhook_store(loop, webhook_store_settings(config));
  webhooks::WebhookSender webhook_sender(loop, webhook_store, metrics, webhook_settings(config));
  UnregisteredTrunks unregistered_trunks(loop, metrics, {.address = store_settings(config).address});

  bool recovered = false;
  LayerMetrics layer_metrics(metrics, transport, transactions, service);
  HttpServer http(loop);
  const auto health = [&] {
    return Health{recovered, media.is_connected(), presence_store.is_available(), service.calls(),
                  service.parked_calls()};
  };
  route_operations(http, metrics, health, [&layer_metrics] { layer_metrics.refresh(); });
  if (const auto port = http.listen(config.http.listen); !port) throw std::runtime_error(port.error());

  media.start();
  transport.start(transactions);
  transactions.start(router);
  lamps.start();
  notifier.start();
  webhook_sender.start();
  schedules.start();
  unregistered_trunks.start();
  service.recover([&] {
    recovered = true;
    agent.set_ready();
    manager.report_ready(status_of(health()));
    log_info("", "ready, SIP at {}, HTTP at {}", config.sip.listen.to_string(), config.http.listen.to_string());
  });
  // What is live, and only that: the rest of `now` is as it was at the start.
  const auto apply = [&](const ParkdConfig& now) {
    set_log_level(now.log_level);
    service.set_settings(park_settings(now));
    store.set_park_events_days(now.database.park_events_days);
    billing.set_addresses(AddressPolicy(now.billing.permitted_networks));
    webhook_sender.set_addresses(AddressPolicy(now.webhooks.permitted_networks));
  };
  read_again = [&] {
    manager.report_reloading();
    apply_file(file, read_parkd_config_file(file), config, apply);
    // Before the calls are read there is nothing that is ready.
    if (recovered) manager.report_ready(status_of(health()));
  };
  const auto status = loop.every(kStatusPeriod, [&] { manager.report_status(status_of(health())); });
  manager.report_status(status_of(health()));
  loop.run();
  manager.report_stopping(fmt::format("stops; {} calls wait for the next parkd", service.calls()));
  log_info("", "stopping; {} calls wait for the next parkd", service.calls());
}

}  // namespace callpark
